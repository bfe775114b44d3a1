# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``rippel2017``."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from .bundle import Weights, samples
from .container import File, need, places
from .rans import Array, Stream
from .toderici2017 import FREQUENCIES, LIMITS, put_right


def digits(n: Array) -> Array:
    """Binary digits of whole numbers."""
    return np.ceil(np.log2(n + 1)).astype(int)


def planes(quality: int) -> list[int]:
    """Exponents, the largest first."""
    return list(range(320 * (25600 - quality) // 25344, 704, 64))[::-1]


class Tile:
    """The latents of a tile of so many cells, layer by layer."""

    def __init__(self, weights: Weights, exponents: list[int], rows: int, columns: int) -> None:
        self.weights, self.channels = weights, len(weights.arrays["limits"])
        self.n = np.zeros((self.channels, rows, columns), int)
        self.sign = np.zeros_like(self.n)
        self.last = [exponents[0] + 64] * 2  # of each group
        first = [(x, group) for x in exponents if x >= 384 for group in (0, 1)]
        self.layers = [first, *([(x, group)] for x in exponents if x < 384 for group in (0, 1))]
        even = np.indices((rows, columns)).sum(0) % 2 == 0
        self.halves = (even, ~even)

    def layer(self, number: int, payload: bytes) -> None:
        stream = Stream(payload[1:], LIMITS, FREQUENCIES)
        for x, group in self.layers[number]:
            self.plane(stream, x, group)
        stream.finish()
        known = (self.n * self.sign).astype(np.uint8).tobytes()
        need(payload[0] == zlib.crc32(known) & 255, "check of the latents")

    def plane(self, stream: Stream, x: int, group: int) -> None:
        c = self.channels // 2
        mine = slice(group * c, group * c + c)
        n, sign = self.n[mine], self.sign[mine]  # views
        n *= 2
        self.last[group] = x
        there = (64 * self.weights.arrays["limits"][mine].astype(int) > x)[:, None, None]
        for s, half in enumerate(self.halves):
            m = self.n.copy()
            m[c:] *= 2 if self.last[1] > self.last[0] else 1
            d = digits(m)
            hidden = self.weights.arrays[f"hidden_bias{group}"][s, x // 16][:, None, None]
            out = self.weights.arrays[f"out_bias{group}"][x // 16][:, None, None]
            z = np.rint(self.weights.run(f"context{group}", np.concatenate([d, d * self.sign]), hidden, out)[0]).astype(
                int
            )
            refinement = self.weights.arrays["refinement"].astype(int)
            fresh = n == 0
            likely = np.where(fresh, z[:c], refinement[np.minimum(digits(n), len(refinement) - 1)])
            n += put_right(stream, likely, half & there)
            signed = fresh & (n == 1) & half
            positive = put_right(stream, z[c:], signed)
            sign[signed] = np.where(positive, 1, -1)[signed]


def decode(file: File, folders: list[Path]) -> Array:
    weights = Weights(folders, file.bundle)
    exponents = planes(file.quality)
    need(file.side == 512 and file.layers == 13, "layers")
    h, w = -(-file.height // 16), -(-file.width // 16)
    cells = places(h, w, 32)
    tiles = [Tile(weights, exponents, r.stop - r.start, c.stop - c.start) for r, c in cells]
    for i, payload in enumerate(file.tiles):
        tiles[i % len(tiles)].layer(i // len(tiles), payload)
    latents, thresholds = np.zeros((tiles[0].channels, h, w)), np.zeros((2, h, w))
    for tile, place in zip(tiles, cells, strict=True):
        threshold = np.repeat(2.0 ** (np.array(tile.last) / 64), tile.channels // 2)[:, None, None]
        latents[:, *place] = np.where(tile.n > 0, tile.sign * (tile.n + 0.45) * threshold, 0)
        thresholds[:, *place] = np.array(tile.last)[:, None, None] / 64
    return samples(weights.run("synthesis", latents, thresholds)[0], file, file.height, file.width)
