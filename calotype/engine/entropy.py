# SPDX-License-Identifier: BSD-3-Clause
"""Integer probability tables <-> rANS bytes.

A :class:`Tables` holds one table of frequencies for each *level* of scale. Symbols are coded in groups of one level,
each group with its stored table, by a range asymmetric numeral system (:mod:`calotype.engine.ans`). Level 0 stands for
"zero for certain": nothing is coded.

The frequencies are integers that sum to exactly 2^24, so that encoder and decoder agree on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BundleError, FormatError
from . import ans
from .ans import PRECISION, Symbols
from .once import cached_attribute

ESCAPE_BITS = 12  # an escaped symbol is two raw numbers of 12 bits
ESCAPE_OFFSET = 1 << (2 * ESCAPE_BITS - 1)  # escaped symbols lie in -2^23 .. 2^23 - 1

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tables:
    """Frequencies of the symbols ``-limit .. limit`` and, last, of the escape, for each level but level 0.

    Attributes:
        limits: ``(levels,)`` largest magnitude that a level's table holds; 0 for level 0.
        frequencies: all tables one behind the other, ``sum(2 * limits[1:] + 2)`` positive integers.
    """

    limits: npt.NDArray[np.int32]
    frequencies: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        sizes = 2 * self.limits[1:].astype(np.int64) + 2
        if len(self.limits) < 2 or (self.limits[1:] < 1).any() or sizes.sum() != len(self.frequencies):
            raise BundleError("the probability tables contradict their own sizes: the bundle is damaged")
        for table in self:
            if (table < 1).any() or int(table.sum()) != 1 << PRECISION:
                raise BundleError(f"a probability table does not sum to 2^{PRECISION}: the bundle is damaged")

    def __iter__(self) -> Iterator[npt.NDArray[np.int64]]:
        """The tables of levels 1, 2, ..."""
        ends = np.cumsum(2 * self.limits[1:].astype(np.int64) + 2)
        for start, end in zip(np.concatenate(([0], ends[:-1])), ends, strict=True):
            yield self.frequencies[start:end].astype(np.int64)

    @cached_attribute
    def models(self) -> list[Any]:
        """One model a level; None for level 0."""
        return [None, *map(ans.table, self)]

    @cached_attribute
    def bits(self) -> list[npt.NDArray[np.float64]]:
        """Cost in bits of each table's symbols, as the tables predict it; an empty array for level 0."""
        cost = [PRECISION - np.log2(table) for table in self]
        for table in cost:
            table[-1] += 2 * ESCAPE_BITS
        return [np.zeros(0), *cost]


def gaussian_tables(scales: npt.NDArray[np.float64], tail: float = 2.0**-22) -> Tables:
    """Tables of rounded, zero-mean Gaussians.

    Args:
        scales: standard deviations of the levels; that of level 0 is not used.
        tail: probability on each side that is left to the escape.
    """
    tables = []
    for scale in scales[1:]:
        limit = 1
        while 0.5 * math.erfc((limit + 0.5) / scale / math.sqrt(2)) > tail:
            limit += 1
        tables.append(frequencies(gaussian(scale, limit)))
    return from_frequencies(tables)


def gaussian(scale: float, limit: int) -> npt.NDArray[np.float64]:
    """Probabilities of a rounded, zero-mean Gaussian: of ``-limit .. limit`` and, last, of everything beyond."""
    edges = (np.arange(-limit, limit + 2) - 0.5) / scale / math.sqrt(2)
    # erfc of the distance from zero keeps its precision in both tails.
    upper = np.array([math.erfc(abs(e)) for e in edges])
    cumulative = np.where(edges < 0, 0.5 * upper, 1 - 0.5 * upper)
    return np.append(np.diff(cumulative), upper[-1])


def frequencies(p: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Positive integers that sum to 2^24, about in proportion to ``p``, of ``-limit .. limit`` and the escape."""
    size = len(p)
    table: npt.NDArray[np.int64] = 1 + np.floor(p / p.sum() * ((1 << PRECISION) - size)).astype(np.int64)
    table[size // 2 - 1] += (1 << PRECISION) - table.sum()  # what rounding left goes to zero, the most probable
    return table


def from_frequencies(tables: Sequence[npt.NDArray[np.int64]]) -> Tables:
    """The tables of levels 1, 2, ..."""
    limits = [0, *((len(table) - 2) // 2 for table in tables)]
    return Tables(np.array(limits, np.int32), np.concatenate(tables).astype(np.int32))


def group_by_level(levels: Levels) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """The positions of each level above 0, in rising order of level, then of position."""
    coded = np.flatnonzero(levels != 0)  # of truth values it is found faster
    present = levels[coded]
    order = coded[np.argsort(present, kind="stable")]
    ends = np.cumsum(np.bincount(present, minlength=1))
    starts = np.concatenate(([0], ends[:-1]))
    return [(level, order[a:b]) for level, (a, b) in enumerate(zip(starts, ends, strict=True)) if b > a]


class Encoder:
    """Collects symbols in decoding order; :meth:`finish` writes them backwards, as a stack wants them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.groups: list[tuple[int, Symbols]] = []

    def encode(self, symbols: npt.NDArray[Any], levels: Levels) -> None:
        """Append ``symbols`` (flat whole numbers); those of level 0 must be zero and take no space."""
        for level, where in group_by_level(levels):
            self.groups.append((level, symbols[where].astype(np.int32)))

    def symbols(self) -> Symbols:
        """All coded symbols in decoding order."""
        return np.concatenate([g for _, g in self.groups]) if self.groups else np.zeros(0, np.int32)

    def predicted_bits(self) -> float:
        """Cost of the symbols by the tables."""
        total = 0.0
        for level, group in self.groups:
            limit = int(self.tables.limits[level])
            escaped = np.abs(group) > limit
            total += float(self.tables.bits[level][np.where(escaped, 2 * limit + 1, group + limit)].sum())
        return total

    def finish(self) -> bytes:
        """The stream: little-endian words of 32 bits."""
        coder, raw = ans.coder(), ans.uniform(ESCAPE_BITS)
        for level, group in reversed(self.groups):
            limit = int(self.tables.limits[level])
            escaped = np.abs(group) > limit
            if escaped.any():
                values = group[escaped] + ESCAPE_OFFSET
                parts = np.stack((values >> ESCAPE_BITS, values & ((1 << ESCAPE_BITS) - 1)), 1)
                coder.encode_reverse(parts.reshape(-1).astype(np.int32), raw)
            index = np.where(escaped, 2 * limit + 1, group + limit).astype(np.int32)
            coder.encode_reverse(index, self.tables.models[level])
        return bytes(coder.get_compressed().astype("<u4").tobytes())


class Decoder:
    """Reads symbols in the order in which an :class:`Encoder` was given them."""

    def __init__(self, tables: Tables, data: bytes) -> None:
        if len(data) % 4:
            raise FormatError("the entropy-coded data is not a whole number of 32-bit words: the tile is damaged")
        words = np.frombuffer(data, "<u4").astype(np.uint32)
        if len(words) and words[-1] == 0:
            raise FormatError("the entropy-coded data ends in an empty word: the tile is damaged")
        self.tables = tables
        self.coder, self.raw = ans.coder(words), ans.uniform(ESCAPE_BITS)
        self.groups: list[Symbols] = []

    def decode(self, levels: Levels) -> Symbols:
        """Symbols like ``levels`` (flat), zeros where the level is 0."""
        symbols = np.zeros(len(levels), np.int32)
        for level, where in group_by_level(levels):
            limit = int(self.tables.limits[level])
            group: Symbols = self.coder.decode(self.tables.models[level], len(where)) - np.int32(limit)
            if group.max() > limit:
                escaped = np.flatnonzero(group > limit)
                parts = self.coder.decode(self.raw, 2 * len(escaped)).reshape(-1, 2)
                group[escaped] = (parts[:, 0] << ESCAPE_BITS) + parts[:, 1] - ESCAPE_OFFSET
            symbols[where] = group
            self.groups.append(group)
        return symbols

    def symbols(self) -> Symbols:
        """All symbols decoded so far, in order."""
        return np.concatenate(self.groups) if self.groups else np.zeros(0, np.int32)

    def finish(self) -> None:
        """Check that nothing is left over."""
        if not self.coder.is_empty():
            raise FormatError("the entropy-coded data continues after the last symbol: the tile is damaged")
