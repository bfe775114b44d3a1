// SPDX-License-Identifier: BSD-3-Clause
// Weights over HTTP, by the hash that files name. Below a base there is
//   index.json           {"talbot": "2be31b22", ...}: which bundle to encode with, by id
//   2be31b22/SHA256SUMS  lines "name sha256" of the bundle's files; its own SHA-256 is the name of the bundle
//   2be31b22/g_s.onnx    and the other files
// Each file is checked against its line, and the lines against the name, so that it does not matter where they come
// from; what is whole is kept in the Cache API.
import { BundleError } from './errors.js';
import { sha256 } from './sha256.js';

const CACHE = 'calotype-weights';

export class Weights {
  /** @param {string} base URL with a slash at its end */
  constructor(base) {
    this.base = base;
    this.sums = new Map(); // promises by tag
  }

  /** The tag of the bundle with this id; BundleError if there is none. */
  async tag(id) {
    this.ids ??= index(`${this.base}index.json`);
    this.ids.catch(() => (this.ids = null)); // so that another try may succeed
    const tag = (await this.ids)[id];
    if (!tag) throw new BundleError(`the weights '${id}' are not below ${this.base}`);
    return tag;
  }

  /** A function that gives the files of a bundle by name, each whole and checked, or a BundleError. */
  loader(tag) {
    return async (name) => {
      const sums = await this.checksums(tag);
      if (!sums.has(name)) throw new BundleError(`the weights ${tag} have no file ${name}: they are for another codec`);
      return this.file(`${this.base}${tag}/${name}`, async (bytes) => (await sha256(bytes)) === sums.get(name));
    };
  }

  checksums(tag) {
    if (!this.sums.has(tag)) {
      const url = `${this.base}${tag}/SHA256SUMS`;
      const read = this.file(url, async (bytes) => (await sha256(bytes)).startsWith(tag)).then((bytes) => {
        const lines = new TextDecoder().decode(bytes).trim().split('\n');
        return new Map(lines.map((line) => line.split(' ')));
      });
      read.catch(() => this.sums.delete(tag)); // so that another try may succeed
      this.sums.set(tag, read);
    }
    return this.sums.get(tag);
  }

  /** A file from the cache or the network; one worker fetches it, the others wait for it. */
  async file(url, check) {
    const locks = globalThis.navigator?.locks;
    const once = () => fetchOnce(url, check);
    return (await cached(url, check)) ?? (locks ? locks.request(`${CACHE} ${url}`, once) : once());
  }
}

async function index(url) {
  const text = new TextDecoder().decode(await get(url));
  try {
    return JSON.parse(text);
  } catch {
    throw new BundleError(`${url} is no list of weights`);
  }
}

async function cached(url, check) {
  try {
    const found = await (await caches.open(CACHE)).match(url);
    if (!found) return null;
    const bytes = new Uint8Array(await found.arrayBuffer());
    return (await check(bytes)) ? bytes : null;
  } catch {
    return null; // there is no cache, or it is out of order
  }
}

async function fetchOnce(url, check) {
  const before = await cached(url, check);
  if (before) return before;
  let bytes = await get(url);
  if (!(await check(bytes))) bytes = await get(url, 'reload'); // the browser's own cache may hold what was damaged once
  if (!(await check(bytes))) throw new BundleError(`the weights at ${url} are damaged: their hash is not what it should be`);
  try {
    await (await caches.open(CACHE)).put(url, new Response(bytes));
  } catch {
    // Without a cache, or room in it, they are fetched again next time.
  }
  return bytes;
}

async function get(url, cache = 'default') {
  let response;
  try {
    response = await fetch(url, { cache });
  } catch (error) {
    throw new BundleError(`the weights at ${url} cannot be fetched: ${error.message}`);
  }
  if (!response.ok) {
    const old = response.status === 404 && url.endsWith('SHA256SUMS') ? '; calotype-weights-archive has those of older versions' : '';
    throw new BundleError(`the weights at ${url} cannot be fetched: the server says ${response.status}${old}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
