# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``toderici2017``."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from .bundle import Weights, samples
from .container import File, need, places
from .rans import Array, Stream

WRONG = [round(2**24 / (1 + np.exp((level - 1 / 2) / 16))) for level in range(1, 96)]
FREQUENCIES = np.array([[1, 2**24 - 2 - wrong, wrong, 1] for wrong in WRONG]).reshape(-1)
LIMITS = np.array([0] + [1] * 95)


def rounded(v: Array, e: Array, m: int) -> Array:
    return np.rint(v * 2.0 ** e[:, None, None]).clip(-m, m)


def put_right(stream: Stream, z: Array, coded: Array) -> Array:
    """Whether it is 1 (or stops) where something is coded, by predictions and what the stream says of them."""
    symbols = stream.read(np.where(coded, np.clip(abs(z) + (z >= 0), 1, 95), 0))
    need(((symbols == 0) | (symbols == 1)).all(), "symbols")
    return coded & ((z >= 0) != (symbols == 1))


class Tile:
    """The bits of a tile of so many cells, layer by layer."""

    def __init__(self, codes: dict[str, Array], rows: int, columns: int) -> None:
        self.codes = {name: array.astype(np.float64) for name, array in codes.items()}
        self.sums = np.zeros((codes["entry"].shape[1], rows, columns))
        self.stopped = np.zeros((rows, columns), bool)
        even = np.indices((rows, columns)).sum(0) % 2 == 0
        self.halves = (even, ~even)

    def layer(self, t: int, payload: bytes) -> Array:
        bits = np.zeros((self.codes["out"].shape[1], *self.stopped.shape))
        if t and not payload:
            self.stopped[:] = True
        if self.stopped.all():
            need(not payload, "something behind the end of a tile")
            return bits
        stream = Stream(payload[2 if t else 1 :], LIMITS, FREQUENCIES)
        for half, byte in zip(self.halves, payload[:2] if t else b"", strict=bool(t)):
            around = np.pad(self.stopped, 1)
            n = sum(around[i:, j:][: len(half), : half.shape[1]].astype(int) for i in range(3) for j in range(3))
            z = np.clip(12 * (byte >> 4) - 96 + 3 * (byte & 15) * (n - self.stopped), -96, 96)
            self.stopped |= put_right(stream, z, half & ~self.stopped)
        for p in range(4):
            coded = np.zeros(bits.shape, bool)
            coded[p // 2 * len(bits) // 2 :][: len(bits) // 2] = self.halves[p % 2] & ~self.stopped
            ones = put_right(stream, self.predictions(t, p, bits), coded)
            bits[coded] = np.where(ones, 1, -1)[coded]
        stream.finish()
        need(t or payload[0] == zlib.crc32(bits.astype("i1").tobytes()) & 255, "check of the bits")
        self.sums += np.tensordot(self.codes["entry"][t], bits, 1)
        return bits

    def predictions(self, t: int, p: int, bits: Array) -> Array:
        c = {name: array[t] for name, array in self.codes.items()}
        x = np.pad(np.concatenate([self.sums.clip(-2047, 2047), 511 * bits]), ((0, 0), (2, 2), (2, 2)))
        near = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))
        x = rounded(np.einsum("crwij,cij->crw", near, c["depthwise"]), c["depthwise_shift"], 2047)
        y = np.maximum(np.tensordot(c["hidden"], x, 1) + c["hidden_bias"][p][:, None, None], 0)
        y = rounded(y, c["hidden_shift"], 1023)
        return rounded(np.tensordot(c["out"], y, 1) + c["out_bias"][:, None, None], c["out_shift"], 96)


def decode(file: File, folders: list[Path]) -> Array:
    weights = Weights(folders, file.bundle)
    need(file.side == 512 and 0 < file.layers <= weights.configuration["iterations"], "layers")
    h, w = -(-file.height // 16), -(-file.width // 16)
    cells = places(h, w, 32)
    tiles = [Tile(weights.arrays, r.stop - r.start, c.stop - c.start) for r, c in cells]
    inputs = weights.graph("update").get_inputs()[1:5]
    states = [np.zeros((i.shape[1], h * k, w * k)) for i, k in zip(inputs, (1, 2, 2, 1), strict=True)]
    for t in range(-(-len(file.tiles) // len(tiles))):
        bits = np.zeros((weights.arrays["out"].shape[1], h, w))
        payloads = file.tiles[t * len(tiles) : (t + 1) * len(tiles)]
        for tile, place, payload in zip(tiles, cells, payloads, strict=False):
            bits[:, *place] = tile.layer(t, payload)
        states = weights.run("update", bits, *states, np.array([t]))[:4]
    return samples(weights.run("picture", *states[2:])[0], file, file.height, file.width)
