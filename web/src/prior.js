// SPDX-License-Identifier: BSD-3-Clause
// The hierarchical prior of `talbot`: latents of one tile <-> entropy-coded bytes (calotype/codecs/talbot/prior.py).
import { join } from './bytes.js';
import { FormatError } from './errors.js';
import { position, roundEven } from './quality.js';
import { Decoder, Tables } from './rans.js';

export const LATTICE = 8; // latents a side of the coarsest cell: tiles are padded to multiples of it
const CHECK_BYTES = 2;
export const PHASES = [[0, 0], [0, 1], [1, 0], [1, 1]];
export const REST = PHASES.slice(1);
export const up = (n, step) => Math.ceil(n / step) * step;

/** Four lattices (c, h, w), in the order of PHASES, as the one (c, 2 h, 2 w) that they come from. */
function fromPhases(parts, c, h, w) {
  const out = new Float32Array(4 * c * h * w);
  parts.forEach((x, n) => {
    const [i, j] = PHASES[n];
    let from = 0;
    for (let k = 0; k < c; k++) {
      for (let y = 0; y < h; y++) {
        let to = ((k * h + y) * 2 + i) * 2 * w + j;
        for (let q = 0; q < w; q++, to += 2) out[to] = x[from++];
      }
    }
  });
  return out;
}

const split = (x, n) => Array.from({ length: n }, (_, i) => x.subarray((i * x.length) / n, ((i + 1) * x.length) / n));
const repeat = (x, n) => join(Array(n).fill(x));

/** The corner (c, h, w) of x (c, H, W). */
function crop(x, c, H, W, h, w) {
  if (h === H && w === W) return x;
  const out = new Float32Array(c * h * w);
  for (let k = 0; k < c; k++) {
    for (let y = 0; y < h; y++) out.set(x.subarray((k * H + y) * W, (k * H + y) * W + w), (k * h + y) * w);
  }
  return out;
}

export class Prior {
  /** @param engine runs the graphs @param arrays those of tables.npz */
  constructor(engine, arrays) {
    this.engine = engine;
    this.tables = new Tables(arrays.limits.data, arrays.frequencies.data);
    this.zLevels = arrays.z_levels;
    this.steps = split(arrays.steps.data, 4);
    this.M = arrays.steps.shape[1];
    this.Z = arrays.z_levels.shape[1];
  }

  /** The latents (M, h, w) of a tile's payload, before the gain, or those `kept` (h, w); FormatError if they do not come out whole. */
  async decode(payload, h, w, stored, kept = null) {
    const decoder = new Decoder(this.engine, this.tables, payload.subarray(CHECK_BYTES));
    const read = (stage, means, levels, steps) => {
      const symbols = decoder.decode(levels);
      const n = means.length / steps.length;
      for (let k = 0, i = 0; k < steps.length; k++) {
        // Product and sum are rounded to float32, one after the other; the array rounds the sum.
        for (const end = i + n; i < end; i++) means[i] += Math.fround(symbols[i] * steps[k]);
      }
      return means;
    };
    let latents;
    let check;
    try {
      latents = await this.walk(read, h, w, stored, kept);
      check = decoder.finish();
    } finally {
      decoder.end();
    }
    if (payload.length < CHECK_BYTES || check !== (payload[0] | (payload[1] << 8))) {
      throw new FormatError(
        'the symbols decoded differ from those encoded: the tile was written by other weights or arithmetic',
      );
    }
    return latents;
  }

  /** The payload of a tile with the latents y (M, h, w), after the gain; rounded with a dead zone. */
  async encode(...tile) {
    return (await import('./prior-encoder.js')).encode(this, ...tile);
  }

  /** Go over all passes of a tile; `code(stage, means, levels, steps)` turns each prediction into values. */
  async walk(code, h, w, stored, kept = null) {
    const { M, Z, engine } = this;
    const H = up(h, LATTICE);
    const W = up(w, LATTICE);
    const [H2, W2, H4, W4, H8, W8] = [H / 2, W / 2, H / 4, W / 4, H / 8, W / 8];

    // What lies outside of h x w is predicted but not coded: its level becomes 0. A stage codes, in lattices of
    // rows x columns one behind the other, the latents of y at (step r + i, step s + j) for each offset [i, j].
    const mask = (levels, offsets, channels, rows, columns, step, inside) => {
      if (kept) return maskKept(levels, offsets, channels, rows, columns, step, inside === cells ? 4 : 1);
      const [inH, inW] = inside;
      let at = 0;
      for (const [i, j] of offsets) {
        const low = Math.max(0, Math.ceil((inH - i) / step));
        const right = Math.max(0, Math.ceil((inW - j) / step));
        for (let k = 0; k < channels; k++) {
          for (let r = 0; r < rows; r++, at += columns) levels.fill(0, at + (r < low ? right : 0), at + columns);
        }
      }
      return levels;
    };
    // The same, where only some latents are kept, in cells of 4 x 4; `side` latents make a place of the lattice.
    const maskKept = (levels, offsets, channels, rows, columns, step, side) => {
      let at = 0;
      for (const [i, j] of offsets) {
        for (let k = 0; k < channels; k++) {
          for (let r = 0; r < rows; r++) {
            for (let s = 0; s < columns; s++, at++) {
              const [y, x] = [side * (step * r + i), side * (step * s + j)];
              if (y >= h || x >= w || !kept[y * w + x]) levels[at] = 0;
            }
          }
        }
      }
      return levels;
    };
    const stage = async (name, graph, steps, lattice, ...inputs) => {
      const [means, levels] = await engine.run(graph, inputs);
      return code(name, means, mask(levels, ...lattice), steps);
    };
    const latents = [h, w];
    const cells = [Math.ceil(h / 4), Math.ceil(w / 4)];
    const like = (x, hh, ww) => [x, [1, x.length / (hh * ww), hh, ww]];

    // Whole numbers of 1/128, and rows of a table: the same on every machine.
    const p = roundEven(position(stored) * 65536);
    const plane = (hh, ww) => like(new Float32Array(hh * ww).fill((Math.floor((p * 256 + 32768) / 65536) - 128) / 128), hh, ww);
    const row = Math.floor((p * (this.zLevels.shape[0] - 1) + 32768) / 65536);
    const ones = (n) => new Float32Array(n).fill(1);

    const zLevels = new Uint8Array(Z * H8 * W8);
    for (let k = 0; k < Z; k++) zLevels.fill(this.zLevels.data[row * Z + k], k * H8 * W8, (k + 1) * H8 * W8);
    mask(zLevels, [PHASES[0]], Z, H8, W8, 2, cells);
    const z1 = code('z1', new Float32Array(Z * H8 * W8), zLevels, ones(Z));
    const zRest = await stage('z2', 'z_pass', ones(3 * Z), [REST, Z, H8, W8, 2, cells], plane(H8, W8), like(z1, H8, W8));
    const z = fromPhases([z1, ...split(zRest, 3)], Z, H8, W8);
    const [f64, f32] = await engine.run('h_s', [like(z, H4, W4), plane(H4, W4)]);
    const coarse = like(f64, H4, W4);
    const fine = like(f32, H2, W2);

    const [s1, s2, s3, s4] = this.steps;
    const y1 = await stage('y1', 'pass1', s1, [[[0, 0]], M, H4, W4, 4, latents], coarse);
    const y2 = await stage('y2', 'pass2', repeat(s2, 3), [[[0, 2], [2, 0], [2, 2]], M, H4, W4, 4, latents], coarse, like(y1, H4, W4));
    const a = fromPhases([y1, ...split(y2, 3)], M, H4, W4);
    const d = await stage('y3', 'pass3', s3, [[[1, 1]], M, H2, W2, 2, latents], fine, like(a, H2, W2));
    const bc = await stage('y4', 'pass4', repeat(s4, 2), [[[0, 1], [1, 0]], M, H2, W2, 2, latents], fine, like(a, H2, W2), like(d, H2, W2));
    return crop(fromPhases([a, ...split(bc, 2), d], M, H2, W2), M, H, W, h, w);
  }
}
