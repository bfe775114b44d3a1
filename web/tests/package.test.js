// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { ROOT, read } from './local.js';

const SRC = path.join(ROOT, 'web/src');

/** A module and all that it imports. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  const text = fs.readFileSync(path.join(SRC, name), 'utf8');
  for (const [, imported] of text.matchAll(/from '\.\/([\w.-]+)'/g)) closure(imported, seen);
  return seen;
}

test('the engine, all that a worker loads but the weights, has at most 30 kB, compressed', () => {
  const files = [...closure('worker.js'), 'engine-relaxed.wasm'];
  const size = files.reduce((sum, name) => sum + zlib.brotliCompressSync(read(SRC, name)).length, 0);
  assert.ok(size <= 30000, `${size} bytes in ${files.length} files`);
});

test('the package has no runtime dependency, and its lock file names no host', () => {
  const manifest = JSON.parse(read(ROOT, 'web/package.json').reduce((text, byte) => text + String.fromCharCode(byte), ''));
  assert.equal(manifest.dependencies, undefined);
  assert.ok(!fs.readFileSync(path.join(ROOT, 'web/package-lock.json'), 'utf8').includes('resolved'));
  for (const target of Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)))) {
    assert.ok(fs.existsSync(path.join(ROOT, 'web', target)), target);
  }
});
