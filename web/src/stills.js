// SPDX-License-Identifier: BSD-3-Clause
// The stills inside tiles, by the browser's own decoders, and samples as they are.
import { view } from './bytes.js';
import { FormatError } from './errors.js';

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** Title, media type, width and height of a file, as it begins; FormatError for one that browsers cannot decode. */
function kind(bytes) {
  if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 16) === 'WEBPVP8L' && bytes.length > 25) {
    const bits = view(bytes).getUint32(21, true);
    return ['WebP', 'image/webp', (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
  }
  if (text(bytes, 1, 4) === 'PNG' && bytes.length > 32) {
    return ['PNG', 'image/png', view(bytes).getUint32(16), view(bytes).getUint32(20)];
  }
  if (text(bytes, 4, 8) === 'ftyp') {
    const at = text(bytes, 0, Math.min(bytes.length, 1024)).indexOf('ispe');
    if (at > 0 && at + 16 <= bytes.length) return ['AVIF', 'image/avif', view(bytes).getUint32(at + 8), view(bytes).getUint32(at + 12)];
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    throw new FormatError('it keeps a JPEG: get that by the command calotype extract, and let the browser show it');
  }
  if ((bytes[0] === 0xff && bytes[1] === 0x0a) || text(bytes, 4, 8) === 'JXL ') {
    throw new FormatError('it holds a JPEG XL, which cannot be decoded in browsers; use the command calotype decode');
  }
  throw new FormatError('the file inside is not a AVIF, WebP, PNG or JPEG XL');
}

/**
 * Samples of a still of width x height pixels, interleaved, 1 or 3 channels; FormatError if it is none of that size, or
 * this browser cannot decode it to the sample.
 */
export async function decodeStill({ bytes, width, height, channels, depth }) {
  const [title, type, ...sides] = kind(bytes);
  if (sides[0] !== width || sides[1] !== height) {
    throw new FormatError(`the ${title} inside is ${sides[0]} x ${sides[1]} pixels, not ${width} x ${height}`);
  }
  if (depth !== 8) {
    throw new FormatError(`it holds a ${title} of ${depth} bits, which browsers cannot decode without a loss; use the command calotype decode`);
  }
  if (!globalThis.createImageBitmap || !globalThis.OffscreenCanvas) {
    throw new FormatError(`it holds a ${title}, which only browsers with an OffscreenCanvas decode; use the command calotype decode`);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes], { type }), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch {
    throw new FormatError(`the ${title} inside is damaged, or this browser does not know the format`);
  }
  if (bitmap.width !== width || bitmap.height !== height) throw new FormatError(`the ${title} inside has another size than it says`);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const out = new Uint8ClampedArray(width * height * channels);
  for (let from = 0, to = 0; to < out.length; from += 4, to += channels) {
    for (let c = 0; c < channels; c++) out[to + c] = data[from + (channels === 1 ? 1 : c)];
  }
  return out;
}

/** Samples that stand in a tile as they are; FormatError unless they are just as many. */
export function rawSamples({ bytes, width, height, channels, depth }) {
  const wanted = (width * height * channels * depth) / 8;
  if (bytes.length !== wanted) throw new FormatError(`the tile has ${bytes.length} bytes of samples, not ${wanted}`);
  if (depth === 8) return Uint8ClampedArray.from(bytes);
  return Uint16Array.from({ length: wanted / 2 }, (_, i) => bytes[2 * i] | (bytes[2 * i + 1] << 8));
}
