// SPDX-License-Identifier: BSD-3-Clause
// PNG: the alpha channel of a file, and pictures for browsers, uncompressed.
import { adler32, crc32, join, view } from './bytes.js';
import { FormatError } from './errors.js';
import { inflate } from './zlib.js';

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOUR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 }; // by channels
const STORED = 65535; // most bytes of a stored block

export function ihdr(width, height, depth, channels) {
  const payload = new Uint8Array(13);
  view(payload).setUint32(0, width);
  view(payload).setUint32(4, height);
  payload.set([depth, COLOUR_TYPES[channels], 0, 0, 0], 8);
  return payload;
}

export function chunk(kind, payload) {
  const bytes = new Uint8Array(12 + payload.length);
  view(bytes).setUint32(0, payload.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = kind.charCodeAt(i);
  bytes.set(payload, 8);
  view(bytes).setUint32(bytes.length - 4, crc32(bytes.subarray(4, -4)));
  return bytes;
}

/** Rows of samples as PNG has them: big-endian, a filter type of 0 in front of each. */
function rows({ width, height, channels, data }) {
  const length = width * channels * data.BYTES_PER_ELEMENT;
  const out = new Uint8Array((length + 1) * height);
  for (let y = 0, at = 0; y < height; y++) {
    at++;
    const row = data.subarray(y * width * channels, (y + 1) * width * channels);
    if (data.BYTES_PER_ELEMENT === 1) {
      out.set(row, at);
      at += length;
    } else {
      for (let i = 0; i < row.length; i++) {
        out[at++] = row[i] >> 8;
        out[at++] = row[i];
      }
    }
  }
  return out;
}

/** A zlib stream without compression: nothing is faster to write and to read. */
function stored(raw) {
  const count = Math.max(1, Math.ceil(raw.length / STORED));
  const out = new Uint8Array(2 + 5 * count + raw.length + 4);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let i = 0; i < count; i++) {
    const block = raw.subarray(i * STORED, (i + 1) * STORED);
    const n = block.length;
    out.set([i === count - 1 ? 1 : 0, n & 255, n >> 8, ~n & 255, (~n >> 8) & 255], at);
    out.set(block, at + 5);
    at += 5 + n;
  }
  view(out).setUint32(at, adler32([raw]));
  return out;
}

/**
 * A picture as a PNG file. `samples`: {width, height, channels 1 to 4, data: Uint8Array or Uint16Array}; `icc`: a
 * profile, as a zlib stream or not at all; `cicp`: {primaries, transfer}, which readers that know them prefer.
 */
export function encodePng(samples, { icc = null, cicp = null } = {}) {
  const depth = 8 * samples.data.BYTES_PER_ELEMENT;
  const parts = [SIGNATURE, chunk('IHDR', ihdr(samples.width, samples.height, depth, samples.channels))];
  if (cicp) parts.push(chunk('cICP', Uint8Array.of(cicp.primaries, cicp.transfer, 0, 1)));
  if (icc) parts.push(chunk('iCCP', join([new TextEncoder().encode('ICC Profile\0\0'), icc])));
  parts.push(chunk('IDAT', stored(rows(samples))), chunk('IEND', new Uint8Array(0)));
  return join(parts);
}

/** The alpha channel of a file, Uint8Array or Uint16Array; FormatError unless it is a grey PNG of this size and depth. */
export async function decodeAlpha(bytes, width, height, depth) {
  const start = join([SIGNATURE, chunk('IHDR', ihdr(width, height, depth, 1))]);
  if (!start.every((byte, i) => bytes[i] === byte)) {
    throw new FormatError(`the alpha channel is damaged: not a grey PNG of ${width} x ${height} with ${depth} bits`);
  }
  const parts = [new Uint8Array(0)];
  const damaged = new FormatError('the alpha channel is damaged: a chunk of its PNG is not whole');
  for (let at = start.length; ; ) {
    if (at + 12 > bytes.length) throw damaged;
    const end = at + 12 + view(bytes).getUint32(at);
    if (end > bytes.length) throw damaged;
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, end - 4)) !== view(bytes).getUint32(end - 4)) throw damaged;
    if (kind === 'IEND') break;
    if (kind === 'IDAT') parts.push(bytes.subarray(at + 8, end - 4));
    at = end;
  }
  const pixel = depth / 8;
  const length = width * pixel;
  const raw = await inflate(join(parts), (length + 1) * height, 'the alpha channel');
  if (raw.length !== (length + 1) * height) throw new FormatError('the alpha channel is damaged: pixels are missing');
  unfilter(raw, length, height, pixel);
  const out = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let at = y * (length + 1) + 1, end = at + length; at < end; at += pixel) {
      out[to++] = depth === 8 ? raw[at] : (raw[at] << 8) | raw[at + 1];
    }
  }
  return out;
}

function unfilter(raw, length, height, pixel) {
  const stride = length + 1;
  for (let y = 0; y < height; y++) {
    const kind = raw[y * stride];
    if (kind > 4) throw new FormatError(`the alpha channel is damaged: there is no filter ${kind}`);
    for (let i = 1, at = y * stride + 1; i <= length; i++, at++) {
      const left = i > pixel ? raw[at - pixel] : 0;
      const up = y ? raw[at - stride] : 0;
      const corner = y && i > pixel ? raw[at - stride - pixel] : 0;
      if (kind === 1) raw[at] += left;
      else if (kind === 2) raw[at] += up;
      else if (kind === 3) raw[at] += (left + up) >> 1;
      else if (kind === 4) raw[at] += paeth(left, up, corner);
    }
  }
}

function paeth(left, up, corner) {
  const offLeft = Math.abs(up - corner);
  const offUp = Math.abs(left - corner);
  const offCorner = Math.abs(left + up - 2 * corner);
  if (offLeft <= offUp && offLeft <= offCorner) return left;
  return offUp <= offCorner ? up : corner;
}
