// SPDX-License-Identifier: BSD-3-Clause
// Never run: what a program in TypeScript may write, checked by its compiler.
import { analyse, configure, decode, encode, FormatError, info, registerServiceWorker, warm } from 'calotype-web';
import 'calotype-web/calo-img';

configure({ weights: '/weights/', workers: 2 });
const bitmap: ImageBitmap = await decode(await fetch('a.calo'));
const pixels: ImageData = await decode(new Uint8Array(3), { as: 'data', region: [0, 0, 8, 8], maxPixels: 1e6 });
const png: Blob = await decode(new Blob([]), { as: 'png', signal: new AbortController().signal });
const { data, depth, icc } = await decode(new ArrayBuffer(3), { as: 'samples', onPart: (part) => console.log(part.x) });
const file: Uint8Array = await encode(pixels, { quality: 60, tune: 'psnr' });
const again: Uint8Array = await (await analyse(pixels)).encode({ targetSize: 20000 });
await warm('eye');
await registerServiceWorker('/service-worker.js', { weights: '/weights/' });
const element = document.createElement('calo-img');
element.alt = `${info(file).width} ${bitmap.width} ${png.size} ${data.length} ${depth} ${icc?.length} ${again.length}`;
// @ts-expect-error there is no such tuning
await encode(pixels, { tune: 'other' });
try {
  element.src = 'a.calo';
} catch (error) {
  if (error instanceof FormatError) throw error;
}
