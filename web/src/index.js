// SPDX-License-Identifier: BSD-3-Clause
// Decode and encode `.calo` files in a browser. Types: index.d.ts.
import { Reader } from './container.js';
import { DEFAULT_MAX_PIXELS, decodeFile } from './decoding.js';
import { analyse as analysePicture } from './encoding.js';
import { PictureError } from './errors.js';
import { needsPng, toRgba, withAlpha } from './picture.js';
import { Pool } from './pool.js';
import { fromStored } from './quality.js';
import { Weights } from './weights.js';

export { BundleError, CalotypeError, FormatError, PictureError } from './errors.js';

const TUNINGS = { eye: 'talbot-eye', psnr: 'talbot' };
const MOST_WORKERS = 4; // of about 100 MB each

const settings = {
  weights: new URL('../weights/', import.meta.url).href,
  workers: Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, MOST_WORKERS),
};
let pool = null;
let weights = null;

/** Say where the weights are (a URL) and how many workers there may be, before anything is decoded. */
export function configure({ weights: base, workers } = {}) {
  if (base) settings.weights = new URL(base.endsWith('/') ? base : `${base}/`, globalThis.location?.href).href;
  if (workers) settings.workers = workers;
  pool?.close();
  pool = weights = null;
}

/** The workers for a picture, which has the same ones to its end: then they are to be released. */
function workers() {
  const held = (pool ??= new Pool(settings.workers, settings.weights));
  held.users++;
  return { run: (job, options) => held.run(job, options), parallel: held.size, release: () => held.release() };
}

async function bundle(tune) {
  if (!TUNINGS[tune]) throw new PictureError(`there is no tuning '${tune}'; there are: ${Object.keys(TUNINGS).join(', ')}`);
  weights ??= new Weights(settings.weights);
  return weights.tag(TUNINGS[tune]);
}

/** A header with the quality as people say it. */
const told = ({ quality, ...header }) => ({ ...header, quality: quality / 256 });

/** What the first bytes of a file say of it; FormatError if it is not one. */
export function info(bytes) {
  const reader = new Reader();
  reader.push(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength));
  if (!reader.header) reader.finish();
  return told(reader.header);
}

/** Decode a file; see index.d.ts. */
export async function decode(source, { as = 'bitmap', onHeader, onMetadata, ...options } = {}) {
  const { run, parallel, release } = workers();
  try {
    return await decoded(source, { as, onHeader, onMetadata, ...options }, run, parallel);
  } finally {
    release();
  }
}

async function decoded(source, { as, onHeader, onMetadata, ...options }, run, parallel) {
  const say = onHeader && ((header) => onHeader(told(header)));
  const picture = await decodeFile(source, { maxPixels: DEFAULT_MAX_PIXELS, ...options, onHeader: say, run, parallel });
  onMetadata?.({ icc: picture.icc, exif: picture.exif, xmp: picture.xmp, cicp: picture.cicp });
  if (as === 'samples') {
    const { header, icc, exif, xmp, cicp, depth } = picture;
    return { ...withAlpha(picture), depth, icc, exif, xmp, cicp, quality: header.quality ? fromStored(header.quality) : null };
  }
  if (as === 'data' || (as === 'bitmap' && !needsPng(picture))) {
    const data = new ImageData(toRgba(picture), picture.width, picture.height);
    return as === 'data' ? data : createImageBitmap(data);
  }
  const png = await run({ do: 'png', samples: withAlpha(picture), icc: picture.iccStream, cicp: picture.cicp }, { urgent: true });
  const blob = new Blob([png], { type: 'image/png' });
  return as === 'png' ? blob : createImageBitmap(blob);
}

/** Analyse a picture once, to encode it at several qualities. */
export async function analyse(image, { tune = 'eye', signal = null } = {}) {
  const { run, release } = workers();
  try {
    return await analysePicture(image, { run, bundle: await bundle(tune), signal });
  } finally {
    release();
  }
}

/** Encode a picture; see index.d.ts. */
export async function encode(image, { tune = 'eye', ...options } = {}) {
  return (await analyse(image, { tune, signal: options.signal })).encode(options);
}

/** Let workers start and load the weights of a tuning before there is anything to decode, or to encode. */
export async function warm(tune = 'eye', { encoder = false } = {}) {
  const { run, parallel, release } = workers();
  try {
    const tag = await bundle(tune);
    await Promise.all(Array.from({ length: parallel }, () => run({ do: 'warm', bundle: tag, encoder })));
  } finally {
    release();
  }
}

/** Let `<img src="x.calo">` work from the next load of the page on, or at once if the worker is there already. */
export async function registerServiceWorker(url, { weights: base = settings.weights, scope } = {}) {
  const script = new URL(url, globalThis.location.href);
  script.searchParams.set('weights', base);
  return navigator.serviceWorker.register(script, { type: 'module', ...(scope && { scope }) });
}
