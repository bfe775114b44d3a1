# SPDX-License-Identifier: BSD-3-Clause
"""The coder in Python is the one of constriction, to the bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import calotype
from calotype.engine import ans
from calotype.engine.ans import PRECISION, PythonCoder, Table
from calotype.engine.entropy import Decoder, Encoder, gaussian_tables

FULL = 1 << PRECISION
FREQUENCIES = (
    [FULL // 2, FULL // 2], [FULL - 1, 1], [1, FULL - 2, 1], [1000, 2000, FULL - 8000, 3000, 1000, 1000],
    [FULL // 4096] * 4096,
)  # fmt: skip
GROUPS = st.lists(
    st.integers(0, len(FREQUENCIES) - 1).flatmap(
        lambda i: st.tuples(st.just(i), st.lists(st.integers(0, len(FREQUENCIES[i]) - 1), max_size=40))
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(GROUPS)
def test_both_coders_make_and_read_the_same_words(groups: list[tuple[int, list[int]]]) -> None:
    if ans.library() is None:
        pytest.skip("constriction is not installed")
    tables, models = [Table(f) for f in FREQUENCIES], [ans.table(np.array(f)) for f in FREQUENCIES]
    ours, theirs = PythonCoder(), ans.coder()
    for i, symbols in reversed(groups):
        ours.encode_reverse(np.array(symbols, np.int32), tables[i])
        theirs.encode_reverse(np.array(symbols, np.int32), models[i])
    words = theirs.get_compressed()
    np.testing.assert_array_equal(ours.get_compressed(), words)
    ours, theirs = PythonCoder(words), ans.coder(words)
    for i, symbols in groups:
        assert ours.decode(tables[i], len(symbols)).tolist() == symbols
        assert theirs.decode(models[i], len(symbols)).tolist() == symbols
    assert ours.is_empty() and theirs.is_empty()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 2**32 - 1), max_size=6))
def test_both_read_the_same_from_any_words(words: list[int]) -> None:
    if ans.library() is None:
        pytest.skip("constriction is not installed")
    for frequencies in FREQUENCIES:
        ours, theirs = PythonCoder(np.array(words, np.uint32)), ans.coder(np.array(words, np.uint32))
        found = ours.decode(Table(frequencies), 30), theirs.decode(ans.table(np.array(frequencies)), 30)
        np.testing.assert_array_equal(*found)
        assert ours.is_empty() == theirs.is_empty()


def test_streams_without_the_package_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    scales = np.geomspace(0.11, 256, 64)
    levels = rng.integers(0, 64, 2000).astype(np.uint8)
    symbols = np.where(levels > 0, np.rint(rng.normal(size=2000) * scales[levels]), 0).astype(np.int32)
    symbols[levels == 9] = 8_388_607  # escaped

    def stream() -> bytes:
        encoder = Encoder(gaussian_tables(scales))
        encoder.encode(symbols, levels)
        return encoder.finish()

    with_it = stream()
    monkeypatch.setattr(ans, "library", lambda: None)
    assert stream() == with_it
    decoder = Decoder(gaussian_tables(scales), with_it)
    np.testing.assert_array_equal(decoder.decode(levels), symbols)
    decoder.finish()


def test_files_are_the_same_where_the_package_is_missing() -> None:
    code = (
        "import sys; sys.modules['constriction'] = None\n"
        "import numpy as np, calotype\n"
        "picture = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)\n"
        "data = calotype.encode(picture, threads=1)\n"
        "print(data.hex(), calotype.decode(data, threads=1, as_array=True).sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    picture = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    data = calotype.encode(picture, threads=1)
    assert done.stdout.split() == [data.hex(), str(calotype.decode(data, threads=1, as_array=True).sum())]
