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
    this.dead = new WeakSet(); // workers that failed, or were ended
    this.users = 0; // pictures that are being worked on, each of which counts on its workers
    this.closed = false;
  }

  /** End the workers as soon as nobody needs them. */
  close() {
    this.closed = true;
    this.sweep();
  }

  /** A picture is done that had been added to the users. */
  release() {
    this.users--;
    this.sweep();
  }

  sweep() {
    if (!this.closed || this.users || this.queue.length) return;
    for (const worker of this.idle.splice(0)) {
      this.workers--;
      this.dead.add(worker);
      worker.terminate();
    }
  }

  /**
   * The result of a job. An urgent one overtakes the others; one that is aborted before it begins is not done. Jobs
   * with the same `home`, an object, are done by the same worker.
   */
  run(job, { signal = null, urgent = false, home = null } = {}) {
    return new Promise((resolve, reject) => {
      const entry = { job, signal, urgent, home, resolve, reject };
      const behind = urgent ? this.queue.findIndex((other) => !other.urgent) : -1;
      if (behind < 0) this.queue.push(entry);
      else this.queue.splice(behind, 0, entry);
      this.next();
    });
  }

  next() {
    for (let i = 0; i < this.queue.length && (this.idle.length || this.workers < this.size); ) {
      const { signal, home, reject } = this.queue[i];
      const place = home?.worker ? this.idle.indexOf(home.worker) : this.idle.length - 1;
      if (signal?.aborted) reject(signal.reason);
      else if (this.dead.has(home?.worker)) reject(new CalotypeError('the worker failed that had begun this picture'));
      else if (home?.worker && place < 0) { // busy
        i++;
        continue;
      } else {
        const [entry] = this.queue.splice(i, 1);
        const worker = place < 0 ? this.start() : this.idle.splice(place, 1)[0];
        if (home) home.worker = worker;
        this.give(worker, entry);
        continue;
      }
      this.queue.splice(i, 1);
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
      this.sweep();
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
      this.dead.add(worker);
      reject(new CalotypeError(`the worker failed: ${event.message || 'its files cannot be fetched'}`));
      this.next();
    };
    worker.postMessage(job, buffers(job));
  }
}
