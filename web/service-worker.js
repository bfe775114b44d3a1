// SPDX-License-Identifier: BSD-3-Clause
// At the root of a site, so that it may answer for all of it: pictures as <img>, and the page itself when offline.
import './src/service-worker.js';
import './demo/offline.js';
