// SPDX-License-Identifier: BSD-3-Clause
// Who has which bytes of the engine's memory. Blocks are taken from what is free, the one that fits best, and given back.
import { PictureError } from './errors.js';

const PAGE = 65536;
const SLACK = 64; // kernels may read and write so far behind an array
const round = (n) => (n + 63) & ~63;

export class Memory {
  constructor() {
    this.wasm = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
    this.free = []; // {at, size}
    this.taken = new Map(); // size by address
    this.top = 0; // where nothing has been taken yet
  }

  /** Leave out what lies below. */
  begin(at) {
    this.top = round(at);
  }

  get bytes() {
    return new Uint8Array(this.wasm.buffer);
  }

  get floats() {
    return new Float32Array(this.wasm.buffer);
  }

  /** The address of `size` bytes that nobody else has. */
  take(size) {
    size = round(size + SLACK);
    let best = null;
    for (const block of this.free) if (block.size >= size && !(best && best.size <= block.size)) best = block;
    let at;
    if (best) {
      at = best.at;
      best.at += size;
      best.size -= size;
      if (!best.size) this.free.splice(this.free.indexOf(best), 1);
    } else {
      const last = this.free.findIndex((block) => block.at + block.size === this.top);
      at = last < 0 ? this.top : this.free.splice(last, 1)[0].at;
      this.grow(at + size);
      this.top = at + size;
    }
    this.taken.set(at, size);
    return at;
  }

  grow(to) {
    const pages = Math.ceil((to - this.wasm.buffer.byteLength) / PAGE);
    if (pages <= 0) return;
    try {
      this.wasm.grow(pages);
    } catch {
      throw new PictureError('not enough memory for this picture');
    }
  }

  give(at) {
    const block = { at, size: this.taken.get(at) };
    this.taken.delete(at);
    for (let i = this.free.length - 1; i >= 0; i--) { // join neighbours
      const other = this.free[i];
      if (other.at + other.size === block.at) block.at = other.at;
      else if (block.at + block.size !== other.at) continue;
      block.size += other.size;
      this.free.splice(i, 1);
    }
    this.free.push(block);
  }
}
