// SPDX-License-Identifier: BSD-3-Clause
// <calo-img src="photo.calo" alt="...">: decoded in workers and drawn as it arrives. Events `load` and `error`, as <img>
// has them; `complete`, `naturalWidth`, `naturalHeight`; loading="lazy" waits until it is near the viewport.
import { decode } from './index.js';
import { toRgba } from './picture.js';

const STYLE = ':host{display:inline-block}:host([hidden]){display:none}canvas,img{display:block;width:100%;height:auto}';

export class CaloImg extends HTMLElement {
  static observedAttributes = ['src', 'alt'];

  constructor() {
    super();
    this.complete = false;
    this.naturalWidth = this.naturalHeight = 0;
    this.attachShadow({ mode: 'open' }).innerHTML = `<style>${STYLE}</style>`;
    this.abort = null;
  }

  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(url) {
    this.setAttribute('src', url);
  }

  get alt() {
    return this.getAttribute('alt') ?? '';
  }

  set alt(text) {
    this.setAttribute('alt', text);
  }

  connectedCallback() {
    this.describe();
    this.begin();
  }

  disconnectedCallback() {
    this.abort?.abort();
  }

  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (name === 'alt') this.describe();
    else this.begin();
  }

  describe() {
    if (this.alt || !this.hasAttribute('alt')) this.setAttribute('role', 'img');
    else this.setAttribute('role', 'presentation'); // alt="": decoration
    if (this.alt) this.setAttribute('aria-label', this.alt);
    else this.removeAttribute('aria-label');
  }

  begin() {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    if (!this.src) return;
    this.complete = false;
    if (this.getAttribute('loading') !== 'lazy') {
      this.show(abort.signal);
      return;
    }
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        this.show(abort.signal);
      },
      { rootMargin: '50%' },
    );
    watch.observe(this);
    abort.signal.addEventListener('abort', () => watch.disconnect());
  }

  async show(signal) {
    const canvas = document.createElement('canvas');
    try {
      const response = await fetch(this.src, { signal });
      const context = canvas.getContext('2d');
      const bitmap = await decode(response, {
        signal,
        onHeader: ({ width, height }) => {
          this.naturalWidth = canvas.width = width;
          this.naturalHeight = canvas.height = height;
          this.replace(canvas);
        },
        onPart: (part) => context.putImageData(new ImageData(toRgba(part), part.width, part.height), part.x, part.y),
      });
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      this.complete = true;
      this.dispatchEvent(new Event('load'));
    } catch (error) {
      if (signal.aborted) return;
      this.complete = true;
      this.dispatchEvent(new ErrorEvent('error', { error, message: error.message }));
    }
  }

  replace(picture) {
    for (const old of this.shadowRoot.querySelectorAll('canvas')) old.remove();
    this.shadowRoot.append(picture);
  }
}

customElements.define('calo-img', CaloImg);
