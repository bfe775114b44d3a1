// SPDX-License-Identifier: BSD-3-Clause
// From pixels to a file: the analysis, which does not depend on the quality, and then the coding at one or several.
import { pack } from './container.js';
import { PictureError } from './errors.js';
import { coarser, grid, grown, height, width } from './geometry.js';
import { MAX_PIXELS } from './limits.js';
import { fromStored, toStored } from './quality.js';
import { HALO, STRIDE, TILE } from './talbot.js';

const SIDE = TILE / STRIDE;
const LOWEST = toStored(1);
const HIGHEST = toStored(100);

/** A picture after the analysis: `encode` it at any quality. */
export class Analysis {
  constructor(header, tiles, alpha, run) {
    Object.assign(this, { header, tiles, alpha, run });
  }

  /**
   * Bytes of a file.
   * @param options quality 1 to 100 or targetSize (at most so many bytes); icc, exif, xmp: bytes; cicp; signal
   */
  async encode({ quality = 60, targetSize = null, signal = null, ...metadata } = {}) {
    const at = (stored) => this.file(stored, metadata, signal);
    return targetSize === null ? at(toStored(quality)) : toSize(at, targetSize);
  }

  async file(quality, metadata, signal) {
    const header = { ...this.header, quality };
    const jobs = this.tiles.map(({ area, data }) =>
      this.run({ do: 'code', bundle: header.bundle, latents: data.slice(), h: height(area), w: width(area), quality }, { signal }),
    );
    const { icc, exif, xmp, cicp } = metadata;
    return pack({ header, tiles: await Promise.all(jobs), alpha: this.alpha, icc, exif, xmp, cicp });
  }

  /** The quality of a file that this made, 1 to 100. */
  static quality(header) {
    return fromStored(header.quality);
  }
}

/** The largest file of at most `target` bytes: the logarithm of the size is about linear in the quality. */
async function toSize(encode, target) {
  if (!(target >= 1)) throw new PictureError(`targetSize should be a number of bytes, from 1 on, not ${target}`);
  let low = { stored: LOWEST, file: await encode(LOWEST) };
  if (low.file.length > target) {
    throw new PictureError(
      `${target} bytes cannot be reached: at the lowest quality this picture takes ${low.file.length}`,
    );
  }
  let high = { stored: HIGHEST, file: await encode(HIGHEST) };
  if (high.file.length <= target) return high.file;
  for (let i = 0; i < 12 && high.stored - low.stored > 1 && low.file.length < 0.995 * target; i++) {
    const [a, b] = [Math.log(low.file.length), Math.log(high.file.length)];
    const share = i % 3 === 2 ? 0.5 : (Math.log(target) - a) / (b - a);
    const stored = Math.min(Math.max(Math.round(low.stored + share * (high.stored - low.stored)), low.stored + 1), high.stored - 1);
    const tried = { stored, file: await encode(stored) };
    if (tried.file.length <= target) low = tried;
    else high = tried;
  }
  return low.file;
}

/**
 * Analyse a picture.
 * @param image {width, height, data: RGBA} as ImageData has them
 * @param options run: does a job; bundle: tag of the weights; signal
 */
export async function analyse(image, { run, bundle, signal = null }) {
  const { width: W, height: H, data } = image;
  if (!(W >= 1 && H >= 1) || W > 65535 || H > 65535 || W * H > MAX_PIXELS || data?.length !== 4 * W * H) {
    throw new PictureError(`the picture is ${W} x ${H} pixels with ${data?.length} samples, which cannot be stored`);
  }
  if (data.BYTES_PER_ELEMENT !== 1) throw new PictureError('samples are bytes: get the picture as ImageData of 8 bits');
  const picture = { left: 0, top: 0, right: W, bottom: H };
  const lattice = coarser(picture, STRIDE);
  const tiles = grid(lattice, SIDE).map(({ area }) => ({ area, data: null }));
  const windows = grid(picture, TILE).map(async ({ area }, index) => {
    const seen = grown(area, HALO * STRIDE, picture);
    const kept = coarser(area, STRIDE);
    const inner = { x: kept.left - seen.left / STRIDE, y: kept.top - seen.top / STRIDE, width: width(kept), height: height(kept) };
    const job = { do: 'analyse', bundle, width: width(seen), height: height(seen), inner };
    tiles[index].data = await run({ ...job, pixels: cutPixels(data, W, seen) }, { signal });
  });
  const { grey, alpha } = look(data);
  const coded = alpha && run({ do: 'encodeAlpha', alpha, width: W, height: H }, { signal });
  await Promise.all([...windows, coded]);
  const header = { codec: 'talbot', bundle, width: W, height: H, channels: grey ? 1 : 3, depth: 8, tile: TILE, layers: 0 };
  return new Analysis(header, tiles, (await coded) || null, run);
}

function cutPixels(data, W, area) {
  const rows = height(area);
  const length = 4 * width(area);
  const out = new Uint8ClampedArray(rows * length);
  for (let y = 0; y < rows; y++) {
    const from = 4 * ((area.top + y) * W + area.left);
    out.set(data.subarray(from, from + length), y * length);
  }
  return out;
}

/** Whether all pixels are grey, and the alpha channel if one is not opaque. */
function look(data) {
  let grey = true;
  let opaque = true;
  for (let i = 0; i < data.length && (grey || opaque); i += 4) {
    grey &&= data[i] === data[i + 1] && data[i] === data[i + 2];
    opaque &&= data[i + 3] === 255;
  }
  const alpha = opaque ? null : Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3]);
  return { grey, alpha };
}
