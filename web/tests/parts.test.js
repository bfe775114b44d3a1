// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import zlib from 'node:zlib';
import { adler32, crc32 } from '../src/bytes.js';
import { Engine } from '../src/engine.js';
import { strips, windows } from '../src/geometry.js';
import { encodeAlpha } from '../src/alpha-encoder.js';
import { decodeAlpha, encodePng } from '../src/png.js';
import { roundEven } from '../src/quality.js';
import { Encoder } from '../src/rans-encoder.js';
import { Decoder, Tables } from '../src/rans.js';
import { digest, sha256 } from '../src/sha256.js';
import { inflate } from '../src/zlib.js';
import { compile } from './local.js';

/** A source of whole numbers below n, the same in every run. */
function random(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

test('checksums and hashes are the standard ones', async () => {
  const digits = new TextEncoder().encode('123456789');
  assert.equal(crc32(digits), 0xcbf43926);
  assert.equal(adler32([digits]), 0x091e01de);
  for (const size of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const bytes = crypto.randomBytes(size);
    const expected = crypto.createHash('sha256').update(bytes).digest('hex');
    assert.equal(Buffer.from(digest(bytes)).toString('hex'), expected);
    assert.equal(await sha256(bytes), expected);
  }
});

test('halves are rounded to the even neighbour', () => {
  assert.deepEqual([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, -0.51].map(roundEven).map((x) => x + 0), [-2, -2, 0, 0, 2, 2, 0, -1]);
});

test('symbols come back, escapes among them, and no bits are wasted', async () => {
  const engine = await Engine.open(null, await compile(false));
  const next = random(5);
  const limits = Int32Array.of(0, 2, 5);
  const table = (n, peak) => {
    const frequencies = Array(n).fill(2000);
    frequencies[peak] += 2 ** 24 - 2000 * n;
    return frequencies;
  };
  const tables = new Tables(limits, Int32Array.from([...table(6, 2), ...table(12, 5)]));
  for (let round = 0; round < 50; round++) {
    const levels = Uint8Array.from({ length: next(400) }, () => next(3));
    const symbols = Int32Array.from(levels, (level) => (level === 0 ? 0 : next(20) ? next(5) - 2 : next(2 ** 24) - 2 ** 23));
    const encoder = new Encoder(tables);
    encoder.encode(symbols, levels);
    const bytes = encoder.finish();
    const decoder = new Decoder(engine, tables, bytes.subarray(2));
    assert.deepEqual(decoder.decode(levels), symbols);
    assert.equal(decoder.finish(), bytes[0] | (bytes[1] << 8));
    decoder.end();
  }
  assert.throws(() => new Decoder(engine, tables, new Uint8Array(3)), /whole number of 32-bit words/);
  assert.throws(() => new Decoder(engine, tables, new Uint8Array(4)), /ends in an empty word/);
  assert.throws(() => new Tables(limits, new Int32Array(18)), /does not sum/);
});

test('alpha channels survive, and damaged ones are refused', async () => {
  const next = random(3);
  const alpha = Uint8Array.from({ length: 35 }, () => next(256));
  const png = await encodeAlpha(alpha, 7, 5);
  assert.deepEqual(await decodeAlpha(png, 7, 5, 8), alpha);
  await assert.rejects(decodeAlpha(png, 8, 5, 8), /not a grey PNG of 8 x 5/);
  await assert.rejects(decodeAlpha(png.subarray(0, -9), 7, 5, 8), /not whole/);
  const deep = Uint16Array.from({ length: 35 }, () => next(65536));
  const stored = encodePng({ width: 7, height: 5, channels: 1, data: deep });
  assert.deepEqual(await decodeAlpha(stored, 7, 5, 16), deep);
});

test('a stream inflates to its limit and no further', async () => {
  const bomb = new Uint8Array(zlib.deflateSync(Buffer.alloc(2 ** 26)));
  await assert.rejects(inflate(bomb, 2 ** 20, 'the EXIF data'), /the EXIF data inflates to more than the limit of 1048576 bytes/);
  await assert.rejects(inflate(bomb.subarray(0, 20), 2 ** 20, 'it'), /not exactly one zlib stream/);
});

test('windows cover an area once, as many as are wanted, and strips cover a window', () => {
  const area = { left: 100, top: 0, right: 3000, bottom: 1500 };
  const size = (list) => list.reduce((sum, w) => sum + (w.right - w.left) * (w.bottom - w.top), 0);
  for (const wanted of [1, 2, 4, 16, 1000]) {
    const list = windows(area, wanted, { widest: 2048, narrow: 1024, least: 512, step: 16 });
    assert.equal(size(list), 2900 * 1500);
    assert.ok(list.every((w) => w.right > w.left && w.bottom > w.top && w.right - w.left <= 2048));
    assert.ok(list.length >= Math.min(wanted, 6));
    for (const window of list) assert.equal(size(strips(window, 256)), size([window]));
  }
});
