// SPDX-License-Identifier: BSD-3-Clause
// Symbols -> rANS bytes, the inverse of rans.js. Loaded by who encodes. The state of 64 bits is a 2^24 + b with a and b in
// doubles, which hold it exactly: no BigInt, which would be slow.
import { CRC, join, view } from './bytes.js';
import { T24 } from './rans.js';

const M24 = 2 ** -24;
const RAW = 2 ** 12; // an escaped symbol is two raw numbers of 12 bits
const ESCAPE_OFFSET = 2 ** 23;

/** The register of a CRC-32 after four more bytes, those of the integer `word` from the lowest on. */
function crcWord(register, word) {
  let c = register ^ word;
  for (let k = 0; k < 4; k++) c = CRC[c & 255] ^ (c >>> 8);
  return c;
}

/** Positions whose level is above 0, by rising level, then position; those of level l are order[starts[l]..starts[l + 1]). */
function groupByLevel(levels) {
  const starts = new Uint32Array(257);
  for (let i = 0; i < levels.length; i++) starts[levels[i] + 1]++;
  starts[1] = 0; // level 0 is not coded
  for (let level = 1; level < 257; level++) starts[level] += starts[level - 1];
  const at = starts.slice();
  const order = new Uint32Array(starts[256]);
  for (let i = 0; i < levels.length; i++) if (levels[i]) order[at[levels[i]]++] = i;
  return { order, starts };
}

/** Collects symbols in the order of decoding, and writes them backwards. */
export class Encoder {
  constructor(tables) {
    this.tables = tables;
    this.groups = [];
    this.register = -1;
  }

  encode(symbols, levels) {
    const { order, starts } = groupByLevel(levels);
    for (let level = 1; level < this.tables.limits.length; level++) {
      const group = Int32Array.from(order.subarray(starts[level], starts[level + 1]), (place) => symbols[place]);
      if (!group.length) continue;
      for (const symbol of group) this.register = crcWord(this.register, symbol);
      this.groups.push({ level, group });
    }
  }

  /** The check of all symbols and their bytes: the payload of a tile. */
  finish() {
    const words = [];
    let a = 0;
    let b = 0;
    const flush = () => { // the lower 32 bits of the state become a word
      words.push((a % 256) * T24 + b);
      const high = Math.floor(a / 256);
      a = Math.floor(high * M24);
      b = high - a * T24;
    };
    const put = (frequency, sum) => {
      if (a >= frequency * 65536) flush();
      const high = Math.floor(a / frequency); // long division in base 2^24
      const t = (a - high * frequency) * T24 + b;
      const low = Math.floor(t / frequency);
      a = high * T24 + low;
      b = sum + (t - low * frequency);
    };
    for (const { level, group } of this.groups.reverse()) {
      const limit = this.tables.limits[level];
      const sums = this.tables.sums[level];
      const escaped = (symbol) => symbol < -limit || symbol > limit;
      for (let k = group.length - 1; k >= 0; k--) {
        if (!escaped(group[k])) continue;
        const value = group[k] + ESCAPE_OFFSET;
        put(RAW, (value % RAW) * RAW);
        put(RAW, Math.floor(value / RAW) * RAW);
      }
      for (let k = group.length - 1; k >= 0; k--) {
        const i = escaped(group[k]) ? 2 * limit + 1 : group[k] + limit;
        put(sums[i + 1] - sums[i], sums[i]);
      }
    }
    while (a || b) flush();
    const bytes = new Uint8Array(4 * words.length);
    words.forEach((word, i) => view(bytes).setUint32(4 * i, word, true));
    const check = ~this.register & 0xffff;
    return join([Uint8Array.of(check & 255, check >> 8), bytes]);
  }
}
