// SPDX-License-Identifier: BSD-3-Clause
// node convert.js decode FILE.calo RAW        samples, as Python's calotype.decode(as_array=True) has them in memory
// node convert.js encode RGBA WIDTH HEIGHT QUALITY TUNE FILE.calo
// node convert.js score RGBA RGBA WIDTH HEIGHT                SSIMULACRA 2
// node convert.js judge FOLDER                JSON: for each *.calo file of a folder what is wrong with it, or null
import fs from 'node:fs';
import path from 'node:path';
import { ssimulacra2 } from '../demo/ssimulacra2.js';
import { withAlpha } from '../src/picture.js';
import { decode, encode, read } from './local.js';

const [command, ...rest] = process.argv.slice(2);
if (command === 'decode') {
  const { data } = withAlpha(await decode(read(rest[0])));
  fs.writeFileSync(rest[1], new Uint8Array(data.buffer));
} else if (command === 'encode') {
  const [source, width, height, quality, tune, target] = rest;
  const data = new Uint8ClampedArray(read(source));
  fs.writeFileSync(target, await encode({ width: Number(width), height: Number(height), data }, { quality: Number(quality), tune }));
} else if (command === 'score') {
  const [width, height] = rest.slice(2).map(Number);
  const [original, picture] = rest.slice(0, 2).map((name) => ({ width, height, data: read(name) }));
  console.log(ssimulacra2(original, picture));
} else if (command === 'judge') {
  const verdicts = {};
  for (const name of fs.readdirSync(rest[0])) {
    const began = performance.now();
    const error = await decode(read(path.join(rest[0], name))).then(() => null, (e) => e);
    verdicts[name] = { kind: error?.name, text: error?.message, ms: performance.now() - began };
  }
  console.log(JSON.stringify({ verdicts, memory: peak() }));
}

/** The most memory held so far, in bytes. (Node's own maxRSS begins at that of the process which started this one.) */
function peak() {
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'utf8') : '';
  const found = /VmHWM:\s+(\d+)/.exec(status);
  return found ? found[1] * 1024 : process.memoryUsage().rss;
}
