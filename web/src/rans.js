// SPDX-License-Identifier: BSD-3-Clause
// rANS bytes -> symbols with integer probability tables (calotype/engine/entropy.py); rans-encoder.js is the way back.
import { join, view } from './bytes.js';
import { BundleError, FormatError } from './errors.js';

export const T24 = 2 ** 24;

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

  /** Where the engine finds them in its memory, for good. */
  placed(memory) {
    if (this.memory === memory) return this.at;
    this.memory = memory;
    const put = (array) => {
      const at = memory.take(array.byteLength);
      memory.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      return at;
    };
    const first = Uint32Array.from(this.sums, () => 0);
    for (let level = 2; level < first.length; level++) first[level] = first[level - 1] + this.sums[level - 1].length;
    const sums = join(this.sums.slice(1));
    const lookup = join([new Uint16Array(1024), ...this.lookup.slice(1)]);
    this.at = put(Uint32Array.of(first.length, ...[Uint32Array.from(this.limits), first, sums, lookup].map(put)));
    return this.at;
  }
}

/** Reads symbols in the order in which an Encoder was given them, by the engine. `end` it. */
export class Decoder {
  constructor(engine, tables, bytes) {
    if (bytes.length % 4) {
      throw new FormatError('the entropy-coded data is not a whole number of 32-bit words: the tile is damaged');
    }
    const words = bytes.length / 4;
    if (words && !view(bytes).getUint32(bytes.length - 4, true)) {
      throw new FormatError('the entropy-coded data ends in an empty word: the tile is damaged');
    }
    const { memory } = (this.engine = engine);
    this.tables = tables.placed(memory);
    this.bytes = memory.take(bytes.length);
    this.reader = memory.take(20);
    memory.bytes.set(bytes, this.bytes);
    this.state = [0, 0, this.bytes, words, -1];
    engine.kernels.begin(this.reader);
  }

  /** The engine's: the state, low and high, where the words are, those left, and the register of the CRC-32 of all symbols. */
  get state() {
    return new Uint32Array(this.engine.memory.wasm.buffer, this.reader, 5);
  }

  set state(numbers) {
    this.state.set(numbers);
  }

  /** Symbols like `levels`, 0 where the level is 0. */
  decode(levels) {
    const { memory, kernels } = this.engine;
    const n = levels.length;
    const [places, found, order] = [n, 4 * n, 4 * n].map((size) => memory.take(size));
    memory.bytes.set(levels, places);
    const unknown = kernels.symbols(n, places, found, order, this.tables, this.reader);
    const symbols = new Int32Array(memory.wasm.buffer, found, n).slice();
    for (const block of [places, found, order]) memory.give(block);
    if (unknown) throw new BundleError(`the weights name level ${unknown}, which has no table`);
    return symbols;
  }

  /** The check of all symbols; FormatError if data is left over. */
  finish() {
    const [low, high, , left, register] = this.state;
    if (low || high || left) {
      throw new FormatError('the entropy-coded data continues after the last symbol: the tile is damaged');
    }
    return ~register & 0xffff;
  }

  end() {
    this.engine.memory.give(this.bytes);
    this.engine.memory.give(this.reader);
  }
}
