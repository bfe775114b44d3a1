# SPDX-License-Identifier: BSD-3-Clause
"""Entropy coding: round trips, exact frequencies, and the stream read by an independent decoder."""

from __future__ import annotations

import bisect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calotype.engine.ans import PRECISION
from calotype.engine.entropy import ESCAPE_BITS, ESCAPE_OFFSET, Decoder, Encoder, Tables, gaussian_tables
from calotype.errors import BundleError, FormatError

SCALES = np.geomspace(0.11, 256, 64)
TABLES = gaussian_tables(SCALES)


def rans_decode(tables: Tables, data: bytes, levels: np.ndarray) -> list[int]:
    """The decoder as docs/format.md describes it, one symbol at a time, in Python integers."""
    words = [int(w) for w in np.frombuffer(data, "<u4")]
    state = 0
    while words and state < 1 << 32:
        state = state << 32 | words.pop()

    def take(cumulative: list[int]) -> int:
        nonlocal state
        slot = state & ((1 << PRECISION) - 1)
        symbol = bisect.bisect_right(cumulative, slot) - 1
        frequency = cumulative[symbol + 1] - cumulative[symbol]
        state = frequency * (state >> PRECISION) + slot - cumulative[symbol]
        if state < 1 << 32 and words:
            state = state << 32 | words.pop()
        return symbol

    sums = [None, *([0, *np.cumsum(t).tolist()] for t in tables)]
    raw = [i << (PRECISION - ESCAPE_BITS) for i in range((1 << ESCAPE_BITS) + 1)]
    result = [0] * len(levels)
    for level in range(1, len(tables.limits)):
        where = np.flatnonzero(levels == level)
        limit = int(tables.limits[level])
        values = [take(sums[level]) - limit for _ in where]
        for i, value in enumerate(values):
            if value > limit:
                values[i] = (take(raw) << ESCAPE_BITS) + take(raw) - ESCAPE_OFFSET
        for i, value in zip(where, values, strict=True):
            result[i] = value
    assert state == 0 and not words
    return result


def sample(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 64, count).astype(np.uint8)
    symbols = np.where(levels > 0, np.rint(rng.normal(size=count) * SCALES[levels]), 0).astype(np.int32)
    return symbols, levels


def test_tables_sum_to_a_power_of_two() -> None:
    for table in TABLES:
        assert table.sum() == 1 << PRECISION and table.min() >= 1


def test_an_independent_decoder_reads_the_stream() -> None:
    symbols, levels = sample(1, 300)
    levels[:4], symbols[:4] = 5, (100, -100, 8_388_607, -8_388_608)
    encoder = Encoder(TABLES)
    encoder.encode(symbols, levels)
    assert rans_decode(TABLES, encoder.finish(), levels) == symbols.tolist()


def test_golden_stream() -> None:
    # Small tables by hand: a change of these bytes is a change of the file format.
    full = 1 << PRECISION
    frequencies = [full // 4, full // 2 - 1, full // 4, 1, 1000, 2000, full - 8000, 3000, 1000, 1000]
    tables = Tables(np.array([0, 1, 2], np.int32), np.array(frequencies, np.int32))
    encoder = Encoder(tables)
    encoder.encode(np.array([0, 1, -1, 2, 0, 0, 7, -2, 1, -700]), np.array([0, 1, 1, 2, 2, 1, 1, 2, 1, 2], np.uint8))
    assert encoder.finish().hex() == GOLDEN


GOLDEN = "9890b050a77a00ffffffff0ed4c1ca841c000000"


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint8, st.integers(0, 200), elements=st.integers(0, 63)).flatmap(
        lambda levels: st.tuples(
            st.just(levels),
            hnp.arrays(np.int32, levels.shape, elements=st.integers(-(2**23), 2**23 - 1) | st.integers(-9, 9)),
        )
    )
)
def test_round_trip(case: tuple[np.ndarray, np.ndarray]) -> None:
    levels, symbols = case
    symbols = np.where(levels > 0, symbols, 0)
    encoder = Encoder(TABLES)
    encoder.encode(symbols, levels)
    encoder.encode(symbols[::-1], levels[::-1])
    decoder = Decoder(TABLES, encoder.finish())
    np.testing.assert_array_equal(decoder.decode(levels), symbols)
    np.testing.assert_array_equal(decoder.decode(np.ascontiguousarray(levels[::-1])), symbols[::-1])
    np.testing.assert_array_equal(decoder.symbols(), encoder.symbols())
    decoder.finish()


def test_size_is_what_the_tables_predict() -> None:
    symbols, levels = sample(3, 100_000)
    encoder = Encoder(TABLES)
    encoder.encode(symbols, levels)
    assert 8 * len(encoder.finish()) == pytest.approx(encoder.predicted_bits(), rel=1e-3)


def test_leftover_and_odd_data_are_errors() -> None:
    symbols, levels = sample(4, 100)
    encoder = Encoder(TABLES)
    encoder.encode(symbols, levels)
    data = encoder.finish()
    with pytest.raises(FormatError, match="whole number"):
        Decoder(TABLES, data[:-1])
    with pytest.raises(FormatError, match="empty word"):
        Decoder(TABLES, data + bytes(4))
    decoder = Decoder(TABLES, data)
    decoder.decode(levels[:50])
    with pytest.raises(FormatError, match="continues after the last symbol"):
        decoder.finish()


def test_damaged_tables_are_refused() -> None:
    with pytest.raises(BundleError):
        Tables(TABLES.limits, TABLES.frequencies[:-1])
    wrong = TABLES.frequencies.copy()
    wrong[0] += 1
    with pytest.raises(BundleError):
        Tables(TABLES.limits, wrong)
