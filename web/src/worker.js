// SPDX-License-Identifier: BSD-3-Clause
// A worker that does one job after the other. The first message says where the weights are.
import { toMessage } from './errors.js';
import { buffers, performer } from './jobs.js';
import { Weights } from './weights.js';

let perform = null;

addEventListener('message', async ({ data }) => {
  if (!perform) {
    const weights = new Weights(data.weights);
    perform = performer((tag) => weights.loader(tag));
    return;
  }
  try {
    const result = await perform(data);
    postMessage({ result }, buffers(result));
  } catch (error) {
    postMessage({ error: toMessage(error) });
  }
});
