// SPDX-License-Identifier: BSD-3-Clause
// The page: a photograph becomes a `.calo` file, and is compared with what else the browser can make of it.
import { analyse, decode, info, registerServiceWorker, warm } from '../src/index.js';
import { available, rival, RIVALS } from './rivals.js';
import { landscape } from './sample.js';
import { canvasOf, Stage } from './stage.js';

const $ = (id) => document.getElementById(id);
const stage = new Stage($('stage'));
const scorer = new Worker(new URL('./score-worker.js', import.meta.url), { type: 'module' });
const scores = new Map(); // waiting, by id
let photo = null; // {name, image, bytes, analyses by tune, scored}
let last = null; // AbortController of the work at hand

scorer.addEventListener('message', ({ data }) => {
  scores.get(data.id)(data.score);
  scores.delete(data.id);
});

/** SSIMULACRA 2 of a picture against the photograph. */
function score(picture) {
  const id = Math.random();
  const original = photo.scored ? null : photo.image;
  photo.scored = true;
  scorer.postMessage({ id, original, picture });
  return new Promise((resolve) => scores.set(id, resolve));
}

const say = (text) => ($('status').textContent = text);
const digits = (count) => ({ minimumFractionDigits: count, maximumFractionDigits: count });
const kilobytes = (bytes) => `${(bytes / 1000).toLocaleString(undefined, digits(bytes < 1e5 ? 1 : 0))} kB`;
const tune = () => document.querySelector('input[name=tune]:checked').value;

/** Show what a file is: one that is to be encoded, or one that is already. */
async function open(blob, name) {
  const signal = begin();
  say('Opening …');
  try {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    if (bytes[0] === 0x89 && bytes[1] === 0x43) {
      await showFile(bytes, name, signal);
      return;
    }
    const bitmap = await createImageBitmap(blob).catch(() => {
      throw new Error(`${name} is not a picture that this browser opens`);
    });
    if (signal.aborted) return; // another was opened meanwhile
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    start(name, context.getImageData(0, 0, bitmap.width, bitmap.height), bytes.length);
  } catch (error) {
    if (!signal.aborted) say(`${error.message}.`);
  }
}

function start(name, image, bytes) {
  photo = { name: name.replace(/\.\w+$/, ''), image, bytes, analyses: {}, scored: false };
  reveal(true);
  stage.names('original', 'Calotype');
  stage.show(canvasOf(image), canvasOf(image), image.width, image.height);
  update();
}

function reveal(controls) {
  $('drop').hidden = true;
  $('stage').hidden = false;
  $('controls').hidden = $('facts').hidden = !controls;
}

/** A `.calo` file that was opened: shown as it arrives, nothing to set. */
async function showFile(bytes, name, signal) {
  signal.throwIfAborted();
  const { width, height, bundle, quality, depth } = info(bytes);
  reveal(false);
  const began = performance.now();
  const bitmap = await decode(bytes, { signal });
  stage.show(false, canvasOf(bitmap), width, height);
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  const made = quality ? `quality ${quality}, ${depth} bits, weights ${bundle}` : `${depth} bits, without loss`;
  say(`${name}: ${width} × ${height}, ${kilobytes(bytes.length)}, ${made}; decoded in ${seconds} s.`);
}

function begin() {
  last?.abort();
  last = new AbortController();
  return last.signal;
}

/** Encode with the settings as they are, and compare. */
async function update() {
  if (!photo) return;
  const signal = begin();
  const chosen = { tune: tune(), against: $('against').value, quality: Number($('quality').value) };
  const target = parseFloat($('size').value.replace(',', '.'));
  try {
    say('Encoding …');
    const mine = photo;
    const analysis = await (mine.analyses[chosen.tune] ??= analyse(mine.image, { tune: chosen.tune }));
    const wish = target > 0 ? { targetSize: Math.round(1000 * target) } : { quality: chosen.quality };
    const file = await analysis.encode({ ...wish, signal });
    const { quality } = info(file);
    const picture = await decode(file, { as: 'data', signal });
    if (target > 0) {
      $('quality').value = Math.round(quality);
      $('quality-now').textContent = quality.toFixed(1);
    }
    const { width, height } = mine.image;
    stage.names(chosen.against === 'original' ? 'original' : RIVALS[chosen.against], 'Calotype');
    stage.show(chosen.against === 'original' ? canvasOf(mine.image) : null, canvasOf(picture), width, height);
    const rows = [{ name: 'Calotype', bytes: file.length, picture, blob: new Blob([file]), suffix: 'calo' }];
    if (mine.bytes) rows.unshift({ name: mine.name, bytes: mine.bytes, score: null });
    if (chosen.against !== 'original') {
      say(`Encoding ${RIVALS[chosen.against]} at as many bytes …`);
      const found = await rival(mine.image, chosen.against, file.length, signal);
      const bitmap = await createImageBitmap(found.blob);
      const canvas = canvasOf(bitmap);
      stage.show(canvas, null, width, height);
      const context = canvas.getContext('2d');
      rows.push({ name: RIVALS[chosen.against], bytes: found.blob.size, picture: context.getImageData(0, 0, width, height), blob: found.blob, suffix: chosen.against });
    }
    table(rows, width * height);
    say('Measuring …');
    for (const row of rows.filter(({ picture: made }) => made)) {
      row.score = await score(row.picture);
      signal.throwIfAborted();
      table(rows, width * height);
    }
    const other = rows.at(-1);
    const note = other.bytes > file.length ? ` ${other.name} cannot be smaller than ${kilobytes(other.bytes)}.` : '';
    say(`${width} × ${height} pixels in ${kilobytes(file.length)}.${note}`);
  } catch (error) {
    if (!signal.aborted) say(`${error.message}.`);
  }
}

let urls = [];
function table(rows, pixels) {
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  $('rows').replaceChildren(
    ...rows.map(({ name, bytes, score: value, picture, blob, suffix }) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = name;
      const cell = (content) => {
        const made = document.createElement('td');
        made.append(content);
        return made;
      };
      let link = '';
      if (blob) {
        link = document.createElement('a');
        link.href = URL.createObjectURL(blob);
        urls.push(link.href);
        link.download = `${photo.name}.${suffix}`;
        link.textContent = 'Save';
        link.setAttribute('aria-label', `Save the ${name} file`);
      }
      const rate = bytes ? ((8 * bytes) / pixels).toFixed(2) : '–';
      const quality = value === undefined && picture ? '…' : value == null ? '–' : value.toFixed(1);
      row.append(head, cell(bytes ? kilobytes(bytes) : '–'), cell(rate), cell(quality), cell(link));
      return row;
    }),
  );
}

let pause = 0;
const later = () => {
  clearTimeout(pause);
  pause = setTimeout(update, 180);
};
$('quality').addEventListener('input', () => {
  $('quality-now').textContent = $('quality').value;
  $('size').value = '';
  later();
});
$('size').addEventListener('input', later);
$('controls').addEventListener('change', (event) => ['tune', 'against'].includes(event.target.name || event.target.id) && update());
$('controls').addEventListener('submit', (event) => event.preventDefault());
$('sample').addEventListener('click', () => start('evening', landscape(), 0));
$('file').addEventListener('change', (event) => event.target.files[0] && open(event.target.files[0], event.target.files[0].name));
addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (file) open(file, file.name || 'pasted');
});
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('over');
});
addEventListener('dragleave', (event) => event.relatedTarget || document.body.classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  const file = event.dataTransfer.files[0];
  if (file) open(file, file.name);
});

for (const type of await available()) $('against').append(new Option(RIVALS[type], type, type === 'jpeg'));
$('against').value = 'jpeg';
if ('serviceWorker' in navigator) registerServiceWorker(new URL('../service-worker.js', import.meta.url)).catch(() => {});
warm('eye', { encoder: true }).catch(() => {});
document.documentElement.dataset.ready = 'yes';
