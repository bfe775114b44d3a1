// SPDX-License-Identifier: BSD-3-Clause
// Payload of a tile of `talbot-stills`: the network's, a still, both, or samples (calotype/codecs/talbot/tiles.py).
import { view } from './bytes.js';
import { FormatError } from './errors.js';

const CELL = 64; // pixels
const LATENTS = 4; // of a cell, a side
const [STILL, BOTH, SAMPLES] = [1, 2, 3];

/** Whether a payload is the network's alone. */
export const isNetwork = (payload) => payload.length % 4 === 2;

/**
 * The parts of a tile of so many pixels: {network, still, raw, cells}, each null if there is none. `cells` has a byte
 * for each, 1 where the pixels are the still's. FormatError if they do not fit.
 */
export function parse(payload, height, width) {
  const parts = { network: null, still: null, raw: null, cells: null };
  if (isNetwork(payload)) return { ...parts, network: payload };
  if (payload.length % 4 || !payload.length) throw new FormatError(`a tile cannot have ${payload.length} bytes`);
  const [kind, padding] = payload;
  if (kind < STILL || kind > SAMPLES) {
    throw new FormatError(`tiles of kind ${kind} are unknown: a newer Calotype wrote this file, upgrade to read it`);
  }
  const end = payload.length - padding;
  if (padding > 3 || end < 2 || payload.subarray(end).some((byte) => byte)) throw new FormatError('the tile does not end as it should');
  const rest = payload.subarray(2, end);
  const count = Math.ceil(height / CELL) * Math.ceil(width / CELL);
  const cells = new Uint8Array(count).fill(1);
  if (kind === STILL) return { ...parts, still: rest, cells };
  if (kind === SAMPLES) return { ...parts, raw: rest, cells };
  const start = 4 + Math.ceil(count / 8);
  const size = rest.length < start ? -1 : view(rest).getUint32(0, true);
  if (size < 0 || start + size > rest.length || size % 4 !== 2) throw new FormatError("the network's part of the tile is cut short");
  const bit = (i) => (rest[4 + (i >> 3)] >> (7 - (i & 7))) & 1;
  for (let i = 0; i < count; i++) cells[i] = bit(i);
  const rests = Array.from({ length: 8 * (start - 4) - count }, (_, i) => bit(count + i));
  if (rests.some(Boolean) || cells.every(Boolean) || !cells.some(Boolean)) {
    throw new FormatError("the tile does not say which cells are the network's");
  }
  return { ...parts, network: rest.subarray(start, start + size), still: rest.subarray(start + size), cells };
}

/** The latents (h, w) that the network codes, a byte each, by the cells that it leaves out. */
export function latentsKept(cells, h, w) {
  const across = Math.ceil(w / LATENTS);
  const kept = new Uint8Array(h * w);
  for (let y = 0, at = 0; y < h; y++) {
    for (let x = 0; x < w; x++) kept[at++] = 1 - cells[Math.floor(y / LATENTS) * across + Math.floor(x / LATENTS)];
  }
  return kept;
}

/** Whether the pixel at (x, y) of a tile so many pixels wide is the still's. */
export const isStill = (cells, width, x, y) => cells[Math.floor(y / CELL) * Math.ceil(width / CELL) + Math.floor(x / CELL)];
