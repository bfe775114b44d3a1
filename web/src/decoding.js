// SPDX-License-Identifier: BSD-3-Clause
// From bytes, as they arrive, to samples: tiles become latents as soon as they are whole, windows become pixels as soon
// as their tiles and those of their halo are there. `run` does the jobs, in workers or right here.
import { Reader } from './container.js';
import { CalotypeError, FormatError, PictureError } from './errors.js';
import { coarser, copyShared, grid, grown, height, width, windows } from './geometry.js';
import { LosslessPicture, checkLossless } from './lossless.js';
import { fromStored } from './quality.js';
import { rawSamples } from './stills.js';
import { HALO, STRIDE, TILE } from './talbot.js';
import { isStill, latentsKept, parse } from './tiles.js';

const SIDE = TILE / STRIDE;
const WINDOW = 1024; // pixels: what a transform works on at once, about 90 MB
const CODECS = ['talbot', 'talbot-stills', 'lossless']; // the second has tiles that hold stills, the third no others
export const DEFAULT_MAX_PIXELS = 2 ** 26;

/** FormatError or PictureError if a file is sound but cannot be decoded here. */
export function checkHeader(header, maxPixels) {
  if (!CODECS.includes(header.codec)) {
    throw new FormatError(
      `the file was made by codec '${header.codec}', which cannot be decoded in browsers yet, only 'talbot' and 'lossless'; ` +
        'use the command calotype decode',
    );
  }
  if (header.layers) throw new FormatError(`the header names ${header.layers} layers; ${header.codec} has none`);
  if (header.codec === 'lossless') checkLossless(header);
  else {
    if (header.tile !== TILE) throw new FormatError(`the header names tiles of ${header.tile} pixels; ${header.codec} has tiles of ${TILE}`);
    fromStored(header.quality);
  }
  if (header.width * header.height > maxPixels) {
    throw new PictureError(
      `the picture has ${header.width} x ${header.height} pixels, and maxPixels is ${maxPixels}: allow more, or leave it`,
    );
  }
}

/** A region as a rectangle; PictureError if it does not lie within the picture. */
function place(region, header) {
  const all = { left: 0, top: 0, right: header.width, bottom: header.height };
  if (!region) return all;
  const [left, top, right, bottom] = region;
  const edges = [left, top, right, bottom];
  const sound = edges.every(Number.isInteger) && left >= 0 && top >= 0 && left < right && top < bottom;
  if (sound && right <= header.width && bottom <= header.height) return { left, top, right, bottom };
  throw new PictureError(
    `region ${edges} is not left, top, right, bottom within the picture of ${header.width} x ${header.height} pixels`,
  );
}

/** The chunks of a source: bytes, a Blob, a Response or a stream. */
async function* chunks(source) {
  if (source instanceof ArrayBuffer) yield new Uint8Array(source);
  else if (ArrayBuffer.isView(source)) yield new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  else if (source instanceof Blob) yield new Uint8Array(await source.arrayBuffer());
  else {
    if (source instanceof Response && !source.ok) throw new CalotypeError(`the server says ${source.status}`);
    const stream = source instanceof Response ? source.body : source;
    if (!stream?.getReader) throw new PictureError('decode takes bytes, a Blob, a Response or a stream of bytes');
    const reader = stream.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }
}

/**
 * Decode a file.
 *
 * @param source bytes, a Blob, a Response or a stream of bytes
 * @param options run: does a job; parallel: how many at once; region, signal, urgent, maxPixels; onHeader(header);
 *   onPart({x, y, width, height, channels, depth, data}): samples of a part of the result, once they are there
 * @returns {width, height, channels, depth, data, header, alpha, icc, exif, xmp, cicp, iccStream}: interleaved samples without
 *   alpha, alpha on its own or null, metadata or null
 */
export async function decodeFile(source, options) {
  const { run, parallel = 1, region = null, signal = null, urgent = false, onHeader, onPart } = options;
  const { maxPixels = DEFAULT_MAX_PIXELS } = options;
  const reader = new Reader();
  let picture = null;
  let alpha = null;
  const take = (tiles) => {
    signal?.throwIfAborted();
    if (reader.header && !picture) {
      checkHeader(reader.header, maxPixels);
      const Kind = reader.header.codec === 'lossless' ? LosslessPicture : Picture;
      picture = new Kind(reader.header, place(region, reader.header), { run, parallel, signal, urgent, onPart });
      onHeader?.(reader.header);
    }
    if (reader.alpha && !alpha) alpha = decodeAlpha(reader, run, signal);
    for (const tile of tiles) picture.tile(tile);
  };
  try {
    for await (const chunk of chunks(source)) {
      take(reader.push(chunk));
      if (picture?.failure) break;
    }
    if (!picture?.failure) take(reader.finish());
    const [data, channel, front] = await Promise.all([picture.data(), alpha, reader.front()]);
    const { area, header } = picture;
    return {
      width: width(area),
      height: height(area),
      channels: header.channels,
      depth: header.depth,
      data,
      header,
      alpha: channel && cut(channel, header.width, area),
      ...front,
      iccStream: reader.metadata.c ?? null,
    };
  } catch (error) {
    picture?.fail(error);
    throw error;
  }
}

function decodeAlpha(reader, run, signal) {
  const { width, height, depth } = reader.header;
  const made = run({ do: 'decodeAlpha', bytes: reader.alpha.slice(), width, height, depth }, { signal });
  made.catch(() => {}); // said when it is waited for
  return made;
}

function cut(channel, stride, area) {
  const [w, h] = [width(area), height(area)];
  if (w * h === channel.length) return channel;
  const out = new channel.constructor(w * h);
  for (let y = 0; y < h; y++) {
    const from = (area.top + y) * stride + area.left;
    out.set(channel.subarray(from, from + w), y * w);
  }
  return out;
}

/** Put the pixels of a tile's still into the samples of a window. */
function putStill({ area, data, cells }, inner, out, channels) {
  const shared = grown(area, 0, inner);
  for (let y = shared.top; y < shared.bottom; y++) {
    for (let x = shared.left; x < shared.right; x++) {
      if (!isStill(cells, width(area), x - area.left, y - area.top)) continue;
      const from = ((y - area.top) * width(area) + x - area.left) * channels;
      const to = ((y - inner.top) * width(inner) + x - inner.left) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c];
    }
  }
}

/** A picture on its way from tiles to samples. */
class Picture {
  constructor(header, area, { run, parallel, signal, urgent, onPart }) {
    Object.assign(this, { header, area, run, signal, urgent, onPart });
    const { channels, depth } = header;
    const size = width(area) * height(area) * channels;
    this.samples = depth === 8 ? new Uint8ClampedArray(size) : new Uint16Array(size);
    this.lattice = coarser({ left: 0, top: 0, right: header.width, bottom: header.height }, STRIDE);
    this.across = Math.ceil(width(this.lattice) / SIDE);
    this.count = this.across * Math.ceil(height(this.lattice) / SIDE);
    this.next = 0; // index of the tile that comes next
    this.failure = null;
    this.tiles = new Map(); // by index: {block, kept latents, still, each or null, windows that wait for it}
    this.left = 0; // windows
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.finished.catch(() => {}); // said when it is waited for
    for (const inner of windows(area, WINDOW, parallel, STRIDE)) {
      const seen = grown(coarser(inner, STRIDE), HALO, this.lattice);
      const window = { inner, seen, tiles: [], missing: 0 };
      for (const { row, column } of grid(seen, SIDE)) {
        const index = row * this.across + column;
        if (!this.tiles.has(index)) this.tiles.set(index, { block: null, kept: null, still: null, windows: new Set() });
        this.tiles.get(index).windows.add(window);
        window.tiles.push(index);
        window.missing++;
      }
      this.left++;
    }
  }

  /** Where a tile lies on the lattice. */
  place(index) {
    const corner = { left: (index % this.across) * SIDE, top: Math.floor(index / this.across) * SIDE };
    return grown({ ...corner, right: corner.left + SIDE, bottom: corner.top + SIDE }, 0, this.lattice);
  }

  /** The payload of the next tile in raster order. */
  async tile(payload) {
    const index = this.next++;
    const wanted = this.tiles.get(index);
    if (!wanted) return;
    const area = this.place(index);
    try {
      await this.read(wanted, payload.slice(), area);
    } catch (error) {
      this.fail(error instanceof FormatError ? new FormatError(`tile ${index + 1} of ${this.count}: ${error.message}`) : error);
      return;
    }
    for (const window of wanted.windows) if (!--window.missing) this.window(window);
  }

  /** Decode a tile: latents of the network, and what stands in their place. `area` is its place on the lattice. */
  async read(tile, payload, area) {
    const { bundle, quality, channels, depth, codec } = this.header;
    const [h, w] = [height(area), width(area)];
    const pixels = {
      left: area.left * STRIDE,
      top: area.top * STRIDE,
      right: Math.min(area.right * STRIDE, this.header.width),
      bottom: Math.min(area.bottom * STRIDE, this.header.height),
    };
    const options = { signal: this.signal, urgent: this.urgent };
    const size = { width: width(pixels), height: height(pixels), channels, depth };
    const parts = codec === CODECS[0] ? { network: payload } : parse(payload, size.height, size.width);
    if (parts.cells) tile.kept = latentsKept(parts.cells, h, w);
    const shown = grown(pixels, 0, this.area);
    let still = null;
    if (parts.cells && width(shown) > 0 && height(shown) > 0) {
      const file = (bytes) => this.run({ do: 'still', bytes: bytes.slice(), ...size }, options);
      still = parts.raw ? rawSamples({ bytes: parts.raw, ...size }) : file(parts.still);
    }
    if (parts.network) {
      const job = { do: 'tile', bundle, payload: parts.network.slice(), h, w, quality, kept: tile.kept?.slice() };
      const data = this.run(job, options);
      await Promise.all([data, still]);
      tile.block = { area, data: await data };
    }
    if (still) tile.still = { area: pixels, data: await still, cells: parts.cells };
  }

  /** Draw a window whose tiles are all there. */
  async window(window) {
    if (this.failure) return;
    const { inner, seen } = window;
    const { channels, depth, bundle } = this.header;
    const [w, h] = [width(seen), height(seen)];
    const tiles = window.tiles.map((index) => this.tiles.get(index));
    const first = tiles.find((tile) => tile.block)?.block;
    const M = first ? first.data.length / width(first.area) / height(first.area) : 0;
    const block = { area: seen, data: new Float32Array(M * w * h) };
    const mask = tiles.some((tile) => tile.kept) ? new Uint8Array(w * h).fill(1) : null;
    window.tiles.forEach((index, i) => {
      const tile = tiles[i];
      if (tile.block) copyShared(tile.block, block, M);
      if (tile.kept) copyShared({ area: this.place(index), data: tile.kept }, { area: seen, data: mask }, 1);
      tile.windows.delete(window);
      if (!tile.windows.size) this.tiles.delete(index); // nobody needs it any more
    });
    const place = { x: inner.left - seen.left * STRIDE, y: inner.top - seen.top * STRIDE, width: width(inner), height: height(inner) };
    const job = { do: 'window', bundle, latents: block.data, h, w, inner: place, channels, depth, mask };
    try {
      const data = M
        ? await this.run(job, { signal: this.signal, urgent: true })
        : new this.samples.constructor(place.width * place.height * channels);
      if (this.failure) return;
      for (const tile of tiles) if (tile.still) putStill(tile.still, inner, data, channels);
      const part = { x: inner.left - this.area.left, y: inner.top - this.area.top, width: place.width, height: place.height, data };
      this.put(part);
      this.onPart?.({ ...part, channels, depth });
      if (!--this.left) this.resolve(this.samples);
    } catch (error) {
      this.fail(error);
    }
  }

  put({ x, y, width: w, height: h, data }) {
    const { channels } = this.header;
    const across = width(this.area);
    for (let row = 0; row < h; row++) {
      this.samples.set(data.subarray(row * w * channels, (row + 1) * w * channels), ((y + row) * across + x) * channels);
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
