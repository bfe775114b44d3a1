// SPDX-License-Identifier: BSD-3-Clause
// Scores pictures away from the page: {id, original?, picture} -> {id, score}. The original stays from call to call.
import { ssimulacra2 } from './ssimulacra2.js';

let original = null;
addEventListener('message', ({ data }) => {
  original = data.original ?? original;
  postMessage({ id: data.id, score: ssimulacra2(original, data.picture) });
});
