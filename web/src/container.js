// SPDX-License-Identifier: BSD-3-Clause
// The `.calo` file, version 1, read as its bytes arrive, and written. docs/format.md is the specification; the
// sentences of errors are those of calotype/container.
import { crc32, hex, join, view } from './bytes.js';
import { FormatError, PictureError } from './errors.js';
import { boxCount, checkSignature, complain, headerPayload, parseHeader, tileCount } from './header.js';
import { MAX_METADATA, MAX_UNKNOWN_BOXES, SIGNATURE, VERSION } from './limits.js';
import { deflate, inflate } from './zlib.js';

const NAMES = { H: 'header', c: 'colour profile', e: 'EXIF data', x: 'XMP data', n: 'colour code points', A: 'alpha channel', T: 'tile', E: 'end box' };
const seed = (index) => (index ^ 0xffffffff) >>> 0; // the register of a tile's CRC starts at its index

/** Reads a file as its bytes arrive. Nothing is allocated by what a file claims, only by what has come. */
export class Reader {
  constructor() {
    this.bytes = new Uint8Array(0); // what has come, with room behind it
    this.size = 0; // bytes that have come
    this.at = 0; // where the next box begins
    this.header = null;
    this.metadata = {}; // by type, as stored: deflated, but for code points
    this.alpha = null;
    this.next = 0; // index of the tile that should follow
    this.unknown = 0;
    this.ended = false;
  }

  /** Take more bytes; returns the payloads of tiles that are whole now, in order. FormatError if something is wrong. */
  push(chunk) {
    if (this.size + chunk.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.size + chunk.length));
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.size);
    this.size += chunk.length;
    return this.read(false);
  }

  /** Say that no more bytes come; returns the last tiles. FormatError unless the file is whole. */
  finish() {
    const tiles = this.read(true);
    const { header, next } = this;
    if (next < (header.layers ? 1 : tileCount(header))) {
      throw new FormatError(`damaged: ${this.expected()} is missing, the end box stands before byte ${this.at}`);
    }
    if (header.alpha && !this.alpha) {
      throw new FormatError(`damaged: the alpha channel is missing, the picture ends at byte ${this.at} without it`);
    }
    return tiles;
  }

  /** Profile, EXIF, XMP and colour code points: {icc, exif, xmp, cicp}, each or null. FormatError if one is damaged or too large. */
  async front() {
    const found = { cicp: codePoints(this.metadata.n) };
    for (const [kind, name] of [['c', 'icc'], ['e', 'exif'], ['x', 'xmp']]) {
      const payload = this.metadata[kind];
      found[name] = payload ? await inflate(payload, MAX_METADATA, `the ${NAMES[kind]}`) : null;
    }
    return found;
  }

  read(whole) {
    const tiles = [];
    const bytes = this.bytes.subarray(0, this.size);
    if (!this.at) {
      if (!checkSignature(bytes, whole)) return tiles;
      this.at = SIGNATURE.length + 1;
    }
    while (!this.ended) {
      const box = this.box(bytes, whole);
      if (!box) return tiles;
      this.take(box, bytes.subarray(box.start, box.stop), tiles);
      this.at = box.stop + 4;
    }
    if (this.at < bytes.length) {
      throw new FormatError(`${bytes.length - this.at} bytes follow the end of the picture at byte ${this.at}`);
    }
    return tiles;
  }

  /** The next box, its CRC checked, or null if it is not whole yet. */
  box(bytes, whole) {
    const { at } = this;
    const size = bytes.length;
    if (at >= size) {
      if (whole) throw new FormatError(`truncated: ${this.expected()} is missing, the file ends at byte ${size}`);
      return null;
    }
    const kind = String.fromCharCode(bytes[at]);
    if (!this.header && kind !== 'H') {
      throw new FormatError(`damaged: byte ${at} should begin the header ('H') but is 0x${hex([bytes[at]])}`);
    }
    if (!/[A-Za-z]/.test(kind)) {
      throw new FormatError(`damaged: byte ${at} should begin a box (${this.expected()}) but is 0x${hex([bytes[at]])}`);
    }
    if (kind === 'T' && this.next === boxCount(this.header)) {
      throw new FormatError(`damaged: the tile at byte ${at} is one more than the ${this.next} of the picture`);
    }
    let length = 0;
    let start = at + 1;
    for (;;) { // LEB128 in its shortest form
      if (start >= size) {
        if (whole) throw new FormatError(`truncated: the file ends at byte ${size}, within the length of a box`);
        return null;
      }
      const byte = bytes[start++];
      length |= (byte & 127) << (7 * (start - at - 2));
      const last = !(byte & 128);
      if ((last && !byte && start > at + 2) || (!last && start === at + 5)) {
        throw new FormatError(`damaged: the length of the box at byte ${at} (${this.expected()}) is not valid`);
      }
      if (last) break;
    }
    const stop = start + length;
    const name = this.name(kind);
    if (stop + 4 > size) {
      if (whole) throw new FormatError(`truncated: ${name} ends at byte ${stop + 4} but the file has ${size} bytes`);
      return null;
    }
    const crc = crc32(bytes.subarray(at, stop), kind === 'T' ? seed(this.next) : 0);
    if (crc !== view(bytes).getUint32(stop, true)) {
      if (kind === 'T') throw new FormatError(`${name} at byte ${at} is damaged or out of place: its CRC-32 does not match`);
      throw new FormatError(`damaged: ${name} (bytes ${at} to ${stop + 3}) does not match its CRC-32`);
    }
    return { kind, at, start, stop };
  }

  /** Take a box whose CRC is right. FormatError if it may not stand here. */
  take({ kind, at }, payload, tiles) {
    const { header } = this;
    if (kind === 'H') {
      if (header) throw new FormatError(`damaged: a second header stands at byte ${at}`);
      this.header = parseHeader(payload, at);
    } else if (kind === 'T') {
      tiles.push(payload);
      this.next++;
    } else if (kind === 'E') {
      if (payload.length) throw new FormatError(`damaged: the end box at byte ${at} must be empty`);
      this.ended = true;
    } else if (NAMES[kind]) {
      if (kind === 'A' ? this.alpha : this.metadata[kind]) {
        throw new FormatError(`damaged: ${this.name(kind)} stands a second time at byte ${at}`);
      }
      if (this.next || this.alpha) throw new FormatError(`damaged: ${this.name(kind)} at byte ${at} must stand further ahead`);
      if (kind !== 'A') this.metadata[kind] = payload.slice();
      else if (header.alpha) this.alpha = payload.slice();
      else throw new FormatError(`damaged: an alpha channel stands at byte ${at}, the header knows of none`);
    } else if (kind < 'a') {
      throw new FormatError(
        `box '${kind}' at byte ${at} is unknown and critical: a newer Calotype wrote this file, upgrade to read it`,
      );
    } else if (++this.unknown > MAX_UNKNOWN_BOXES) {
      throw new FormatError(
        `box '${kind}' at byte ${at} is one more than the limit of ${MAX_UNKNOWN_BOXES} unknown boxes`,
      );
    }
  }

  /** What to call a box of this type, were it the next one. */
  name(kind) {
    if (kind !== 'T') return NAMES[kind] ? `the ${NAMES[kind]}` : `box '${kind}'`;
    const count = tileCount(this.header);
    const name = `tile ${(this.next % count) + 1} of ${count}`;
    return this.header.layers ? `layer ${Math.floor(this.next / count) + 1}, ${name}` : name;
  }

  /** What to call the box that should follow, or is missing if the file ends here. */
  expected() {
    if (!this.header) return 'the header';
    if (this.header.alpha && !this.alpha && !this.next) return this.name('A');
    return this.name(this.next < boxCount(this.header) ? 'T' : 'E');
  }
}

/** Primaries and transfer by H.273, {primaries, transfer}, or null. FormatError unless they stand as in PNG's cICP. */
function codePoints(payload) {
  if (!payload) return null;
  if (payload.length !== 4 || payload[2] !== 0 || payload[3] !== 1) {
    throw new FormatError(`damaged: the ${NAMES.n} are not primaries, transfer, 0 and 1`);
  }
  return { primaries: payload[0], transfer: payload[1] };
}

/** A whole file as its parts: {header, tiles, alpha, icc, exif, xmp, cicp}. Every byte is checked. */
export async function unpack(bytes) {
  const reader = new Reader();
  const tiles = [...reader.push(bytes), ...reader.finish()];
  return { header: reader.header, tiles, alpha: reader.alpha, ...(await reader.front()) };
}

function box(kind, payload, crc = 0) {
  const start = [kind.charCodeAt(0)];
  let length = payload.length;
  for (; length > 127; length >>= 7) start.push((length & 127) | 128);
  start.push(length);
  const bytes = join([Uint8Array.from(start), payload, new Uint8Array(4)]);
  view(bytes).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4), crc), true);
  return bytes;
}

/** A file from its parts. PictureError if one exceeds the limits of the format. */
export async function pack({ header, tiles, alpha = null, icc = null, exif = null, xmp = null, cicp = null }) {
  const complaint = complain(header);
  if (complaint) throw new PictureError(complaint);
  const parts = [SIGNATURE, Uint8Array.of(VERSION), box('H', headerPayload({ ...header, alpha: alpha !== null }))];
  for (const [kind, raw] of [['c', icc], ['e', exif], ['x', xmp]]) {
    if (!raw) continue;
    const payload = await deflate(raw);
    if (Math.max(raw.length, payload.length) > MAX_METADATA) {
      throw new PictureError(`the ${NAMES[kind]} has ${raw.length} bytes, the limit is ${MAX_METADATA}: strip it`);
    }
    parts.push(box(kind, payload));
  }
  if (cicp && ![cicp.primaries, cicp.transfer].every((n) => Number.isInteger(n) && n >= 0 && n <= 255)) {
    throw new PictureError(`the ${NAMES.n} are whole numbers from 0 to 255, not ${cicp.primaries} and ${cicp.transfer}`);
  }
  if (cicp) parts.push(box('n', Uint8Array.of(cicp.primaries, cicp.transfer, 0, 1)));
  if (alpha) parts.push(box('A', alpha));
  tiles.forEach((tile, index) => parts.push(box('T', tile, seed(index))));
  return join([...parts, box('E', new Uint8Array(0))]);
}
