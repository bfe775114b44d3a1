// SPDX-License-Identifier: BSD-3-Clause
// The decoder and encoder in Node, in one thread, with weights from folders.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeFile } from '../src/decoding.js';
import { analyse } from '../src/encoding.js';
import { performer } from '../src/jobs.js';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const GOLDEN = path.join(ROOT, 'tests/golden');
export const read = (...parts) => new Uint8Array(fs.readFileSync(path.join(...parts)));

const folders = [path.join(GOLDEN, 'weights'), path.join(ROOT, 'calotype/weights')];

/** Folder of the bundle with this tag, or with this id. */
export function bundle(wanted) {
  for (const folder of folders) {
    for (const name of fs.readdirSync(folder)) {
      const file = path.join(folder, name, 'model.json');
      if (!fs.existsSync(file)) continue;
      const { id, hash } = JSON.parse(fs.readFileSync(file));
      if (hash.startsWith(wanted) || (id === wanted && folder.includes('calotype/weights'))) {
        return { folder: path.join(folder, name), tag: hash.slice(0, 8) };
      }
    }
  }
  throw new Error(`no weights ${wanted}`);
}

export const loader = (tag) => {
  const { folder } = bundle(tag);
  return async (name) => read(folder, name);
};

/** `relaxed` false takes the plain engine whatever Node could do. */
export const compile = (relaxed) => WebAssembly.compile(read(ROOT, 'web/src', relaxed ? 'engine-relaxed.wasm' : 'engine.wasm'));

export const perform = performer(loader, compile);
export const decode = (source, options = {}) => decodeFile(source, { run: perform, ...options });

export async function encode(image, { tune = 'talbot-eye', tag = null, ...options } = {}) {
  const analysis = await analyse(image, { run: perform, bundle: tag ?? bundle(tune).tag });
  return analysis.encode(options);
}
