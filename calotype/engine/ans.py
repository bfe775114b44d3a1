# SPDX-License-Identifier: BSD-3-Clause
"""Range asymmetric numeral system: symbols <-> words of 32 bits, one behind the other as on a stack.

J. Duda, "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with compression rate of
arithmetic coding", 2013 (arXiv 1311.2540); 24 bits of precision, a state of 64 bits.

The package `constriction` does it where it is installed. It has no builds for Linux on ARM and other rare machines:
there :class:`PythonCoder` takes its place, with the same streams to the bit, at about a microsecond a symbol.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

PRECISION = 24  # bits: frequencies of a table sum to 2^24
WORD = 32  # bits
FULL = 1 << WORD  # a state at least as large is refilled no further

Symbols = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint32]


class Coder(Protocol):
    """A stack of symbols; a model is what :func:`table` or :func:`uniform` made."""

    def encode_reverse(self, symbols: Symbols, model: Any) -> None:
        """Push symbols, the last one first, so that :meth:`decode` gives them in order."""

    def decode(self, model: Any, count: int) -> Symbols:
        """Pop so many symbols."""

    def get_compressed(self) -> Words:
        """All that is on the stack."""

    def is_empty(self) -> bool:
        """Whether nothing is on the stack."""


class Table:
    """Frequencies of the symbols 0, 1, ..., which sum to 2^24."""

    def __init__(self, frequencies: Iterable[int]) -> None:
        self.frequencies = list(frequencies)
        self.sums = [0, *accumulate(self.frequencies)]


class PythonCoder:
    """The coder in Python's whole numbers.

    Args:
        words: of a stream to decode.
    """

    def __init__(self, words: Words | None = None) -> None:
        self.words: list[int] = [] if words is None else words.tolist()
        self.state = 0
        while self.words and self.state < FULL:
            self.state = self.state << WORD | self.words.pop()

    def encode_reverse(self, symbols: Symbols, model: Table) -> None:
        """See :class:`Coder`."""
        frequencies, sums, state = model.frequencies, model.sums, self.state
        for symbol in reversed(symbols.tolist()):
            frequency = frequencies[symbol]
            if state >> (2 * WORD - PRECISION) >= frequency:
                self.words.append(state & (FULL - 1))
                state >>= WORD
            whole, part = divmod(state, frequency)
            state = whole << PRECISION | (sums[symbol] + part)
        self.state = state

    def decode(self, model: Table, count: int) -> Symbols:
        """See :class:`Coder`."""
        frequencies, sums, state, words = model.frequencies, model.sums, self.state, self.words
        symbols = [0] * count
        for i in range(count):
            slot = state & ((1 << PRECISION) - 1)
            symbols[i] = symbol = bisect_right(sums, slot) - 1
            state = frequencies[symbol] * (state >> PRECISION) + slot - sums[symbol]
            if state < FULL and words:
                state = state << WORD | words.pop()
        self.state = state
        return np.array(symbols, np.int32)

    def get_compressed(self) -> Words:
        """See :class:`Coder`."""
        words, state = list(self.words), self.state
        while state:
            words.append(state & (FULL - 1))
            state >>= WORD
        return np.array(words, np.uint32)

    def is_empty(self) -> bool:
        """See :class:`Coder`."""
        return not self.words and not self.state


@cache
def library() -> Any:
    """The package `constriction`; None where it is not installed."""
    try:
        import constriction
    except ImportError:
        return None
    return constriction.stream


def table(frequencies: npt.NDArray[np.int64]) -> Any:
    """A model of symbols with these frequencies, positive and 2^24 in sum."""
    if (stream := library()) is None:
        return Table(frequencies.tolist())
    # constriction gives every symbol one unit and shares the rest in proportion: taking one away beforehand
    # leaves weights that sum to just that rest, and so the frequencies come out exactly as they are stored.
    return stream.model.Categorical((frequencies - 1).astype(np.float64), perfect=False)


def uniform(bits: int) -> Any:
    """A model of 2^bits symbols that are equally likely."""
    stream = library()
    return Table([1 << (PRECISION - bits)] * (1 << bits)) if stream is None else stream.model.Uniform(1 << bits)


def coder(words: Words | None = None) -> Coder:
    """An empty stack, or one with the words of a stream on it."""
    if (stream := library()) is None:
        return PythonCoder(words)
    made: Coder = stream.stack.AnsCoder() if words is None else stream.stack.AnsCoder(words)
    return made
