// SPDX-License-Identifier: BSD-3-Clause

/** Anything that Calotype refuses to do: a sentence that says what is wrong, where, and what to do about it. */
export class CalotypeError extends Error {}
/** The data is not a `.calo` file, or is truncated, damaged, hostile, too new, or of a codec that browsers lack. */
export class FormatError extends CalotypeError {}
/** The picture, or what was asked for it, is outside of what can be stored or decoded here. */
export class PictureError extends CalotypeError {}
/** The weights that a file asks for cannot be had, or are not what they claim to be. */
export class BundleError extends CalotypeError {}

/** What a file says of itself before any pixel. */
export interface Header {
  codec: string;
  /** First 8 hexadecimal digits of the SHA-256 that names the weights. */
  bundle: string;
  width: number;
  height: number;
  channels: 1 | 3;
  depth: 8 | 16;
  alpha: boolean;
  quality: number;
  /** Side of a tile in pixels. */
  tile: number;
  /** Most layers of a layered file, 0 for others. */
  layers: number;
}

/** Interleaved samples without alpha of a part of the result. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
  channels: 1 | 3;
  depth: 8 | 16;
  data: Uint8ClampedArray | Uint16Array;
}

/** Colour by ITU-T H.273: primaries 1 sRGB, 9 BT.2020, 12 Display P3; transfer 13 sRGB, 16 PQ, 18 HLG. */
export interface CodePoints {
  primaries: number;
  transfer: number;
}

/** Interleaved samples: grey or RGB, and alpha as the last channel if there is one. */
export interface Samples {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  depth: 8 | 16;
  data: Uint8ClampedArray | Uint16Array;
  icc: Uint8Array | null;
  exif: Uint8Array | null;
  xmp: Uint8Array | null;
  /** Where there is a profile as well, they rank first. */
  cicp: CodePoints | null;
  /** 1 to 100; null of codec lossless. */
  quality: number | null;
}

export type Source = ArrayBuffer | ArrayBufferView | Blob | Response | ReadableStream<Uint8Array>;

export interface DecodeOptions {
  /** left, top, right, bottom in pixels; only the tiles that it needs are decoded. */
  region?: [number, number, number, number];
  signal?: AbortSignal;
  /** Overtake pictures that wait for their turn. */
  urgent?: boolean;
  /** Refuse larger pictures; 2^26 by default, for a small file may claim a large picture. */
  maxPixels?: number;
  /** Called once the header is there. */
  onHeader?(header: Header): void;
  /** Called with each part of the result as it comes, in any order. */
  onPart?(part: Part): void;
  /** Called with what the file tells besides its pixels, once it is whole. */
  onMetadata?(metadata: { icc: Uint8Array | null; exif: Uint8Array | null; xmp: Uint8Array | null; cicp: CodePoints | null }): void;
}

export interface EncodeOptions {
  /** 1 (smallest) to 100 (nearly lossless); 60 by default. */
  quality?: number;
  /** Instead of a quality: at most so many bytes, as near to them as it goes. */
  targetSize?: number | null;
  icc?: Uint8Array | null;
  exif?: Uint8Array | null;
  xmp?: Uint8Array | null;
  cicp?: CodePoints | null;
  signal?: AbortSignal;
}

export type Tune = 'eye' | 'psnr';
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, not premultiplied. */
  readonly data: Uint8ClampedArray;
}

/** Say where the weights are (a URL; `weights/` beside the package by default) and how many workers there may be. */
export function configure(options: { weights?: string; workers?: number }): void;

/** What the first bytes of a file (42 are enough) say of it. */
export function info(bytes: ArrayBuffer | ArrayBufferView): Header;

/**
 * Decode a file. What comes back: an ImageBitmap (colours converted by the browser, where the file has a profile), an
 * ImageData of 8-bit RGBA as stored, a Blob with a PNG of all that the file has, or the samples themselves.
 */
export function decode(source: Source, options?: DecodeOptions & { as?: 'bitmap' }): Promise<ImageBitmap>;
export function decode(source: Source, options: DecodeOptions & { as: 'data' }): Promise<ImageData>;
export function decode(source: Source, options: DecodeOptions & { as: 'png' }): Promise<Blob>;
export function decode(source: Source, options: DecodeOptions & { as: 'samples' }): Promise<Samples>;

/** Bytes of a `.calo` file. Alpha is kept without loss; a picture whose pixels are all grey is stored as grey. */
export function encode(image: Pixels, options?: EncodeOptions & { tune?: Tune }): Promise<Uint8Array>;

/** A picture after the analysis, which takes the most time and does not depend on the quality. */
export interface Analysis {
  encode(options?: EncodeOptions): Promise<Uint8Array>;
}
export function analyse(image: Pixels, options?: { tune?: Tune; signal?: AbortSignal }): Promise<Analysis>;

/** Let workers start and load the weights of a tuning ahead of the first picture. */
export function warm(tune?: Tune, options?: { encoder?: boolean }): Promise<void>;

/** Register `service-worker.js`, served from this site, so that `<img src="x.calo">` works. */
export function registerServiceWorker(
  url: string,
  options?: { weights?: string; scope?: string },
): Promise<ServiceWorkerRegistration>;
