// SPDX-License-Identifier: BSD-3-Clause
// An album: rows of pictures of which only those in sight exist, and one of them in full.
import { configure, decode } from '../src/index.js';
import { toRgba } from '../src/picture.js';
import { describe, readExif } from './exif.js';
import { layout, visible } from './rows.js';
import { canvasOf, Stage } from './stage.js';

const $ = (id) => document.getElementById(id);
const GAP = 6;
const KEPT = 300; // thumbnails that stay in memory

configure({ weights: '/weights/' });
const address = (kind, path) => `/${kind}/${path.split('/').map(encodeURIComponent).join('/')}`;
const { name, single, entries } = await (await fetch('/album.json')).json();
const stage = new Stage($('stage'), ['original', 'Calotype']);
const thumbnails = new Map(); // canvases by index, the one used last at the end
const shown = new Map(); // {element, abort} by index
let rows = [];
let current = -1;
let opening = null;

$('title').textContent = name || 'Album';
document.title = name ? `${name} – Calotype` : 'Calotype';
const megabytes = entries.reduce((sum, entry) => sum + entry.size, 0) / 1e6;
$('count').textContent = `${entries.length.toLocaleString()} pictures, ${megabytes.toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;

/** The picture of an entry as something to draw: decoded here, or by the server where browsers lack the codec. */
async function bitmap(entry, { signal, onPart, onMetadata, urgent = false }) {
  const here = async () => decode(await fetch(address('files', entry.path), { signal }), { signal, onPart, onMetadata, urgent, maxPixels: 2 ** 28 });
  if (entry.codec === 'talbot') return here();
  if (entry.codec === 'talbot-stills' || entry.codec === 'lossless') {
    try {
      return await here();
    } catch (error) { // stills that browsers lack: the server has them
      if (error.name !== 'FormatError') throw error;
    }
  }
  const response = await fetch(address('decoded', entry.path), { signal });
  if (!response.ok) throw new Error((await response.text()).trim());
  return createImageBitmap(await response.blob());
}

function arrange() {
  const list = entries.map(({ width, height }) => (width && height ? width / height : 1));
  const target = innerWidth < 600 ? 130 : 210;
  ({ rows } = layout(list, $('grid').clientWidth, target, GAP));
  const bottom = rows.at(-1);
  $('grid').style.height = `${bottom ? bottom.top + bottom.height : 0}px`;
  for (const index of [...shown.keys()]) remove(index);
  refresh();
}

/** Make what is in sight, or nearly, and forget the rest. */
function refresh() {
  const top = scrollY - $('grid').offsetTop;
  const wanted = new Map(visible(rows, top - innerHeight / 2, top + 1.5 * innerHeight).map((place) => [place.index, place]));
  for (const index of [...shown.keys()]) if (!wanted.has(index)) remove(index);
  for (const [index, place] of wanted) if (!shown.has(index)) add(index, place);
}

function remove(index) {
  const { element, abort } = shown.get(index);
  abort.abort();
  element.parentElement?.remove();
  shown.delete(index);
}

function add(index, { left, top, width, height }) {
  const entry = entries[index];
  const item = document.createElement('div');
  item.setAttribute('role', 'listitem');
  const element = document.createElement('button');
  element.className = 'item';
  element.type = 'button';
  element.dataset.index = index;
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  element.setAttribute('aria-label', entry.problem ? `${entry.path}: ${entry.problem}` : entry.path);
  element.addEventListener('click', () => open(index));
  const caption = document.createElement('span');
  caption.className = 'caption';
  caption.textContent = entry.path;
  element.append(caption);
  item.append(element);
  $('grid').append(item);
  const abort = new AbortController();
  shown.set(index, { element, abort });
  if (entry.problem) trouble(element, entry.problem);
  else thumbnail(index, element, width, height, abort.signal);
}

function trouble(element, text) {
  const note = document.createElement('span');
  note.className = 'problem';
  note.textContent = `${element.getAttribute('aria-label').split(': ')[0]}: ${text}`;
  element.prepend(note);
}

/** A small canvas of a picture, which fills up part by part while it is decoded. */
async function thumbnail(index, element, width, height, signal) {
  let canvas = thumbnails.get(index);
  if (canvas) {
    thumbnails.delete(index); // to the end of the line
    thumbnails.set(index, canvas);
    element.prepend(canvas);
    return;
  }
  canvas = document.createElement('canvas');
  const dense = Math.min(devicePixelRatio, 2);
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  const entry = entries[index];
  const [sx, sy] = [canvas.width / entry.width, canvas.height / entry.height];
  try {
    const onPart = async (part) => {
      if (part.width === entry.width && part.height === entry.height) return; // all at once: drawn below
      const image = await createImageBitmap(new ImageData(toRgba(part), part.width, part.height));
      if (!signal.aborted) context.drawImage(image, part.x * sx, part.y * sy, part.width * sx, part.height * sy);
      element.prepend(canvas);
    };
    const image = await bitmap(entry, { signal, onPart });
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    element.prepend(canvas);
    thumbnails.set(index, canvas);
    if (thumbnails.size > KEPT) thumbnails.delete(thumbnails.keys().next().value);
  } catch (error) {
    if (!signal.aborted) trouble(element, error.message);
  }
}

/** Show one picture in full. */
async function open(index) {
  const entry = entries[index];
  opening?.abort();
  const abort = (opening = new AbortController());
  current = index;
  $('name').textContent = entry.path;
  $('facts').textContent = entry.problem ?? 'Decoding …';
  $('compare').hidden = !entry.original;
  $('compare').setAttribute('aria-pressed', 'false');
  $('previous').disabled = index === 0;
  $('next').disabled = index === entries.length - 1;
  if (!$('viewer').open) $('viewer').showModal();
  history.replaceState(null, '', `#${encodeURIComponent(entry.path)}`);
  if (entry.problem) {
    stage.show(false, document.createElement('canvas'), 1, 1);
    return;
  }
  try {
    const began = performance.now();
    const canvas = document.createElement('canvas');
    canvas.width = entry.width;
    canvas.height = entry.height;
    const context = canvas.getContext('2d');
    if (thumbnails.has(index)) context.drawImage(thumbnails.get(index), 0, 0, entry.width, entry.height);
    stage.show(false, canvas, entry.width, entry.height);
    const onPart = (part) => context.putImageData(new ImageData(toRgba(part), part.width, part.height), part.x, part.y);
    let taken = []; // when and how
    const onMetadata = ({ exif }) => (taken = exif ? describe(readExif(exif)) : []);
    const image = await bitmap(entry, { signal: abort.signal, onPart, onMetadata, urgent: true });
    if (abort.signal.aborted) return image.close(); // another picture is shown by now
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    image.close();
    $('facts').textContent = [...taken, ...facts(entry, performance.now() - began)].join(' · ');
  } catch (error) {
    if (!abort.signal.aborted) $('facts').textContent = error.message;
  }
}

function facts({ width, height, size, codec, quality, modified, original, original_size: before }, ms) {
  const parts = [
    `${width} × ${height}`,
    `${(size / 1000).toLocaleString(undefined, { maximumFractionDigits: 1 })} kB`,
    `${((8 * size) / width / height).toFixed(2)} bits a pixel`,
    quality ? `${codec}, quality ${Number(quality.toFixed(1))}` : codec, // none: without loss, or wrapped
    new Date(1000 * modified).toLocaleDateString(),
    `decoded in ${(ms / 1000).toFixed(2)} s`,
  ];
  if (original) parts.push(`original ${(before / 1000).toLocaleString(undefined, { maximumFractionDigits: 0 })} kB`);
  return parts;
}

$('compare').addEventListener('click', async () => {
  const index = current;
  const entry = entries[index];
  const on = $('compare').getAttribute('aria-pressed') !== 'true';
  $('compare').setAttribute('aria-pressed', on);
  if (!on) {
    stage.show(false, null, entry.width, entry.height);
    return;
  }
  try {
    const response = await fetch(address('files', entry.original));
    const original = await createImageBitmap(await response.blob());
    if (current !== index || $('compare').getAttribute('aria-pressed') !== 'true') return; // too late
    stage.show(canvasOf(original), null, entry.width, entry.height);
  } catch (error) {
    if (current === index) $('facts').textContent = `The original cannot be shown: ${error.message}`;
  }
});
const step = (by) => entries[current + by] && open(current + by);
$('previous').addEventListener('click', () => step(-1));
$('next').addEventListener('click', () => step(1));
$('back').addEventListener('click', () => $('viewer').close());
$('viewer').addEventListener('close', () => {
  opening?.abort();
  history.replaceState(null, '', location.pathname);
  shown.get(current)?.element.focus();
});
$('viewer').addEventListener('keydown', (event) => {
  const by = { PageUp: -1, PageDown: 1, '[': -1, ']': 1 }[event.key];
  if (by) {
    event.preventDefault();
    step(by);
  }
});
addEventListener('scroll', () => requestAnimationFrame(refresh), { passive: true });
new ResizeObserver(arrange).observe($('grid').parentElement);
arrange();
const wanted = single ?? decodeURIComponent(location.hash.slice(1));
const first = entries.findIndex((entry) => entry.path === wanted);
if (first >= 0) open(first);
document.documentElement.dataset.ready = 'yes';
