// SPDX-License-Identifier: BSD-3-Clause
// `talbot` with the weights of one bundle: what workers do. Latents of tiles, pixels of windows, and back.
import { Engine } from './engine.js';
import { BundleError } from './errors.js';
import { npz } from './npz.js';
import { Prior } from './prior.js';
import { position, roundEven } from './quality.js';

export const STRIDE = 16; // pixels a latent
export const HALO = 9; // latents: the receptive field of analysis and synthesis
export const TILE = 1024; // pixels
const DECODER = ['z_pass', 'h_s', 'pass1', 'pass2', 'pass3', 'pass4', 'g_s'];
const ENCODER = ['g_a', 'h_a'];
const ARRAYS = ['limits', 'frequencies', 'z_levels', 'steps', 'gain_encoder', 'gain_decoder'];

export class Talbot {
  /** @param load a file of the bundle, by name @param {WebAssembly.Module} module the engine */
  static async open(load, module) {
    const codec = new Talbot();
    const [engine, arrays] = await Promise.all([Engine.open(load, module), load('tables.npz').then(npz)]);
    for (const name of ARRAYS) {
      if (!arrays[name]) throw new BundleError(`the weights have no table ${name}: they are for another version`);
    }
    codec.engine = engine;
    codec.arrays = arrays;
    codec.prior = new Prior(engine, arrays);
    codec.M = codec.prior.M;
    return codec;
  }

  /** Load all that decoding needs, and what encoding needs besides, side by side. */
  async warm({ encoder = false } = {}) {
    const names = encoder ? [...DECODER, ...ENCODER] : DECODER;
    await Promise.all(names.map((name) => this.engine.graph(name)));
  }

  /** Factors for the latents, one a channel, interpolated between the trained qualities. */
  gain(name, stored) {
    const { shape, data } = this.arrays[`gain_${name}`];
    const [rows, M] = shape;
    const level = position(stored) * (rows - 1);
    const low = Math.min(Math.floor(level), rows - 2);
    return Float32Array.from({ length: M }, (_, m) =>
      Math.exp(Math.fround(data[low * M + m] * (low + 1 - level) + data[(low + 1) * M + m] * (level - low))),
    );
  }

  scale(latents, gain) {
    const n = latents.length / gain.length;
    for (let m = 0, i = 0; m < gain.length; m++) for (const end = i + n; i < end; i++) latents[i] *= gain[m];
    return latents;
  }

  /** Latents (M, h, w) of a tile, ready for the synthesis; 0 but for those `kept` (h, w). */
  async decodeTile({ payload, h, w, quality, kept = null }) {
    const latents = this.scale(await this.prior.decode(payload, h, w, quality, kept), this.gain('decoder', quality));
    if (kept) for (let i = 0; i < latents.length; i++) if (!kept[i % kept.length]) latents[i] = 0;
    return latents;
  }

  /**
   * Samples of a window. `latents` (M, h, w) cover it and its halo; `inner` {x, y, width, height} is where the window
   * lies in what they make, in pixels; where `mask` (h, w) is 0 there is no picture. Samples are interleaved, `channels` 1 or 3, of 8 or 16 bits.
   */
  async synthesise({ latents, h, w, inner, channels, depth, mask = null }) {
    const [x] = await this.engine.run('g_s', [[latents, [1, this.M, h, w]]], mask && { mask, h, w });
    const plane = h * w * STRIDE * STRIDE;
    const { width, height } = inner;
    const deep = depth === 16;
    const size = width * height * channels;
    const data = deep ? new Uint16Array(size) : new Uint8ClampedArray(size); // which rounds half to even by itself
    for (let row = 0, to = 0; row < height; row++) {
      let from = (inner.y + row) * w * STRIDE + inner.x;
      for (let i = 0; i < width; i++, from++) {
        if (channels === 1) {
          const sum = Math.fround(Math.fround(x[from] + x[from + plane]) + x[from + 2 * plane]);
          const mean = Math.fround(sum / 3);
          data[to++] = deep ? roundEven(Math.fround(mean * 65535)) : mean * 255;
        } else {
          for (let c = 0, at = from; c < 3; c++, at += plane) {
            data[to++] = deep ? roundEven(Math.fround(x[at] * 65535)) : x[at] * 255;
          }
        }
      }
    }
    return data;
  }

  /**
   * Latents (M, rows, columns), before the gain, of a part of the lattice of a window. `pixels` (height, width, 4) are
   * the window and its halo as RGBA; `inner` {x, y, width, height}, in latents, is what to keep.
   */
  async analyse({ pixels, width, height, inner }) {
    const w = Math.ceil(width / STRIDE);
    const h = Math.ceil(height / STRIDE);
    const [W, H] = [w * STRIDE, h * STRIDE];
    const x = new Float32Array(3 * W * H);
    const unit = Math.fround(1 / 255);
    for (let row = 0, to = 0; row < H; row++) {
      for (let column = 0; column < W; column++, to++) {
        const from = 4 * (Math.min(row, height - 1) * width + Math.min(column, width - 1));
        for (let c = 0; c < 3; c++) x[c * W * H + to] = pixels[from + c] * unit;
      }
    }
    const [y] = await this.engine.run('g_a', [[x, [1, 3, H, W]]]);
    const out = new Float32Array(this.M * inner.height * inner.width);
    for (let m = 0, to = 0; m < this.M; m++) {
      for (let row = 0; row < inner.height; row++, to += inner.width) {
        const from = (m * h + inner.y + row) * w + inner.x;
        out.set(y.subarray(from, from + inner.width), to);
      }
    }
    return out;
  }

  /** The payload of a tile from its latents (M, h, w), which are changed. */
  async encodeTile({ latents, h, w, quality }) {
    return this.prior.encode(this.scale(latents, this.gain('encoder', quality)), h, w, quality);
  }
}
