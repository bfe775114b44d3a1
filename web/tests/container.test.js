// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pack, Reader, unpack } from '../src/container.js';
import { FormatError } from '../src/errors.js';
import { GOLDEN, ROOT, read } from './local.js';

/** The example of docs/format.md, byte by byte. */
function example() {
  const text = fs.readFileSync(path.join(ROOT, 'docs/format.md'), 'utf8');
  const lines = /```hex\n([\s\S]*?)```/.exec(text)[1].split('\n');
  return Uint8Array.from(lines.flatMap((line) => line.split('#')[0].trim().split(/\s+/).filter(Boolean)), (x) => parseInt(x, 16));
}

test('the example of the specification reads as it says, and comes back when packed', async () => {
  const bytes = example();
  const file = await unpack(bytes);
  assert.deepEqual(file.header, {
    codec: 'talbot', bundle: '5eed1e55', width: 100, height: 70, channels: 3, depth: 8, alpha: false, quality: 15360, tile: 64, layers: 0,
  }); // prettier-ignore
  assert.deepEqual(file.tiles.map((tile) => new TextDecoder().decode(tile)), ['one', 'two', '', '\0']);
  assert.equal(new TextDecoder().decode(file.xmp), '<x:xmpmeta/>');
  const again = await unpack(await pack(file));
  assert.deepEqual(again, file);
});

test('every byte may arrive on its own', () => {
  const bytes = example();
  const reader = new Reader();
  const tiles = [];
  for (const byte of bytes) tiles.push(...reader.push(Uint8Array.of(byte)).map((tile) => tile.length));
  assert.deepEqual([...tiles, ...reader.finish()], [3, 3, 0, 1]);
});

test('a file that ends early, has a flipped bit or goes on is refused in a sentence', async () => {
  const bytes = example();
  for (let size = 0; size < bytes.length; size++) {
    await assert.rejects(unpack(bytes.subarray(0, size)), (e) => e instanceof FormatError && /truncated|empty/.test(e.message), `${size}`);
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(unpack(damaged), FormatError, `bit ${bit}`);
  }
  await assert.rejects(unpack(Uint8Array.of(...bytes, 0)), /1 bytes follow the end of the picture at byte 94/);
});

test('tiles that change places are found out', async () => {
  const golden = read(GOLDEN, 'tiles.calo');
  const { header, tiles } = await unpack(golden);
  const swapped = await pack({ header, tiles: [tiles[1], tiles[0]] });
  assert.equal((await unpack(swapped)).tiles.length, 2); // packed anew it is sound
  const at = golden.indexOf(0x54, 30);
  const second = at + 1 + 2 + tiles[0].length + 4;
  const end = golden.length - 6;
  const moved = Uint8Array.of(...golden.subarray(0, at), ...golden.subarray(second, end), ...golden.subarray(at, second), ...golden.subarray(end));
  await assert.rejects(unpack(moved), /tile 1 of 2 at byte \d+ is damaged or out of place/);
});

test('what is no .calo file is named', async () => {
  const start = (...bytes) => unpack(Uint8Array.from(bytes));
  await assert.rejects(start(), /the file is empty/);
  await assert.rejects(start(0xff, 0xd8, 0xff, 0xe0), /not a .calo file: it begins with ff d8 ff e0 instead of 89 43/);
  await assert.rejects(start(0x89, 0x43, 0x41, 0x4c, 0x4f, 0x0a, 1, 2), /text mode/);
  await assert.rejects(start(0x89, 0x43, 0x41, 0x4c, 0x4f, 0x0d, 0x0a, 9), /format version 9 \(byte 7\) is newer than 1/);
});
