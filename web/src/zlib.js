// SPDX-License-Identifier: BSD-3-Clause
// zlib streams by way of the platform's own streams, with a limit on what comes out.
import { join } from './bytes.js';
import { FormatError } from './errors.js';

async function through(bytes, transform, limit = Infinity) {
  const writer = transform.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  written.catch(() => {}); // the reader below says what is wrong
  const reader = transform.readable.getReader();
  const parts = [new Uint8Array(0)];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(parts);
    size += value.length;
    if (size > limit) {
      reader.cancel().catch(() => {});
      return null;
    }
    parts.push(value);
  }
}

/** Inflate one zlib stream without ever holding much more than `limit` bytes; FormatError, which calls it `name`. */
export async function inflate(bytes, limit, name, format = 'deflate') {
  if (bytes.length > limit + 2 ** 16) throw new FormatError(`${name} exceeds the limit of ${limit} bytes`);
  let raw;
  try {
    raw = await through(bytes, new DecompressionStream(format), limit);
  } catch {
    throw new FormatError(`damaged: ${name} is not exactly one zlib stream`);
  }
  if (!raw) throw new FormatError(`${name} inflates to more than the limit of ${limit} bytes`);
  return raw;
}

export const deflate = (bytes) => through(bytes, new CompressionStream('deflate'));
