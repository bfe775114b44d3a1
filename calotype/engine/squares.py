# SPDX-License-Identifier: BSD-3-Clause
"""The end of a synthesis outside of its graph: depth-to-space, an offset, clipping, and from there to samples.

Channels come in blocks, those of a square of pixels as ``(row, column, channel)``: a row of a square is a run of bytes
of the picture, once numbers have become integers, and a picture is put together from runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Samples

WORD = 8  # bytes that are moved at once


@dataclass(frozen=True)
class Squares:
    """How values ``(blocks, h, w, block)`` become a picture.

    Attributes:
        side: of a square.
        channels: of the picture.
        offset: added to all values.
        low, high: what they are clipped to.
    """

    side: int
    channels: int
    offset: float
    low: float
    high: float

    def planes(self, values: Floats) -> Floats:
        """``(channels, side h, side w)``."""
        s, (_, h, w, _) = self.side, values.shape
        found = self._clipped(values).transpose(1, 2, 0, 3).reshape(h, w, -1)[..., : s * s * self.channels]
        return found.reshape(h, w, s, s, self.channels).transpose(4, 0, 2, 1, 3).reshape(self.channels, h * s, w * s)

    def samples(self, values: Floats, depth: int) -> Samples:
        """``(side h, side w, channels)`` of 8 or 16 bits, as :func:`calotype.arrays.from_planes` rounds them."""
        s, (_, h, w, block) = self.side, values.shape
        scaled = self._clipped(values)
        scaled *= np.float32((1 << depth) - 1)
        np.rint(scaled, out=scaled)
        size = depth // 8
        words = scaled.astype(f"u{size}").view(f"u{WORD}")  # (blocks, h, w, words of a block)
        a_block, a_row = block * size // WORD, s * self.channels * size // WORD
        rows = np.empty((h, s, w, a_row), words.dtype)
        for word in range(s * a_row):
            rows[:, word // a_row, :, word % a_row] = words[word // a_block, :, :, word % a_block]
        samples: Samples = rows.view(f"u{size}").reshape(h * s, w * s, self.channels)
        return samples

    def _clipped(self, values: Floats) -> Floats:
        moved = values + self.offset
        return np.clip(moved, self.low, self.high, out=moved)
