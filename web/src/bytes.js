// SPDX-License-Identifier: BSD-3-Clause
// Bytes: checksums, hexadecimal digits, joining.

export const CRC = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/** zlib's crc32(bytes, value). */
export function crc32(bytes, value = 0) {
  let c = ~value;
  for (let i = 0; i < bytes.length; i++) c = CRC[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

/** zlib's adler32 of several pieces, one behind the other. */
export function adler32(pieces) {
  let a = 1;
  let b = 0;
  for (const bytes of pieces) {
    for (let i = 0; i < bytes.length; ) {
      const end = Math.min(i + 5552, bytes.length); // the most before 32 bits overflow
      for (; i < end; i++) b += a += bytes[i];
      a %= 65521;
      b %= 65521;
    }
  }
  return ((b << 16) | a) >>> 0;
}

export const hex = (bytes) => Array.from(bytes, (x) => x.toString(16).padStart(2, '0')).join('');
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (x) => parseInt(x, 16));
export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Typed arrays of one type, one behind the other. */
export function join(parts) {
  const all = new parts[0].constructor(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
