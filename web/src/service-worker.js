// SPDX-License-Identifier: BSD-3-Clause
// A service worker with which <img src="x.calo"> works: who asks for a `.calo` file as an image gets a PNG. It asks for
// `?weights=URL` in its own address; registerServiceWorker of index.js writes it there.
import { decodeFile } from './decoding.js';
import { performer } from './jobs.js';
import { withAlpha } from './picture.js';
import { Weights } from './weights.js';

const base = new URL(location.href).searchParams.get('weights') ?? new URL('../weights/', location.href).href;
const weights = new Weights(base);
const perform = performer((tag) => weights.loader(tag));
let last = Promise.resolve(); // one job at a time: a service worker has one thread

const run = (job, { signal } = {}) => {
  const done = last.then(() => {
    signal?.throwIfAborted();
    return perform(job);
  });
  last = done.catch(() => {});
  return done;
};

/** The answer for a request of an image: a PNG, or what the server said if that is no picture. */
export async function answer(request) {
  const response = await fetch(request.url, { credentials: 'same-origin', signal: request.signal });
  if (!response.ok) return response;
  const picture = await decodeFile(response, { run, signal: request.signal });
  const png = await run({ do: 'png', samples: withAlpha(picture), icc: picture.iccStream, cicp: picture.cicp });
  return new Response(png, { headers: { 'Content-Type': 'image/png' } });
}

addEventListener('install', (event) => event.waitUntil(skipWaiting()));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.destination === 'image' && new URL(request.url).pathname.endsWith('.calo')) event.respondWith(answer(request));
});
