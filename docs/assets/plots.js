// SPDX-License-Identifier: BSD-3-Clause
// Rate-distortion curves of the benchmark, drawn as SVG: names hide and show curves, points tell their numbers. Better is up.

"use strict";

(() => {
  const COLOURS = ["#bf4f1d", "#ef9a66", "#7f7f7f", "#b8860b", "#2b6fb3", "#2f9e63", "#9055a2", "#c2417c"];
  const WIDTH = 760, HEIGHT = 430, LEFT = 48, RIGHT = 12, TOP = 12, BOTTOM = 40;
  const HIGHEST_RATE = 2; // bits per pixel

  const element = (name, attributes = {}, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  const falls = (place) => place.dataset.falls === "yes"; // less is better

  const points = (record, place) => {
    const decibels = place.dataset.decibels === "yes", worst = Number(place.dataset.worst ?? "NaN");
    return record.bpp
      .map((bpp, i) => [bpp, record[place.dataset.metric][i]])
      .map(([bpp, value]) => [bpp, decibels ? -10 * Math.log10(1 - value) : value])
      .filter(([bpp, value]) => bpp <= HIGHEST_RATE && !(falls(place) ? value > worst : value < worst))
      .sort((a, b) => a[0] - b[0]);
  };

  const draw = (place) => {
    const curves = Object.entries(window.RESULTS).map(([name, record], i) =>
      ({ name, title: record.title, colour: COLOURS[i % COLOURS.length], points: points(record, place) }));
    const values = curves.flatMap((curve) => curve.points.map((point) => point[1]));
    const lowest = Math.floor(Math.min(...values)), highest = Math.ceil(Math.max(...values));
    const x = (bpp) => LEFT + (bpp / HIGHEST_RATE) * (WIDTH - LEFT - RIGHT);
    const share = (value) => (value - lowest) / (highest - lowest);
    const y = (value) => HEIGHT - BOTTOM - (falls(place) ? 1 - share(value) : share(value)) * (HEIGHT - TOP - BOTTOM);
    const unit = place.dataset.unit ?? "", measure = place.dataset.name + (unit && `, ${unit}`);

    const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${measure} against bits per pixel` });
    for (let value = lowest; value <= highest; value += Math.max(1, Math.round((highest - lowest) / 8))) {
      svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(element("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, value));
    }
    for (let bpp = 0; bpp <= HIGHEST_RATE; bpp += 0.25) {
      svg.append(element("line", { class: "grid", x1: x(bpp), x2: x(bpp), y1: TOP, y2: HEIGHT - BOTTOM }));
      if (bpp % 0.5 === 0) svg.append(element("text", { x: x(bpp), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, bpp));
    }
    svg.append(element("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, "bits per pixel"));
    svg.append(element("text", { x: LEFT + 8, y: TOP + 14 }, measure));

    const note = Object.assign(document.createElement("div"), { className: "note", hidden: true });
    const names = Object.assign(document.createElement("div"), { className: "names" });
    for (const curve of curves) {
      const group = element("g");
      const line = curve.points.map(([bpp, value], i) => `${i ? "L" : "M"}${x(bpp).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      group.append(element("path", { class: curve.name.startsWith("talbot") ? "curve ours" : "curve", d: line, stroke: curve.colour }));
      for (const [bpp, value] of curve.points) {
        const dot = element("circle", { cx: x(bpp), cy: y(value), r: 4.5, fill: curve.colour });
        dot.addEventListener("pointerenter", () => {
          note.textContent = `${curve.name}: ${bpp.toFixed(3)} bpp, ${value.toFixed(2)} ${unit}`;
          note.hidden = false;
          const right = x(bpp) > WIDTH / 2;
          note.style.left = right ? "auto" : `${(100 * x(bpp)) / WIDTH + 1}%`;
          note.style.right = right ? `${100 - (100 * x(bpp)) / WIDTH + 1}%` : "auto";
          note.style.top = `${(y(value) / WIDTH) * place.clientWidth}px`;
        });
        dot.addEventListener("pointerleave", () => { note.hidden = true; });
        group.append(dot);
      }
      svg.append(group);
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.title = curve.title;
      button.innerHTML = `<span class="swatch" style="background:${curve.colour}"></span>`;
      button.append(curve.name);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", shown);
        group.style.display = shown ? "" : "none";
      });
      names.append(button);
    }
    place.replaceChildren(svg, note, names);
  };

  const all = () => document.querySelectorAll(".rd-plot").forEach(draw);
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", all) : all();
})();
