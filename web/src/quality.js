// SPDX-License-Identifier: BSD-3-Clause
// Qualities: 1 to 100 for people, whole numbers of 1/256 in files, 0 to 1 for networks.
import { FormatError, PictureError } from './errors.js';

const STEPS = 256;

/** To the nearest integer, half to even. */
export function roundEven(x) {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}

export function toStored(quality) {
  if (!(quality >= 1 && quality <= 100)) throw new PictureError(`quality ${quality} is outside of 1 to 100`);
  return roundEven(quality * STEPS);
}

export function fromStored(stored) {
  const quality = stored / STEPS;
  if (!(quality >= 1 && quality <= 100)) throw new FormatError(`the header names quality ${quality}, outside of 1 to 100`);
  return quality;
}

export const position = (stored) => (stored / STEPS - 1) / 99;
