// SPDX-License-Identifier: BSD-3-Clause
// What the browser itself makes of a picture at no more than a number of bytes: JPEG, WebP, and AVIF where it can.

export const RIVALS = { jpeg: 'JPEG', webp: 'WebP', avif: 'AVIF' };

const blobOf = (canvas, type, quality) => canvas.convertToBlob({ type: `image/${type}`, quality });

/** The formats that this browser can write. */
export async function available() {
  const canvas = new OffscreenCanvas(1, 1);
  canvas.getContext('2d').fillRect(0, 0, 1, 1);
  const found = [];
  for (const type of Object.keys(RIVALS)) {
    const blob = await blobOf(canvas, type, 0.5).catch(() => null);
    if (blob?.type === `image/${type}`) found.push(type);
  }
  return found;
}

/** The best file of at most `bytes`, or the smallest there is: {blob, quality}. */
export async function rival(image, type, bytes, signal) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d').putImageData(image, 0, 0);
  const at = async (percent) => ({ percent, blob: await blobOf(canvas, type, percent / 100) });
  let low = await at(0);
  let top = 101; // the first that is known to be too large
  while (top - low.percent > 1 && low.blob.size <= bytes) {
    signal?.throwIfAborted();
    const tried = await at(Math.floor((low.percent + top) / 2));
    if (tried.blob.size <= bytes) low = tried;
    else top = tried.percent;
  }
  return { blob: low.blob, quality: low.percent };
}
