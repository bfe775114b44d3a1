// SPDX-License-Identifier: BSD-3-Clause
// What browsers can show of decoded samples.

/** RGBA of samples of 8 or 16 bits, grey or RGB; `alpha` may be null. */
export function toRgba({ width, height, channels, depth, data, alpha = null }) {
  const out = new Uint8ClampedArray(4 * width * height);
  const shrink = (x) => (depth === 8 ? x : x / 257); // a clamped array rounds
  for (let i = 0, from = 0, to = 0; to < out.length; i++, from += channels, to += 4) {
    for (let c = 0; c < 3; c++) out[to + c] = shrink(data[channels === 1 ? from : from + c]);
    out[to + 3] = alpha ? shrink(alpha[i]) : 255;
  }
  return out;
}

/** Samples with alpha as their last channel, as a PNG has them. */
export function withAlpha({ width, height, channels, data, alpha }) {
  if (!alpha) return { width, height, channels, data };
  const all = channels + 1;
  const out = new data.constructor(all * width * height);
  for (let i = 0; i < alpha.length; i++) {
    for (let c = 0; c < channels; c++) out[i * all + c] = data[i * channels + c];
    out[i * all + channels] = alpha[i];
  }
  return { width, height, channels: all, data: out };
}

/** Whether a canvas would lose something of it: its colours, its depth, or the precision of its alpha. */
export const needsPng = (picture) => Boolean(picture.icc || picture.cicp || picture.depth === 16 || picture.alpha);
