// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import test from 'node:test';
import { describe, readExif } from '../demo/exif.js';

/** EXIF data with a make, a model, and a directory with a time, an exposure, an aperture and a speed. */
function sample(little) {
  const bytes = new Uint8Array(200);
  const data = new DataView(bytes.buffer);
  const short = (at, x) => data.setUint16(at, x, little);
  const long = (at, x) => data.setUint32(at, x, little);
  const text = (at, x) => bytes.set(new TextEncoder().encode(`${x}\0`), at);
  const entry = (at, tag, type, count, value) => {
    short(at, tag);
    short(at + 2, type);
    long(at + 4, count);
    if (type === 3) short(at + 8, value);
    else long(at + 8, value);
  };
  text(0, little ? 'II' : 'MM');
  short(2, 42);
  long(4, 8);
  short(8, 3);
  entry(10, 0x010f, 2, 6, 100);
  entry(22, 0x0110, 2, 9, 110);
  entry(34, 0x8769, 4, 1, 50);
  short(50, 3);
  entry(52, 0x9003, 2, 20, 120);
  entry(64, 0x829a, 5, 1, 150);
  entry(76, 0x8827, 3, 1, 400);
  text(100, 'NIKON');
  text(110, 'NIKON D7');
  text(120, '2025:06:01 10:11:12');
  long(150, 1);
  long(154, 250);
  return bytes;
}

test('EXIF of either byte order is told in words', () => {
  for (const little of [true, false]) {
    const words = ['2025-06-01 10:11', 'NIKON D7', '1/250 s', 'ISO 400'];
    assert.deepEqual(describe(readExif(sample(little))), words);
    const marked = Uint8Array.of(...new TextEncoder().encode('Exif\0\0'), ...sample(little));
    assert.deepEqual(describe(readExif(marked)), words);
  }
});

test('EXIF that is cut short, or nonsense, is no error', () => {
  const whole = sample(true);
  for (let size = 0; size < whole.length; size++) describe(readExif(whole.slice(0, size)));
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 1, 127, 255]) {
      const changed = whole.slice();
      changed[at] = value;
      describe(readExif(changed));
    }
  }
  assert.deepEqual(describe({}), []);
});
