// SPDX-License-Identifier: BSD-3-Clause
// Two pictures on top of each other, a line between them that moves, zoom and pan by mouse, touch and keyboard.

const MOST = 32; // times the size of a pixel
const STEP = 0.02; // of the width, for a key that moves the line

export class Stage {
  /** @param {HTMLElement} element becomes the stage @param names of the left and the right picture */
  constructor(element, names = ['left', 'right']) {
    this.element = element;
    element.classList.add('stage');
    element.tabIndex = 0;
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Picture. Plus and minus zoom, 0 fits, arrow keys move it.');
    this.layers = ['right', 'left'].map((side) => {
      const layer = document.createElement('div');
      layer.className = `layer ${side}`;
      element.append(layer);
      return layer;
    });
    this.labels = ['left', 'right'].map((side) => {
      const label = document.createElement('span');
      label.className = `label ${side}`;
      element.append(label);
      return label;
    });
    this.handle = document.createElement('div');
    this.handle.className = 'handle';
    this.handle.tabIndex = 0;
    for (const [name, value] of Object.entries({ role: 'slider', 'aria-valuemin': 0, 'aria-valuemax': 100 })) {
      this.handle.setAttribute(name, value);
    }
    element.append(this.handle);
    this.names(...names);
    this.size = [1, 1];
    this.view = { x: 0, y: 0, scale: 1 };
    this.fitted = true;
    this.pointers = new Map();
    this.splitAt(0.5);
    this.listen();
    new ResizeObserver(() => this.fitted && this.fit()).observe(element);
  }

  names(left, right) {
    this.labels[0].textContent = left;
    this.labels[1].textContent = right;
    this.handle.setAttribute('aria-label', `Line between ${left} and ${right}`);
  }

  /** Show canvases or images of the same picture; null for a side leaves it as it is, false takes the line away. */
  show(left, right, width, height) {
    if (left) this.layers[1].replaceChildren(left);
    if (right) this.layers[0].replaceChildren(right);
    this.element.classList.toggle('single', left === false);
    if (left === false) this.layers[1].replaceChildren();
    const same = this.size[0] === width && this.size[1] === height;
    this.size = [width, height];
    if (same) this.draw();
    else this.fit();
  }

  fit() {
    const { clientWidth: w, clientHeight: h } = this.element;
    const [W, H] = this.size;
    const scale = Math.min(w / W, h / H, 1);
    this.view = { scale, x: (w - W * scale) / 2, y: (h - H * scale) / 2 };
    this.fitted = true;
    this.draw();
  }

  /** Zoom by a factor around a place of the stage. */
  zoom(factor, x = this.element.clientWidth / 2, y = this.element.clientHeight / 2) {
    const { view } = this;
    const least = Math.min(this.element.clientWidth / this.size[0], this.element.clientHeight / this.size[1], 1) / 2;
    const scale = Math.min(Math.max(view.scale * factor, least), MOST);
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    this.fitted = false;
    this.draw();
  }

  pan(x, y) {
    this.view.x += x;
    this.view.y += y;
    this.fitted = false;
    this.draw();
  }

  splitAt(share) {
    this.split = Math.min(Math.max(share, 0), 1);
    this.element.style.setProperty('--split', `${100 * this.split}%`);
    this.handle.setAttribute('aria-valuenow', Math.round(100 * this.split));
  }

  draw() {
    const { x, y, scale } = this.view;
    const margin = 48; // of the picture stays in sight
    const { clientWidth: w, clientHeight: h } = this.element;
    this.view.x = Math.min(Math.max(x, margin - this.size[0] * scale), w - margin);
    this.view.y = Math.min(Math.max(y, margin - this.size[1] * scale), h - margin);
    for (const layer of this.layers) {
      const picture = layer.firstElementChild;
      if (!picture) continue;
      picture.style.width = `${this.size[0]}px`;
      picture.style.height = `${this.size[1]}px`;
      picture.style.transform = `translate(${this.view.x}px, ${this.view.y}px) scale(${scale})`;
      picture.style.imageRendering = scale >= 3 ? 'pixelated' : 'auto';
    }
  }

  listen() {
    const { element, handle } = this;
    const inside = (event) => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    element.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), ...inside(event));
    }, { passive: false });
    element.addEventListener('dblclick', (event) => (this.fitted ? this.zoom(1 / this.view.scale, ...inside(event)) : this.fit()));
    element.addEventListener('pointerdown', (event) => {
      const [x, y] = inside(event);
      element.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [x, y]);
      const near = Math.abs(x - this.split * element.clientWidth) < (event.pointerType === 'mouse' ? 12 : 28);
      this.moving = near && this.pointers.size === 1 && !element.classList.contains('single') ? 'line' : 'picture';
      (this.moving === 'line' ? handle : element).focus({ preventScroll: true });
    });
    element.addEventListener('pointermove', (event) => {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = inside(event);
      if (this.moving === 'line') this.splitAt(now[0] / element.clientWidth);
      else if (this.pointers.size === 1) this.pan(now[0] - before[0], now[1] - before[1]);
      else {
        const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
        const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
        this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      }
      this.pointers.set(event.pointerId, now);
    });
    for (const kind of ['pointerup', 'pointercancel']) {
      element.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    }
    handle.addEventListener('keydown', (event) => {
      const move = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -1, End: 1 }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.splitAt(this.split + move);
    });
    element.addEventListener('keydown', (event) => {
      const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '+' || event.key === '=') this.zoom(1.25);
      else if (event.key === '-') this.zoom(0.8);
      else if (event.key === '0') this.fit();
      else if (event.key === '1') this.zoom(1 / this.view.scale);
      else if (moves[event.key]) this.pan(...moves[event.key]);
      else return;
      event.preventDefault();
    });
  }
}

/** A canvas with what an ImageData or ImageBitmap holds. */
export function canvasOf(picture) {
  const canvas = document.createElement('canvas');
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext('2d');
  if (picture instanceof ImageData) context.putImageData(picture, 0, 0);
  else context.drawImage(picture, 0, 0);
  return canvas;
}
