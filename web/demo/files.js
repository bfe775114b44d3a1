// SPDX-License-Identifier: BSD-3-Clause
// What the page needs when there is no network, from the root of the site.
export const FILES = [
  'demo/',
  'demo/style.css',
  'demo/page.css',
  'demo/icon.svg',
  'demo/page.js',
  'demo/rivals.js',
  'demo/sample.js',
  'demo/stage.js',
  'demo/score-worker.js',
  'demo/ssimulacra2.js',
  'src/engine.wasm',
  'src/engine-relaxed.wasm',
  'src/worker.js',
  'weights/index.json',
].concat(
  [
    'alpha-encoder', 'bytes', 'container', 'decoding', 'encoding', 'engine', 'errors', 'flow', 'geometry', 'graph',
    'header', 'index', 'jobs', 'limits', 'lossless', 'memory', 'npz', 'onnx', 'picture', 'png', 'pool', 'prior', 'prior-encoder', 'quality',
    'rans', 'rans-encoder', 'rdoq', 'sha256', 'stills', 'talbot', 'tiles', 'weights', 'zlib',
  ].map((name) => `src/${name}.js`),
); // prettier-ignore
