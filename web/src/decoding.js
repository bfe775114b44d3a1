// SPDX-License-Identifier: BSD-3-Clause
// From bytes, as they arrive, to samples: tiles become latents as soon as they are whole, windows become pixels as soon
// as their tiles and those of their halo are there. `run` does the jobs, in workers or right here.
import { Reader } from './container.js';
import { CalotypeError, FormatError, PictureError } from './errors.js';
import { coarser, copyShared, grid, grown, height, strips, width, windows } from './geometry.js';
import { LosslessPicture, checkLossless } from './lossless.js';
import { fromStored } from './quality.js';
import { rawSamples } from './stills.js';
import { HALO, STRIDE, TILE } from './talbot.js';
import { isStill, latentsKept, parse } from './tiles.js';

const SIDE = TILE / STRIDE;
const WINDOWS = { widest: 8192, narrow: 1024, least: 512, step: STRIDE }; // pixels; the widest takes about 90 MB
const STRIP = 256; // pixels: what is drawn at once
let next = 0; // name of a window
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
  if (!(maxPixels >= 0)) throw new PictureError(`maxPixels should be a number of pixels, not ${maxPixels}`);
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

/** The chunks of a source: bytes, a Blob, a Response or a stream, which ends when the signal says so. */
async function* chunks(source, signal) {
  if (source instanceof ArrayBuffer) yield new Uint8Array(source);
  else if (ArrayBuffer.isView(source)) yield new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  else if (source instanceof Blob) yield new Uint8Array(await source.arrayBuffer());
  else {
    if (source instanceof Response && !source.ok) throw new CalotypeError(`the server says ${source.status}`);
    const stream = source instanceof Response ? source.body : source;
    if (!stream?.getReader) throw new PictureError('decode takes bytes, a Blob, a Response or a stream of bytes');
    const reader = stream.getReader();
    const stop = () => reader.cancel().catch(() => {});
    signal?.addEventListener('abort', stop); // the next bytes may never come
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      stop();
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
    signal?.throwIfAborted();
    for await (const chunk of chunks(source, signal)) {
      take(reader.push(chunk));
      if (picture?.failure) break;
    }
    signal?.throwIfAborted();
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

/** A promise `done` and what resolves it. */
function deferred() {
  let resolve;
  const done = new Promise((made) => (resolve = made));
  return { done, resolve };
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
    this.lanes = Array(2 * parallel).fill(Promise.resolve()); // tiles in each come one after the other
    this.begun = 0; // tiles that stand in them
    this.open = new Map(); // where windows are being drawn, by their names
    this.tiles = new Map(); // by index: {done, block, kept latents, still, each or null; windows that need it}
    this.left = 0; // windows
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.finished.catch(() => {}); // said when it is waited for
    const list = windows(area, parallel, WINDOWS).map((inner) => ({ inner, seen: grown(coarser(inner, STRIDE), HALO, this.lattice) }));
    for (const window of list) {
      for (const index of this.beneath(window.seen)) {
        if (!this.tiles.has(index)) this.tiles.set(index, Object.assign(deferred(), { block: null, kept: null, still: null, windows: 0 }));
        this.tiles.get(index).windows++;
      }
    }
    this.left = list.length;
    for (const window of list) this.window(window).catch((error) => this.fail(error));
  }

  /** Indices of the tiles that an area of the lattice meets. */
  beneath(area) {
    return grid(area, SIDE).map(({ row, column }) => row * this.across + column);
  }

  /** Where a tile lies on the lattice. */
  place(index) {
    const corner = { left: (index % this.across) * SIDE, top: Math.floor(index / this.across) * SIDE };
    return grown({ ...corner, right: corner.left + SIDE, bottom: corner.top + SIDE }, 0, this.lattice);
  }

  /** The payload of the next tile in raster order. */
  tile(payload) {
    const index = this.next++;
    const wanted = this.tiles.get(index);
    if (!wanted) return;
    const lane = this.begun++ % this.lanes.length;
    const own = payload.slice();
    this.lanes[lane] = this.lanes[lane].then(() => this.decode(index, wanted, own));
  }

  async decode(index, wanted, payload) {
    if (this.failure) return;
    const area = this.place(index);
    try {
      await this.read(wanted, payload, area);
    } catch (error) {
      this.fail(error instanceof FormatError ? new FormatError(`tile ${index + 1} of ${this.count}: ${error.message}`) : error);
      return;
    }
    wanted.resolve();
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

  /** Draw a window, strip by strip, as soon as the tiles of a strip and its halo are there. */
  async window({ inner, seen }) {
    const { channels, depth, bundle } = this.header;
    const { signal } = this;
    const home = {}; // the worker that draws it
    const stream = next++;
    const w = width(seen);
    const held = new Set(); // tiles
    let M = 0; // channels of the latents, once a tile of the network is there
    let first = true;
    let { top } = seen;
    for (const strip of strips(inner, STRIP)) {
      if (top === seen.bottom) break;
      const bottom = Math.min(Math.ceil(strip.bottom / STRIDE) + HALO, seen.bottom);
      if (bottom === seen.bottom) strip.bottom = inner.bottom; // all latents are there
      const part = { ...seen, top, bottom };
      const h = bottom - top;
      for (const index of this.beneath(part)) {
        await this.tiles.get(index).done;
        held.add(index);
      }
      const tiles = [...held].map((index) => [index, this.tiles.get(index)]);
      const block = tiles.find(([, tile]) => tile.block)?.[1].block;
      if (block) M = block.data.length / width(block.area) / height(block.area);
      let data = new this.samples.constructor(width(strip) * height(strip) * channels);
      if (M) {
        const latents = { area: part, data: new Float32Array(M * w * h) };
        const mask = tiles.some(([, tile]) => tile.kept) ? new Uint8Array(w * h).fill(1) : null;
        for (const [index, tile] of tiles) {
          if (tile.block) copyShared(tile.block, latents, M);
          if (tile.kept) copyShared({ area: this.place(index), data: tile.kept }, { area: part, data: mask }, 1);
        }
        // If all that was above are stills, it is as if the picture began here.
        if (first) seen = { ...seen, top };
        this.open.set(stream, home);
        const [x, y] = [seen.left * STRIDE, seen.top * STRIDE];
        const place = { left: strip.left - x, top: strip.top - y, right: strip.right - x, bottom: strip.bottom - y };
        const last = bottom === seen.bottom;
        const job = { do: 'draw', bundle, stream, w, h: height(seen), latents: latents.data, mask, first, last, strip: place, channels, depth };
        data = await this.run(job, { signal, urgent: true, home });
        first = false;
        if (last) this.open.delete(stream);
      }
      if (this.failure) return;
      for (const [, { still }] of tiles) if (still) putStill(still, strip, data, channels);
      for (const [index, tile] of tiles) {
        if (this.place(index).bottom > Math.floor(strip.bottom / STRIDE) && strip.bottom < inner.bottom) continue;
        held.delete(index);
        if (!--tile.windows) this.tiles.delete(index); // nobody needs it any more
      }
      top = bottom;
      const made = { x: strip.left - this.area.left, y: strip.top - this.area.top, width: width(strip), height: height(strip), data };
      this.put(made);
      this.onPart?.({ ...made, channels, depth });
    }
    if (!--this.left) this.resolve(this.samples);
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
    for (const [stream, home] of this.open) {
      this.open.delete(stream);
      this.run({ do: 'leave', bundle: this.header.bundle, stream }, { home, urgent: true }).catch(() => {});
    }
    this.reject(this.failure);
  }

  data() {
    return this.finished;
  }
}
