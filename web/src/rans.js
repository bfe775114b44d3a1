// SPDX-License-Identifier: BSD-3-Clause
// rANS bytes -> symbols with integer probability tables (calotype/engine/entropy.py); rans-encoder.js is the way back. The state of 64 bits is a 2^24 + b with a and
// b in doubles, which hold it exactly: no BigInt, which would be slow.
import { crcWord, view } from './bytes.js';
import { BundleError, FormatError } from './errors.js';

export const T24 = 2 ** 24;
export const M24 = 2 ** -24;
const ESCAPE_BITS = 12; // an escaped symbol is two raw numbers of 12 bits
export const ESCAPE_OFFSET = 2 ** 23;
export const RAW = T24 >> ESCAPE_BITS; // the frequency of each of them

/** Frequencies of the symbols -limit..limit and, last, of the escape, for each level but level 0, as cumulative sums. */
export class Tables {
  constructor(limits, frequencies) {
    this.limits = limits;
    this.sums = [null];
    this.lookup = [null]; // by the upper 10 bits of a slot: where to begin to search
    let at = 0;
    for (let level = 1; level < limits.length; level++) {
      const n = 2 * limits[level] + 2;
      const sums = new Uint32Array(n + 1);
      for (let i = 0; i < n; i++) sums[i + 1] = sums[i] + frequencies[at + i];
      if (sums[n] !== T24) throw new BundleError('a probability table does not sum to 2^24: the bundle is damaged');
      at += n;
      const lookup = new Uint16Array(1024);
      for (let slot = 0, i = 0; slot < 1024; slot++) {
        while (sums[i + 1] <= slot << 14) i++;
        lookup[slot] = i;
      }
      this.sums.push(sums);
      this.lookup.push(lookup);
    }
  }
}

/** Positions whose level is above 0, by rising level, then position; those of level l are order[starts[l]..starts[l + 1]). */
export function groupByLevel(levels) {
  const starts = new Uint32Array(257);
  for (let i = 0; i < levels.length; i++) starts[levels[i] + 1]++;
  starts[1] = 0; // level 0 is not coded
  for (let level = 1; level < 257; level++) starts[level] += starts[level - 1];
  const at = starts.slice();
  const order = new Uint32Array(starts[256]);
  for (let i = 0; i < levels.length; i++) if (levels[i]) order[at[levels[i]]++] = i;
  return { order, starts };
}

/** Reads symbols in the order in which an Encoder was given them. */
export class Decoder {
  constructor(tables, bytes) {
    if (bytes.length % 4) {
      throw new FormatError('the entropy-coded data is not a whole number of 32-bit words: the tile is damaged');
    }
    this.tables = tables;
    this.view = view(bytes);
    this.words = bytes.length / 4; // that are left; they are read from the end
    if (this.words && !this.view.getUint32(bytes.length - 4, true)) {
      throw new FormatError('the entropy-coded data ends in an empty word: the tile is damaged');
    }
    this.a = 0;
    this.b = 0;
    while (this.words && this.a < 256) this.refill();
    this.register = -1; // of the CRC-32 of all symbols
  }

  refill() {
    const word = this.view.getUint32(4 * --this.words, true);
    this.a = (this.a * T24 + this.b) * 256 + (word >>> 24);
    this.b = word & 0xffffff;
  }

  /** The state after a symbol of a frequency and the sum of those before it. */
  step(frequency, sum) {
    const high = Math.floor(this.a * M24);
    const low = this.a - high * T24;
    const t = frequency * low + (this.b - sum);
    const carry = Math.floor(t * M24);
    this.b = t - carry * T24;
    this.a = frequency * high + carry;
    if (this.a < 256 && this.words) this.refill();
  }

  /** Symbols like `levels`, 0 where the level is 0. */
  decode(levels) {
    const { order, starts } = groupByLevel(levels);
    const symbols = new Int32Array(levels.length);
    const { limits, sums: allSums, lookup: allLookups } = this.tables;
    for (let level = 1; level < 256; level++) {
      const from = starts[level];
      const to = starts[level + 1];
      if (from === to) continue;
      if (level >= limits.length) throw new BundleError(`the weights name level ${level}, which has no table`);
      const limit = limits[level];
      const sums = allSums[level];
      const lookup = allLookups[level];
      const escapes = [];
      for (let k = from; k < to; k++) {
        let i = lookup[this.b >>> 14];
        while (sums[i + 1] <= this.b) i++;
        this.step(sums[i + 1] - sums[i], sums[i]);
        symbols[order[k]] = i - limit;
        if (i > 2 * limit) escapes.push(order[k]);
      }
      for (const place of escapes) symbols[place] = this.raw() * RAW + this.raw() - ESCAPE_OFFSET;
      for (let k = from; k < to; k++) this.register = crcWord(this.register, symbols[order[k]]);
    }
    return symbols;
  }

  raw() {
    const symbol = this.b >>> ESCAPE_BITS;
    this.step(RAW, symbol * RAW);
    return symbol;
  }

  /** The check of all symbols; FormatError if data is left over. */
  finish() {
    if (this.a || this.b || this.words) {
      throw new FormatError('the entropy-coded data continues after the last symbol: the tile is damaged');
    }
    return ~this.register & 0xffff;
  }
}
