// SPDX-License-Identifier: BSD-3-Clause
// What EXIF data says of how a picture was taken. Nothing of it is trusted: what does not fit is left out.

const ASCII = 2;
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8 }; // bytes of a value, by type
const MOST = 1000; // entries of a directory, and characters of a text
const TAGS = {
  0x010f: 'make', 0x0110: 'model', 0x0132: 'changed', 0x8769: 'more', 0x829a: 'exposure', 0x829d: 'aperture',
  0x8827: 'iso', 0x9003: 'taken', 0x920a: 'focal', 0xa434: 'lens',
}; // prettier-ignore

const TEXTS = ['make', 'model', 'changed', 'taken', 'lens'];

/** Fields of EXIF data by the names of TAGS: texts and numbers. */
export function readExif(bytes) {
  const start = String.fromCharCode(...bytes.subarray(0, 6)) === 'Exif\0\0' ? 6 : 0;
  const data = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const found = {};
  try {
    const little = data.getUint16(0) === 0x4949;
    if (data.getUint16(2, little) === 42) directory(data, data.getUint32(4, little), little, found);
    if (found.more) directory(data, found.more, little, found);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // an offset beyond the end
  }
  return found;
}

function directory(data, at, little, found) {
  const count = Math.min(data.getUint16(at, little), MOST);
  for (let entry = at + 2; entry < at + 2 + 12 * count; entry += 12) {
    const name = TAGS[data.getUint16(entry, little)];
    const type = data.getUint16(entry + 2, little);
    if (!name || !SIZES[type] || (type === ASCII) !== TEXTS.includes(name)) continue;
    const length = Math.min(data.getUint32(entry + 4, little), MOST);
    const from = length * SIZES[type] <= 4 ? entry + 8 : data.getUint32(entry + 8, little);
    const value = type === ASCII ? text(data, from, length) : number(data, from, type, little);
    if (type === ASCII ? value : Number.isFinite(value)) found[name] = value;
  }
}

function text(data, from, length) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset + from, length);
  return new TextDecoder().decode(bytes).split('\0')[0].trim();
}

function number(data, from, type, little) {
  if (type === 3) return data.getUint16(from, little);
  if (type === 4) return data.getUint32(from, little);
  if (type === 9) return data.getInt32(from, little);
  if (type === 5) return data.getUint32(from, little) / data.getUint32(from + 4, little);
  return type === 10 ? data.getInt32(from, little) / data.getInt32(from + 4, little) : null;
}

/** The same in words, one thing each: when, with what, and how. */
export function describe({ make = '', model = '', lens, taken, changed, exposure, aperture, iso, focal }) {
  const parts = [];
  const [, year, month, day, hour, minute] = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d)/.exec(taken ?? changed ?? '') ?? [];
  if (year) parts.push(`${year}-${month}-${day} ${hour}:${minute}`);
  const brand = make.split(' ')[0];
  const camera = model.toLowerCase().startsWith(brand.toLowerCase()) ? model : `${brand} ${model}`;
  if (camera.trim()) parts.push(camera.trim());
  if (lens) parts.push(lens);
  const short = (x) => Number(x.toFixed(1)).toString();
  if (exposure > 0) parts.push(exposure < 0.4 ? `1/${Math.round(1 / exposure)} s` : `${short(exposure)} s`);
  if (aperture > 0) parts.push(`f/${short(aperture)}`);
  if (iso > 0) parts.push(`ISO ${iso}`);
  if (focal > 0) parts.push(`${short(focal)} mm`);
  return parts;
}
