// SPDX-License-Identifier: BSD-3-Clause
// In a service worker: keeps the page and its scripts, newest first, so that it works without a network. Weights have a
// cache of their own.
import { FILES } from './files.js';

const CACHE = 'calotype-page';
const site = new URL('.', self.location.href);

addEventListener('install', (event) => {
  const urls = FILES.map((name) => new URL(name, site).href);
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(urls)));
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const page = request.mode === 'navigate' || /\.(js|css|wasm|html|svg)$|\/weights\/index\.json$/.test(pathname);
  if (request.method === 'GET' && origin === site.origin && page) event.respondWith(newest(request));
});

async function newest(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
