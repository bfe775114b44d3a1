"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

// Tabs: each button shows the element that it names and hides those of its neighbours.
for (const tabs of document.querySelectorAll(".tabs")) {
  const buttons = [...tabs.querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) {
        other.setAttribute("aria-pressed", other === button);
        $(other.dataset.show).hidden = other !== button;
      }
    });
  }
}

// The matrix shows one of three values.
$("bd-value").addEventListener("change", (event) => {
  for (const cell of document.querySelectorAll(".matrix td[data-averaged]")) {
    cell.textContent = cell.dataset[event.target.value];
  }
});

// Tables that sort: numbers as numbers, missing values last.
for (const table of document.querySelectorAll(".sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "–" || y === "–") return (x === "–") - (y === "–");
        const both = !isNaN(x) && !isNaN(y);
        return (both ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
      });
      body.append(...rows);
    });
  });
}

// Pictures: two layers in one place, of which the right one is cut at the border.
if (data.exhibits.length) {
  const stage = $("stage"), divider = $("divider");
  const layers = { left: $("layer-left"), right: $("layer-right") };
  const codecs = Object.keys(data.colours);
  const view = { border: 0.5, zoom: 1, x: 0.5, y: 0.5 }; // border: share of the stage; x, y: what of the picture is in the middle
  const option = (value, text) => new Option(text === undefined ? value : text, value);

  data.exhibits.forEach((exhibit, index) => $("picture").append(option(index, exhibit.name)));
  for (const side of ["left", "right"]) {
    for (const codec of codecs) $(side).append(option(codec));
    $(side).append(option("original"));
  }
  for (const rate of Object.keys(data.exhibits[0].samples)) $("rate").append(option(rate));
  $("left").value = codecs.find((codec) => codec === "jpeg") || codecs[codecs.length - 1];
  $("right").value = codecs.find((codec) => codec !== $("left").value) || "original";
  $("rate").selectedIndex = Math.min(1, $("rate").length - 1);

  const exhibit = () => data.exhibits[$("picture").value];

  function caption(side, name, sample) {
    const line = $("caption-" + side);
    line.replaceChildren();
    const title = document.createElement("b");
    title.textContent = name;
    title.style.color = data.colours[name] || "#1b1d21";
    line.append(title);
    if (!sample) return;
    const bpp = (8 * sample.bytes) / (exhibit().width * exhibit().height);
    const above = sample.fits ? "" : ", its smallest file, above the rate";
    const parts = [];
    for (const metric of data.metrics) {
      const value = sample.quality[metric.column];
      if (value !== null && value !== undefined) parts.push(`${metric.title} ${value.toFixed(metric.digits)}`);
    }
    const small = document.createElement("small");
    small.textContent = parts.join(" · ");
    line.append(` ${sample.bytes.toLocaleString("en")} bytes, ${bpp.toFixed(3)} bpp, setting ${sample.setting}${above}`);
    line.append(document.createElement("br"), small);
  }

  function show() {
    for (const side of ["left", "right"]) {
      const name = $(side).value;
      const sample = name === "original" ? null : exhibit().samples[$("rate").value][name];
      const image = layers[side].querySelector("img");
      image.src = sample ? sample.image : exhibit().original;
      image.alt = name;
      caption(side, name, sample);
    }
    place();
  }

  function place() {
    const part = exhibit().part, width = stage.clientWidth, height = stage.clientHeight;
    const fit = Math.min(width / part.width, height / part.height);
    const scale = fit * view.zoom;
    const keep = (middle, room) => (room >= 1 ? 0.5 : Math.min(Math.max(middle, room / 2), 1 - room / 2));
    view.x = keep(view.x, width / (part.width * scale));
    view.y = keep(view.y, height / (part.height * scale));
    const left = width / 2 - view.x * part.width * scale, top = height / 2 - view.y * part.height * scale;
    for (const layer of Object.values(layers)) {
      const image = layer.querySelector("img");
      image.style.width = `${part.width}px`;
      image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
      image.style.imageRendering = scale > 1.99 ? "pixelated" : "auto";
    }
    layers.right.style.clipPath = `inset(0 0 0 ${100 * view.border}%)`;
    divider.style.left = `${100 * view.border}%`;
    divider.setAttribute("aria-valuenow", Math.round(100 * view.border));
    stage.classList.toggle("zoomed", view.zoom > 1);
    $("zoom").value = `${Number(scale.toFixed(1))}×`;
    return scale;
  }

  function zoom(factor, event) {
    const before = place();
    const box = stage.getBoundingClientRect(), part = exhibit().part;
    const dx = event ? event.clientX - box.left - box.width / 2 : 0, dy = event ? event.clientY - box.top - box.height / 2 : 0;
    view.zoom = Math.min(16, Math.max(1, view.zoom * factor));
    const after = place();
    view.x += (dx / before - dx / after) / part.width; // what is under the pointer stays there
    view.y += (dy / before - dy / after) / part.height;
    place();
  }

  // Drags a value while the pointer is down.
  function drag(element, move) {
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      element.setPointerCapture(event.pointerId);
      let last = event;
      const follow = (next) => { move(next, last); last = next; place(); };
      const end = () => {
        element.removeEventListener("pointermove", follow);
        element.removeEventListener("pointerup", end);
        element.removeEventListener("pointercancel", end);
      };
      element.addEventListener("pointermove", follow);
      element.addEventListener("pointerup", end);
      element.addEventListener("pointercancel", end);
      if (element === divider) divider.focus({ preventScroll: true });
    });
  }
  const toBorder = (event) => {
    const box = stage.getBoundingClientRect();
    view.border = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  drag(divider, toBorder);
  drag(stage, (event, last) => {
    if (view.zoom === 1) return toBorder(event);
    const scale = place(), part = exhibit().part;
    view.x -= (event.clientX - last.clientX) / (part.width * scale);
    view.y -= (event.clientY - last.clientY) / (part.height * scale);
  });
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    view.border = Math.min(1, Math.max(0, view.border + step));
    place();
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // a plain wheel scrolls the page; pinching arrives here as ctrl and wheel
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, event);
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => zoom(2, event));
  $("in").addEventListener("click", () => zoom(2));
  $("out").addEventListener("click", () => zoom(0.5));
  for (const id of ["picture", "left", "right", "rate"]) $(id).addEventListener("change", show);
  addEventListener("resize", place);
  show();
}
