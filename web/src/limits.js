// SPDX-License-Identifier: BSD-3-Clause
// Signature, version and limits of the format, as in calotype/container/limits.py.

export const SIGNATURE = Uint8Array.of(0x89, 0x43, 0x41, 0x4c, 0x4f, 0x0d, 0x0a);
export const VERSION = 1;
export const MAX_SIDE = 65535; // pixels
export const MAX_PIXELS = 2 ** 28;
export const SMALLEST_TILE = 64;
export const MAX_TILES = 66560; // layers times tiles
export const MAX_METADATA = 2 ** 24; // bytes of one profile, EXIF or XMP, deflated as well as inflated
export const MAX_UNKNOWN_BOXES = 1024;
