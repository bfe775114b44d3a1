// SPDX-License-Identifier: BSD-3-Clause
// The pieces of work that a picture is made of, each a message that a worker can take: `{do, ...} -> result`.
import { hasRelaxed } from './engine.js';
import { CalotypeError } from './errors.js';
import { decodeAlpha, encodePng } from './png.js';
import { decodeStill } from './stills.js';
import { Talbot } from './talbot.js';

const JOBS = {
  tile: (job, codec) => codec.decodeTile(job),
  draw: (job, codec) => codec.draw(job),
  leave: (job, codec) => codec.leave(job),
  analyse: (job, codec) => codec.analyse(job),
  code: (job, codec) => codec.encodeTile(job),
  warm: (job, codec) => codec.warm(job),
  still: (job) => decodeStill(job),
  decodeAlpha: ({ bytes, width, height, depth }) => decodeAlpha(bytes, width, height, depth),
  encodeAlpha: async ({ alpha, width, height }) => (await import('./alpha-encoder.js')).encodeAlpha(alpha, width, height),
  png: ({ samples, icc, cicp }) => encodePng(samples, { icc, cicp }),
};

/**
 * A function that does jobs.
 * @param loader of weights: `loader(tag)` gives the files of a bundle by name
 * @param {(relaxed: boolean) => Promise<WebAssembly.Module>} compile the engine
 */
export function performer(loader, compile = compileEngine) {
  let module = null;
  const codecs = new Map();
  const open = (tag) => {
    if (!codecs.has(tag)) {
      module ??= compile(hasRelaxed());
      module.catch(() => (module = null)); // so that another try may succeed
      const codec = module.then((compiled) => Talbot.open(loader(tag), compiled));
      codec.catch(() => codecs.delete(tag));
      codecs.set(tag, codec);
    }
    return codecs.get(tag);
  };
  return async (job) => JOBS[job.do](job, job.bundle && (await open(job.bundle)));
}

async function compileEngine(relaxed) {
  const url = relaxed ? new URL('./engine-relaxed.wasm', import.meta.url) : new URL('./engine.wasm', import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new CalotypeError(`the engine at ${url} cannot be fetched: the server says ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** Buffers of a message that can change hands instead of being copied. */
export const buffers = (message) => {
  const found = new Set();
  for (const value of [message, ...Object.values(message ?? {}), message?.samples?.data]) {
    if (ArrayBuffer.isView(value)) found.add(value.buffer);
  }
  return [...found];
};
