// SPDX-License-Identifier: BSD-3-Clause
// Latents of one tile -> entropy-coded bytes, the inverse of prior.js. Loaded by who encodes.
import { join } from './bytes.js';
import { LATTICE, PHASES, REST, up } from './prior.js';
import { roundEven } from './quality.js';
import { Encoder } from './rans-encoder.js';
import { deadZone } from './rdoq.js';

/** The lattice of rows i, i + 2, ... and columns j, j + 2, ... of x (c, h, w). */
function phase(x, c, h, w, [i, j]) {
  const out = new x.constructor((c * h * w) / 4);
  let to = 0;
  for (let k = 0; k < c; k++) {
    for (let y = i; y < h; y += 2) {
      for (let from = (k * h + y) * w + j, end = (k * h + y + 1) * w; from < end; from += 2) out[to++] = x[from];
    }
  }
  return out;
}

const phases = (x, c, h, w, which) => join(which.map((place) => phase(x, c, h, w, place)));

/** x (c, h, w) with its last row and column repeated up to H and W. */
function pad(x, c, h, w, H, W) {
  if (h === H && w === W) return x;
  const out = new x.constructor(c * H * W);
  for (let k = 0; k < c; k++) {
    for (let y = 0; y < H; y++) {
      const from = (k * h + Math.min(y, h - 1)) * w;
      const to = (k * H + y) * W;
      out.set(x.subarray(from, from + w), to);
      out.fill(x[from + w - 1], to + w, to + W);
    }
  }
  return out;
}

/** The payload of a tile with the latents y (M, h, w), after the gain; rounded with a dead zone. */
export async function encode(prior, y, h, w, stored) {
  const { M, Z } = prior;
  const H = up(h, LATTICE);
  const W = up(w, LATTICE);
  const padded = pad(y, M, h, w, H, W);
  const [z] = await prior.engine.run('h_a', [[padded, [1, M, H, W]]]);
  const a = phase(padded, M, H, W, PHASES[0]);
  const targets = {
    z1: phase(z, Z, H / 4, W / 4, PHASES[0]),
    z2: phases(z, Z, H / 4, W / 4, REST),
    y1: phase(a, M, H / 2, W / 2, PHASES[0]),
    y2: phases(a, M, H / 2, W / 2, REST),
    y3: phase(padded, M, H, W, PHASES[3]),
    y4: phases(padded, M, H, W, [PHASES[1], PHASES[2]]),
  };
  const encoder = new Encoder(prior.tables);
  prior.thresholds ??= deadZone(prior.tables);
  const code = (stage, means, levels, steps) => {
    const target = targets[stage];
    const symbols = new Int32Array(means.length);
    const n = means.length / steps.length;
    for (let k = 0, i = 0; k < steps.length; k++) {
      for (const end = i + n; i < end; i++) {
        if (!levels[i]) continue;
        const residual = Math.fround(Math.fround(target[i] - means[i]) / steps[k]);
        const nearest = roundEven(residual);
        symbols[i] = stage[0] === 'z' ? nearest : prior.thresholds.choose(residual, nearest, levels[i]);
        means[i] += Math.fround(symbols[i] * steps[k]);
      }
    }
    encoder.encode(symbols, levels);
    return means;
  };
  await prior.walk(code, h, w, stored);
  return encoder.finish();
}
