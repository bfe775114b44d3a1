// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { unpack } from '../src/container.js';
import { BundleError, FormatError, PictureError } from '../src/errors.js';
import { configure, decode as decodeInPage, info } from '../src/index.js';
import { performer } from '../src/jobs.js';
import { withAlpha } from '../src/picture.js';
import { Talbot } from '../src/talbot.js';
import { latentsKept, parse } from '../src/tiles.js';
import { Weights } from '../src/weights.js';
import { compile, decode, encode, GOLDEN, loader, perform, read } from './local.js';

const EXPECTED = JSON.parse(fs.readFileSync(path.join(GOLDEN, 'expected.json')));
const CASES = Object.keys(EXPECTED);

for (const relaxed of [true, false]) {
  const module = await compile(relaxed).catch(() => null); // Node before version 22 has no relaxed SIMD
  if (!module) continue;
  for (const name of CASES) {
    test(`${name}: symbols are those of Python, ${relaxed ? 'relaxed' : 'plain'} SIMD`, async () => {
      const { header, tiles } = await unpack(read(GOLDEN, `${name}.calo`));
      const codec = await Talbot.open(loader(header.bundle), module);
      const hash = crypto.createHash('sha256');
      for (let i = 0; i < tiles.length; i++) {
        const w = Math.min(64, Math.ceil(header.width / 16) - 64 * i);
        hash.update(new Uint8Array((await codec.prior.decode(tiles[i], Math.ceil(header.height / 16), w, header.quality)).buffer));
      }
      assert.equal(hash.digest('hex'), EXPECTED[name].latents);
    });
  }
}

test('pixels are those of Python', async () => {
  for (const name of CASES) {
    const { shape, corner } = EXPECTED[name];
    const picture = await decode(read(GOLDEN, `${name}.calo`));
    const { data, width, height, channels } = withAlpha(picture);
    assert.deepEqual([height, width, channels], [shape[0], shape[1], shape[2] ?? 1]);
    const seen = [0, 1].filter((y) => y < height).flatMap((y) => Array.from(data.subarray(y * width * channels, (y * width + Math.min(2, width)) * channels)));
    seen.forEach((sample, i) => assert.ok(Math.abs(sample - corner[i]) <= (picture.depth === 8 ? 1 : 4), `${name} ${i}`));
  }
});

test('a region is a part of the whole, and reads only the tiles that it needs', async () => {
  const whole = await decode(read(GOLDEN, 'tiles.calo'));
  for (const region of [[0, 0, 1100, 40], [1000, 3, 1090, 33], [5, 7, 6, 8], [1024, 0, 1100, 40]]) {
    const [left, top, right, bottom] = region;
    const part = await decode(read(GOLDEN, 'tiles.calo'), { region });
    assert.deepEqual([part.width, part.height], [right - left, bottom - top]);
    for (let y = top; y < bottom; y++) {
      const expected = whole.data.subarray(3 * (y * 1100 + left), 3 * (y * 1100 + right));
      const row = part.data.subarray(3 * (y - top) * part.width, 3 * (y - top + 1) * part.width);
      assert.ok(row.every((sample, i) => Math.abs(sample - expected[i]) <= 1), `${region} row ${y}`);
    }
  }
  for (const region of [[0, 0, 0, 1], [-1, 0, 5, 5], [0, 0, 1101, 1], [0.5, 0, 2, 2]]) {
    await assert.rejects(decode(read(GOLDEN, 'tiles.calo'), { region }), PictureError);
  }
});

test('parts come as their bytes arrive, and cover the picture', async () => {
  const bytes = read(GOLDEN, 'tiles.calo');
  const { stream, push, close } = controlled();
  const parts = [];
  let header = null;
  const done = decode(stream, { parallel: 2, onPart: (part) => parts.push(part), onHeader: (found) => (header = found) });
  push(bytes.subarray(0, 40));
  await until(() => header);
  assert.equal(header.width, 1100);
  push(bytes.subarray(40, bytes.length - 3));
  await until(() => parts.length === 2); // though the file has not ended
  push(bytes.subarray(bytes.length - 3));
  close();
  const picture = await done;
  assert.equal(parts.reduce((sum, part) => sum + part.width * part.height, 0), 1100 * 40);
  assert.equal(picture.data.length, 3 * 1100 * 40);
});

test('beside stills the network decodes as in Python, and samples are as they are', async () => {
  const file = read(GOLDEN, 'stills.calo');
  const npy = read(GOLDEN, 'stills.npy'); // (8, 3100, 3), behind a header of 128 bytes
  const region = [2048, 0, 3100, 8]; // a tile of the network, between an AVIF, which need not be decoded, and samples
  const { data } = await decode(file, { region });
  for (let y = 0, at = 0; y < 8; y++) {
    for (let x = 2048; x < 3100; x++) {
      for (let c = 0; c < 3; c++, at++) {
        const difference = Math.abs(data[at] - npy[128 + (y * 3100 + x) * 3 + c]);
        assert.ok(difference <= (x < 3072 ? 1 : 0), `${x}, ${y}: ${difference}`);
      }
    }
  }
  await assert.rejects(decode(file), (e) => e instanceof FormatError && /^tile [12] of 4: it holds a (WebP|AVIF), which only browsers/.test(e.message));
});

test('a tile in which cells are left out has the symbols of Python', async () => {
  const { header, tiles } = await unpack(read(GOLDEN, 'stills.calo'));
  const codec = await Talbot.open(loader(header.bundle), await compile(false));
  const { network, cells } = parse(tiles[0], 8, 1024);
  assert.deepEqual(Array.from(cells), Array.from({ length: 16 }, (_, i) => (i < 5 ? 1 : 0)));
  const latents = await codec.decodeTile({ payload: network, h: 1, w: 64, quality: header.quality, kept: latentsKept(cells, 1, 64) });
  assert.ok(latents.every((value, i) => Math.floor(i / codec.M) % 64 >= 20 || value === 0) && latents.some((value) => value));
});

test('tiles that are not what they should be are refused', async () => {
  const { header, tiles } = await unpack(read(GOLDEN, 'stills.calo'));
  const { pack } = await import('../src/container.js');
  const cases = {
    'cannot have': [], 'of kind 9 are unknown': [9, 0, 0, 0], 'does not end': [1, 3, 0, 1], 'cut short': [2, 0, 1, 0, 0, 0, 0, 0],
    'which cells': [2, 0, 2, 0, 0, 0, 0, 0, 1, 2, 0, 0], 'bytes of samples': [3, 0, 1, 2], 'holds a JPEG XL': [1, 0, 0xff, 0x0a],
    'not a AVIF': [1, 0, 1, 2],
  };
  for (const [sentence, bytes] of Object.entries(cases)) {
    const file = await pack({ header, tiles: [...tiles.slice(0, 3), Uint8Array.from(bytes)] });
    await assert.rejects(
      decode(file, { region: [3072, 0, 3100, 8] }),
      (e) => e instanceof FormatError && e.message.startsWith('tile 4 of 4: ') && e.message.includes(sentence),
      sentence,
    );
  }
});

test('what cannot be decoded is refused in a sentence', async () => {
  const golden = (name) => read(GOLDEN, `${name}.calo`);
  await assert.rejects(decode(golden('toderici2017')), (e) => e instanceof FormatError && /codec 'toderici2017', which cannot be decoded in browsers/.test(e.message));
  await assert.rejects(decode(golden('ledig2017')), /codec 'ledig2017'/);
  await assert.rejects(decode(golden('colour'), { maxPixels: 100 }), (e) => e instanceof PictureError && /maxPixels is 100/.test(e.message));
  await assert.rejects(decode('a string'), PictureError);
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(decode(golden('colour'), { signal: abort.signal }), { name: 'AbortError' });
});

test('a payload that is not what was encoded is an error, and quickly so', async () => {
  const { header, tiles } = await unpack(read(GOLDEN, 'tiles.calo'));
  const { pack } = await import('../src/container.js');
  for (const payload of [new Uint8Array(0), tiles[0].subarray(0, 2), tiles[0].subarray(0, -4), tiles[0].subarray(0, -1), Uint8Array.of(...tiles[0], 1, 0, 0, 0)]) {
    const began = performance.now();
    const file = await pack({ header, tiles: [payload, tiles[1]] });
    await assert.rejects(decode(file), (e) => e instanceof FormatError && /^tile 1 of 2: /.test(e.message));
    assert.ok(performance.now() - began < 5000);
  }
  let refused = 0;
  for (let i = 2; i < tiles[0].length; i += 37) {
    const changed = tiles[0].slice();
    changed[i] ^= 0x10;
    await decode(await pack({ header, tiles: [changed, tiles[1]] })).catch((error) => {
      assert.ok(error instanceof FormatError);
      refused++;
    });
  }
  assert.ok(refused > 10);
});

test('weights that are not there are named', async () => {
  const bytes = read(GOLDEN, 'colour.calo');
  const { header, tiles } = await unpack(bytes);
  const { pack } = await import('../src/container.js');
  const file = await pack({ header: { ...header, bundle: '00000000' }, tiles });
  await assert.rejects(decode(file), /no weights 00000000/);
  assert.ok(BundleError);
});

test('what is encoded here decodes to about the same picture', async () => {
  const { tag } = { tag: (await unpack(read(GOLDEN, 'colour.calo'))).header.bundle };
  const width = 130;
  const height = 75;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0, at = 0; i < width * height; i++, at += 4) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set([(x * 2) % 256, (y * 3) % 256, (x + y) % 256, x < 20 ? 0 : 255], at);
  }
  const file = await encode({ width, height, data }, { tag, quality: 80, icc: new Uint8Array(500).fill(7), cicp: { primaries: 12, transfer: 13 } });
  const picture = await decode(file);
  assert.deepEqual([picture.width, picture.height, picture.channels], [width, height, 3]);
  assert.deepEqual(picture.icc, new Uint8Array(500).fill(7));
  assert.deepEqual(picture.cicp, { primaries: 12, transfer: 13 });
  assert.deepEqual(Array.from(picture.alpha), Array.from({ length: width * height }, (_, i) => data[4 * i + 3]));
  const small = await encode({ width, height, data }, { tag, targetSize: 1200 });
  assert.ok(small.length <= 1200 && small.length > 800, `${small.length}`);
  await assert.rejects(encode({ width, height, data }, { tag, targetSize: 10 }), /10 bytes cannot be reached/);
  await assert.rejects(encode({ width, height, data }, { tag, quality: 101 }), /outside of 1 to 100/);
  await assert.rejects(encode({ width: 0, height: 1, data }, { tag }), PictureError);
});

function controlled() {
  let controller;
  const stream = new ReadableStream({ start: (made) => (controller = made) });
  return { stream, push: (bytes) => controller.enqueue(bytes), close: () => controller.close() };
}

async function until(condition) {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((next) => setTimeout(next, 10));
  assert.ok(condition());
}

test('a header says the quality as people do, wherever it is told', async () => {
  const start = read(GOLDEN, 'tiles.calo').subarray(0, 60);
  let header = null;
  await assert.rejects(decodeInPage(start, { onHeader: (found) => (header = found) }), FormatError);
  assert.deepEqual(header, info(start));
  assert.ok(header.quality >= 1 && header.quality <= 100);
});

test('a stream whose bytes do not come can be left', async () => {
  const abort = new AbortController();
  let cancelled = false;
  const stalled = () => new ReadableStream({ start: (c) => c.enqueue(read(GOLDEN, 'tiles.calo').subarray(0, 60)), cancel: () => (cancelled = true) });
  const left = decode(stalled(), { signal: abort.signal, onHeader: () => setTimeout(() => abort.abort()) });
  await assert.rejects(left, { name: 'AbortError' });
  assert.ok(cancelled);
  await assert.rejects(decode(stalled(), { signal: abort.signal }), { name: 'AbortError' });
});

test('a list of weights and an engine that could not be fetched once are fetched again', async () => {
  const before = globalThis.fetch;
  const answers = [new Response('', { status: 503 }), new Response('<html>'), new Response('{"talbot": "01234567"}')];
  globalThis.fetch = async () => answers.shift();
  try {
    const weights = new Weights('https://example.org/');
    await assert.rejects(weights.tag('talbot'), BundleError);
    await assert.rejects(weights.tag('talbot'), BundleError);
    assert.equal(await weights.tag('talbot'), '01234567');
  } finally {
    globalThis.fetch = before;
  }
  let tries = 0;
  const perform = performer(loader, async (relaxed) => {
    if (!tries++) throw new Error('the server is busy');
    return compile(relaxed);
  });
  const { bundle } = (await unpack(read(GOLDEN, 'tiles.calo'))).header;
  await assert.rejects(perform({ do: 'warm', bundle }), /busy/);
  await perform({ do: 'warm', bundle });
});

test('a target that is no number of bytes, and samples that are no bytes, are refused', async () => {
  const data = new Uint8ClampedArray(4 * 16 * 16);
  const tag = (await unpack(read(GOLDEN, 'tiles.calo'))).header.bundle;
  for (const targetSize of [NaN, 0, 'many']) {
    await assert.rejects(encode({ width: 16, height: 16, data }, { tag, targetSize }), { name: 'PictureError', message: /targetSize/ });
  }
  await assert.rejects(encode({ width: 16, height: 16, data: new Float32Array(data) }, { tag }), PictureError);
  await assert.rejects(encode({ width: 16, height: 16 }, { tag }), PictureError);
});

test('a limit that is no number, and code points that a byte does not hold, are refused', async () => {
  const file = read(GOLDEN, 'colour.calo');
  for (const maxPixels of [NaN, 'many']) {
    await assert.rejects(decode(file, { maxPixels }), (e) => e instanceof PictureError && /maxPixels should be/.test(e.message));
  }
  await decode(file, { maxPixels: Infinity });
  const image = { width: 9, height: 9, data: new Uint8ClampedArray(4 * 81).fill(200) };
  for (const transfer of [256, -1, 1.5, undefined]) {
    await assert.rejects(encode(image, { cicp: { primaries: 9, transfer } }), (e) => e instanceof PictureError && /from 0 to 255/.test(e.message));
  }
});

test('behind the first tile that does not decode, hardly any is tried', async () => {
  const { header } = await unpack(read(GOLDEN, 'tiles.calo'));
  const { pack } = await import('../src/container.js');
  const file = await pack({ header: { ...header, width: 16384, height: 64 }, tiles: Array(16).fill(new Uint8Array(0)) });
  let tried = 0;
  const run = (job) => {
    tried += job.do === 'tile';
    return perform(job);
  };
  await assert.rejects(decode(file, { run }), FormatError);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(tried <= 4, `${tried} tiles`);
});

test('workers end when others are configured, once nobody needs them', async () => {
  const alive = new Set();
  let answer = null;
  globalThis.Worker = class {
    constructor() {
      alive.add(this);
    }
    postMessage(job) {
      if (job.do) answer = () => this.onmessage({ data: { error: { kind: 'FormatError', text: 'no' } } });
    }
    terminate() {
      alive.delete(this);
    }
  };
  try {
    const options = { as: 'samples' };
    configure({ workers: 1 });
    const first = decodeInPage(read(GOLDEN, 'colour.calo'), options);
    while (!answer) await new Promise((resolve) => setTimeout(resolve, 5));
    configure({ workers: 1 });
    assert.equal(alive.size, 1); // it is at work
    answer();
    await assert.rejects(first, FormatError);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(alive.size, 0);
  } finally {
    delete globalThis.Worker;
    configure({});
  }
});
