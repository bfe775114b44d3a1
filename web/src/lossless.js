// SPDX-License-Identifier: BSD-3-Clause
// A picture of codec `lossless` on its way: each tile is a still of its own, which nothing around it changes.
import { FormatError } from './errors.js';
import { grown, height, width } from './geometry.js';
import { tileCount, tilesAcross } from './header.js';

const TILE = 4096; // pixels
const WHOLE = 32768; // of the only tile of a JPEG

/** FormatError if a header says what this codec never writes. */
export function checkLossless(header) {
  const { tile, quality, bundle } = header;
  if (tile !== TILE && !(tile === WHOLE && tileCount(header) === 1)) {
    throw new FormatError(`the header names tiles of ${tile} pixels; lossless has tiles of ${TILE}, or one of ${WHOLE}`);
  }
  if (quality || bundle !== '00000000') throw new FormatError('the header names weights or a quality, and lossless has neither');
}

export class LosslessPicture {
  constructor(header, area, { run, signal, urgent, onPart }) {
    Object.assign(this, { header, area, run, signal, urgent, onPart });
    const size = width(area) * height(area) * header.channels;
    this.samples = header.depth === 8 ? new Uint8ClampedArray(size) : new Uint16Array(size);
    this.next = 0; // index of the tile that comes next
    this.left = width(area) * height(area); // pixels
    this.failure = null;
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.finished.catch(() => {}); // said when it is waited for
  }

  /** The payload of the next tile in raster order. */
  async tile(payload) {
    const index = this.next++;
    const { tile, width: w, height: h, channels, depth } = this.header;
    const across = tilesAcross(this.header);
    const corner = { left: (index % across) * tile, top: Math.floor(index / across) * tile };
    const place = grown({ ...corner, right: corner.left + tile, bottom: corner.top + tile }, 0, { left: 0, top: 0, right: w, bottom: h });
    const shown = grown(place, 0, this.area);
    if (width(shown) <= 0 || height(shown) <= 0 || this.failure) return;
    try {
      const job = { do: 'still', bytes: payload.slice(), width: width(place), height: height(place), channels, depth };
      const found = await this.run(job, { signal: this.signal, urgent: this.urgent });
      if (this.failure) return;
      const data = new this.samples.constructor(width(shown) * height(shown) * channels);
      const row = width(shown) * channels;
      for (let y = shown.top, to = 0; y < shown.bottom; y++, to += row) {
        const from = ((y - place.top) * width(place) + shown.left - place.left) * channels;
        data.set(found.subarray(from, from + row), to);
        this.samples.set(data.subarray(to, to + row), ((y - this.area.top) * width(this.area) + shown.left - this.area.left) * channels);
      }
      const at = { x: shown.left - this.area.left, y: shown.top - this.area.top, width: width(shown), height: height(shown) };
      this.onPart?.({ ...at, data, channels, depth });
      this.left -= at.width * at.height;
      if (!this.left) this.resolve(this.samples);
    } catch (error) {
      const where = `tile ${index + 1} of ${tileCount(this.header)}: `;
      this.fail(error instanceof FormatError ? new FormatError(where + error.message) : error);
    }
  }

  fail(error) {
    this.failure ??= error;
    this.reject(this.failure);
  }

  data() {
    return this.finished;
  }
}
