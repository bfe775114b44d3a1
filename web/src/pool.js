// SPDX-License-Identifier: BSD-3-Clause
// Plain workers that take jobs one by one: threads without SharedArrayBuffer, so that any static host will do.
import { CalotypeError, fromMessage } from './errors.js';
import { buffers } from './jobs.js';

export class Pool {
  /** @param {number} size most workers; they start when there is work @param {string} weights base URL */
  constructor(size, weights) {
    this.size = size;
    this.weights = weights;
    this.workers = 0;
    this.idle = [];
    this.queue = []; // urgent jobs in front
  }

  /** The result of a job. An urgent one overtakes the others; one that is aborted before it begins is not done. */
  run(job, { signal = null, urgent = false } = {}) {
    return new Promise((resolve, reject) => {
      const entry = { job, signal, urgent, resolve, reject };
      const behind = urgent ? this.queue.findIndex((other) => !other.urgent) : -1;
      if (behind < 0) this.queue.push(entry);
      else this.queue.splice(behind, 0, entry);
      this.next();
    });
  }

  next() {
    while (this.queue.length && (this.idle.length || this.workers < this.size)) {
      const entry = this.queue.shift();
      if (entry.signal?.aborted) entry.reject(entry.signal.reason);
      else this.give(this.idle.pop() ?? this.start(), entry);
    }
  }

  start() {
    this.workers++;
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.postMessage({ weights: this.weights });
    return worker;
  }

  give(worker, { job, resolve, reject }) {
    const done = () => {
      this.idle.push(worker);
      this.next();
    };
    worker.onmessage = ({ data }) => {
      if (data.error) reject(fromMessage(data.error));
      else resolve(data.result);
      done();
    };
    worker.onerror = (event) => { // its files cannot be fetched, or it ran out of memory: begin anew with the next job
      event.preventDefault?.();
      this.workers--;
      worker.terminate();
      reject(new CalotypeError(`the worker failed: ${event.message || 'its files cannot be fetched'}`));
      this.next();
    };
    worker.postMessage(job, buffers(job));
  }
}
