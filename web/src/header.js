// SPDX-License-Identifier: BSD-3-Clause
// How a `.calo` file begins: signature, version, header box. docs/format.md has the byte table.
import { hex, unhex, view } from './bytes.js';
import { FormatError } from './errors.js';
import { MAX_PIXELS, MAX_SIDE, MAX_TILES, SIGNATURE, SMALLEST_TILE, VERSION } from './limits.js';

const FIXED = 11; // bytes of the payload before layers and codec

/**
 * @typedef {object} Header What a file says of itself before any payload.
 * @property {string} codec
 * @property {string} bundle the first 4 bytes of the SHA-256 of the weights, 8 hexadecimal digits
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {1|3} channels
 * @property {8|16} depth bits of a sample
 * @property {boolean} alpha
 * @property {number} quality as stored: 256 times what people say
 * @property {number} tile side of a tile in pixels
 * @property {number} layers most layers of a layered file, 0 for others
 */

export const tilesAcross = (header) => Math.ceil(header.width / header.tile);
export const tileCount = (header) => tilesAcross(header) * Math.ceil(header.height / header.tile);
export const boxCount = (header) => tileCount(header) * Math.max(header.layers, 1);

/** FormatError if the bytes at hand are not how a file begins; true as soon as signature and version are there. */
export function checkSignature(bytes, whole) {
  const size = SIGNATURE.length + 1;
  const start = bytes.subarray(0, size);
  for (let i = 0; i < Math.min(start.length, SIGNATURE.length); i++) {
    if (start[i] !== SIGNATURE[i]) throw new FormatError(wrongSignature(bytes.subarray(0, 12)));
  }
  if (start.length < size) {
    if (!whole) return false;
    if (!start.length) throw new FormatError('the file is empty');
    throw new FormatError(`truncated: the file has ${start.length} bytes, its signature alone takes ${size}`);
  }
  const version = start[size - 1];
  if (version > VERSION) {
    throw new FormatError(
      `format version ${version} (byte ${size - 1}) is newer than ${VERSION}, the newest that this Calotype reads: upgrade`,
    );
  }
  if (version < VERSION) throw new FormatError(`damaged: there is no format version ${version} (byte ${size - 1})`);
  return true;
}

function wrongSignature(start) {
  const digits = (bytes) => Array.from(bytes, (b) => hex([b])).join(' ');
  const seen = digits(start.subarray(0, SIGNATURE.length));
  const wanted = digits(SIGNATURE);
  const text = String.fromCharCode(...start);
  if (/^(\x89CALO(\n|\r\r|\r\x01)|(\x09|\?|\xc2\x89|\xef\xbf\xbd)CALO)/.test(text)) {
    return (
      `damaged by a transfer in text mode: the file begins with ${seen} instead of ${wanted}; ` +
      'transfer the original again in binary mode'
    );
  }
  if (text.includes('CALO') || text.slice(5, 7) === '\r\n') {
    return `damaged: the file begins with ${seen} instead of the signature ${wanted}`;
  }
  return `not a .calo file: it begins with ${seen} instead of ${wanted}`;
}

/** The header in the payload of the box at `offset`; FormatError if a value is outside of the limits. */
export function parseHeader(payload, offset) {
  if (payload.length <= FIXED) throw new FormatError(`damaged: the header at byte ${offset} has only ${payload.length} bytes`);
  const fields = view(payload);
  const format = payload[4];
  const layered = Boolean(format & 8);
  const header = {
    codec: String.fromCharCode(...payload.subarray(layered ? FIXED + 1 : FIXED, FIXED + 18)),
    bundle: hex(payload.subarray(7, 11)),
    width: fields.getUint16(0, true),
    height: fields.getUint16(2, true),
    channels: format & 1 ? 3 : 1,
    depth: format & 2 ? 16 : 8,
    alpha: Boolean(format & 4),
    quality: fields.getUint16(5, true),
    tile: SMALLEST_TILE << (format >> 4),
    layers: layered ? payload[FIXED] : 0,
  };
  const complaint = layered && !header.layers ? 'a layered file of 0 layers' : complain(header);
  if (complaint) throw new FormatError(`the header at byte ${offset} is not valid: ${complaint}`);
  return header;
}

/** Which limit of the format a header breaks, if any: the same rules for writing and for reading. */
export function complain({ width, height, tile, layers, codec }) {
  if (!(width >= 1 && width <= MAX_SIDE && height >= 1 && height <= MAX_SIDE)) {
    return `the picture is ${width} x ${height} pixels, a side must have 1 to ${MAX_SIDE}`;
  }
  if (width * height > MAX_PIXELS) {
    return `the picture has ${width} x ${height} = ${width * height} pixels, the limit is ${MAX_PIXELS}`;
  }
  if (tile > 32768) return `a tile of ${tile} pixels is not a power of two from ${SMALLEST_TILE} to 32768`;
  const tiles = tileCount({ width, height, tile });
  if (tiles * Math.max(layers, 1) > MAX_TILES) return `${layers} layers of ${tiles} tiles are more than ${MAX_TILES} boxes`;
  if (!/^[a-z0-9-]{1,16}$/.test(codec)) return `codec id ${JSON.stringify(codec)} is not 1 to 16 of the characters a-z, 0-9 and -`;
  return null;
}

/** The payload of the header box of a file that is not layered. */
export function headerPayload(header) {
  const payload = new Uint8Array(FIXED + header.codec.length);
  const fields = view(payload);
  fields.setUint16(0, header.width, true);
  fields.setUint16(2, header.height, true);
  payload[4] =
    (header.channels === 3 ? 1 : 0) |
    (header.depth === 16 ? 2 : 0) |
    (header.alpha ? 4 : 0) |
    (Math.log2(header.tile / SMALLEST_TILE) << 4);
  fields.setUint16(5, header.quality, true);
  payload.set(unhex(header.bundle), 7);
  payload.set(new TextEncoder().encode(header.codec), FIXED);
  return payload;
}
