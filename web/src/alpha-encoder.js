// SPDX-License-Identifier: BSD-3-Clause
// The alpha channel on its way into a file. Loaded by who encodes.
import { join } from './bytes.js';
import { SIGNATURE, chunk, ihdr } from './png.js';
import { deflate } from './zlib.js';

/** An alpha channel (8 bits) as a file holds it: a grey PNG, each row the difference to the one above. */
export async function encodeAlpha(alpha, width, height) {
  const raw = new Uint8Array((width + 1) * height);
  for (let y = 0, at = 0, from = 0; y < height; y++) {
    raw[at++] = 2;
    for (let x = 0; x < width; x++, from++) raw[at++] = alpha[from] - (y ? alpha[from - width] : 0);
  }
  const parts = [chunk('IHDR', ihdr(width, height, 8, 1)), chunk('IDAT', await deflate(raw)), chunk('IEND', new Uint8Array(0))];
  return join([SIGNATURE, ...parts]);
}
