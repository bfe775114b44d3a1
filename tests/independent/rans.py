# SPDX-License-Identifier: BSD-3-Clause
"""The entropy decoder: levels in, symbols out."""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from itertools import accumulate
from typing import Any

import numpy as np

from .container import need

Array = np.ndarray[Any, Any]
UNIFORM = list(range(0, (1 << 24) + 1, 4096))


class Stream:
    """A stream of words, of which the symbols of one stage after the other are read."""

    def __init__(self, data: bytes, limits: Array, frequencies: Array) -> None:
        self.words = list(struct.unpack(f"<{len(data) // 4}I", data))
        self.state = 0
        while self.words and self.state < 1 << 32:
            self.state = self.state << 32 | self.words.pop()
        self.limits = [int(limit) for limit in limits]
        ends = np.cumsum([2 * limit + 2 for limit in self.limits[1:]])[:-1]
        self.tables = [[0], *([0, *accumulate(table.tolist())] for table in np.split(frequencies, ends))]
        self.symbols = [np.zeros(0, np.int32)]  # of all stages, in coding order

    def symbol(self, sums: list[int]) -> int:
        slot = self.state & 0xFFFFFF
        i = bisect_right(sums, slot) - 1
        self.state = (sums[i + 1] - sums[i]) * (self.state >> 24) + slot - sums[i]
        if self.state < 1 << 32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        return i

    def read(self, levels: Array) -> Array:
        """Symbols of a stage; 0 where the level is 0 and nothing is coded."""
        flat, symbols = levels.reshape(-1), np.zeros(levels.size, np.int32)
        for level in range(1, len(self.limits)):
            here, limit = np.flatnonzero(flat == level), self.limits[level]
            values = [self.symbol(self.tables[level]) - limit for _ in here]
            for k, value in enumerate(values):
                if value > limit:
                    high, low = self.symbol(UNIFORM), self.symbol(UNIFORM)
                    values[k] = (high << 12) + low - (1 << 23)
            symbols[here] = values
            self.symbols.append(symbols[here])
        return symbols.reshape(levels.shape)

    def finish(self) -> None:
        need(self.state == 0 and not self.words, "end of the stream")

    def check(self) -> int:
        return zlib.crc32(np.concatenate(self.symbols).astype("<i4").tobytes())
