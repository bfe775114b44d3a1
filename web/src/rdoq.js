// SPDX-License-Identifier: BSD-3-Clause
// Rate-distortion optimised quantisation, effort 3 of calotype/codecs/talbot/rdoq.py: q becomes q - 1 (nearer to zero)
// where that saves more bits than the error is worth, a comparison with a table of thresholds.

const LARGEST = 64; // residuals beyond it are rounded to the nearest
const SMALL = 8; // levels below: scales up to 0.29 of a step
const MIDDLE = 16; // up to 0.74; above them there is no dead zone
const WEIGHT = 24; // bits that a squared error of one step is worth
const MIDDLE_WEIGHT = 4 * WEIGHT;

/** Thresholds for the tables of a bundle; `choose` the integer for a residual whose nearest one is known. */
export function deadZone(tables) {
  const thresholds = new Float32Array(tables.limits.length * (LARGEST + 1));
  tables.limits.forEach((limit, level) => {
    const sums = tables.sums[level];
    const bits = (q) => 24 - Math.log2(sums[limit + q + 1] - sums[limit + q]);
    const weight = level < SMALL ? WEIGHT : MIDDLE_WEIGHT;
    for (let q = 0; q <= LARGEST; q++) {
      const coded = level > 0 && level < MIDDLE && q > 0 && q <= limit;
      const saved = coded ? (bits(q) - bits(q - 1)) / (2 * weight) : 0;
      thresholds[level * (LARGEST + 1) + q] = Math.min(q - 0.5 + saved, q + 0.5);
    }
  });
  return {
    choose(residual, nearest, level) {
      const size = Math.abs(nearest);
      if (!size || size > LARGEST) return nearest;
      return Math.abs(residual) < thresholds[level * (LARGEST + 1) + size] ? nearest - Math.sign(nearest) : nearest;
    },
  };
}
