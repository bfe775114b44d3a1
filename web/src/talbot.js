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
    codec.streams = new Map(); // windows that are being drawn, by name
    return codec;
  }

  /** Load all that decoding needs, and what encoding needs besides, side by side. */
  async warm({ encoder = false } = {}) {
    const names = encoder ? [...DECODER, ...ENCODER] : DECODER;
    await Promise.all(names.map((name) => this.engine.graph(name, name === 'g_s')));
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

  /** An array (rows, columns) in the order (columns, rows), with a factor for each row. */
  transposed(x, rows, columns, factors = null) {
    const { memory, kernels } = this.engine;
    const [from, to] = [memory.take(4 * x.length), memory.take(4 * x.length)];
    memory.floats.set(x, from / 4);
    kernels.transpose(rows, columns, from, to);
    if (factors) {
      const { post } = this.engine;
      memory.floats.set(factors, from / 4);
      new Uint32Array(memory.wasm.buffer, post, 13).set([0, from, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      kernels.elementwise(columns, rows, to, to, post);
    }
    const result = memory.floats.slice(to / 4, to / 4 + x.length);
    memory.give(from);
    memory.give(to);
    return result;
  }

  /** Latents (h, w, M) of a tile, ready for the synthesis; 0 but for those `kept` (h, w). */
  async decodeTile({ payload, h, w, quality, kept = null }) {
    const planes = await this.prior.decode(payload, h, w, quality, kept);
    const latents = this.transposed(planes, this.M, h * w, this.gain('decoder', quality));
    if (kept) kept.forEach((there, i) => there || latents.fill(0, i * this.M, (i + 1) * this.M));
    return latents;
  }

  /**
   * Samples of a strip of a window. A window comes from the top in rows of latents (w, M), which cover it and its halo,
   * h in all; `stream` names it, and one worker has it from the `first` rows to the `last`. `mask` (rows, w) is 0 where
   * there is no picture, or null if it is everywhere. The strip has the rows top..bottom and the columns left..right,
   * in pixels of what the latents make. Samples are interleaved, `channels` 1 or 3, of 8 or 16 bits.
   */
  async draw({ stream, w, h, latents, mask, first, last, strip, channels, depth }) {
    const graph = await this.engine.graph('g_s', depth === 8);
    if (first) this.streams.set(stream, { flow: graph.flow(w, h), rows: 0 });
    const { left, top, right, bottom } = strip;
    const width = right - left;
    const data = new (depth === 8 ? Uint8ClampedArray : Uint16Array)(width * (bottom - top) * channels);
    const window = this.streams.get(stream);
    if (mask) (window.flow.mask ??= new Uint8Array(w * h).fill(1)).set(mask, window.rows * w);
    window.rows += latents.length / w / this.M;
    const { memory, kernels } = this.engine;
    window.flow.push(latents, this.M, (rows) => {
      const [from, to] = [Math.max(rows.low, top), Math.min(rows.high, bottom)];
      if (to <= from) return;
      const count = (to - from) * width * channels;
      const made = memory.take((depth / 8) * count);
      const mean = memory.take(4 * width);
      for (let row = from, at = made; row < to; row++, at += (depth / 8) * width * channels) {
        let source = rows.row(row) + 12 * left;
        if (channels === 1) {
          kernels.grey(width, source, mean);
          source = mean;
        }
        kernels.samples(width * channels, depth, source, at);
      }
      data.set(new data.constructor(memory.wasm.buffer, made, count), (from - top) * width * channels);
      memory.give(made);
      memory.give(mean);
    });
    if (last) this.leave({ stream });
    return data;
  }

  /** Forget a window. */
  leave({ stream }) {
    this.streams.get(stream)?.flow.end();
    this.streams.delete(stream);
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
      for (let column = 0; column < W; column++) {
        const from = 4 * (Math.min(row, height - 1) * width + Math.min(column, width - 1));
        for (let c = 0; c < 3; c++) x[to++] = pixels[from + c] * unit;
      }
    }
    const out = new Float32Array(this.M * inner.height * inner.width);
    const flow = (await this.engine.graph('g_a')).flow(W, H);
    flow.push(x, 3, (rows) => {
      for (let row = rows.low; row < rows.high; row++) {
        const line = row - inner.y;
        if (line < 0 || line >= inner.height) continue;
        const from = rows.row(row) / 4 + inner.x * this.M;
        out.set(this.engine.memory.floats.subarray(from, from + inner.width * this.M), line * inner.width * this.M);
      }
    });
    flow.end();
    return this.transposed(out, inner.height * inner.width, this.M);
  }

  /** The payload of a tile from its latents (M, h, w), which are changed. */
  async encodeTile({ latents, h, w, quality }) {
    return this.prior.encode(this.scale(latents, this.gain('encoder', quality)), h, w, quality);
  }
}
