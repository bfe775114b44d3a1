# SPDX-License-Identifier: BSD-3-Clause
"""Cells stop where further bits are not worth it, earlier the dearer bits are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calotype.codecs.toderici2017.stopping import choose, settled


@given(st.integers(0, 10**6), st.floats(0, 100), st.floats(0, 100))
def test_dearer_bits_stop_cells_earlier(seed: int, price: float, other: float) -> None:
    errors = np.random.default_rng(seed).random((7, 3, 4), np.float32) * 900
    low, high = sorted((price, other))
    bits = np.full(6, 5.0)
    assert (choose(errors, bits, low) >= choose(errors, bits, high)).all()


def test_free_bits_go_to_the_least_error_and_dear_ones_stop_at_once() -> None:
    errors = np.array([9, 5, 3, 2.5, 4], np.float32)[:, None, None]
    bits = np.ones(4)
    assert choose(errors, bits, 0)[0, 0] == 3
    assert choose(errors, bits, 1)[0, 0] == 2
    assert choose(errors, bits, 1e9)[0, 0] == 1
    errors[3:] = np.inf  # never tried
    assert choose(errors, bits, 0)[0, 0] == 2
    each = np.array([1, 9, 1, 1.0])[:, None, None]
    assert choose(np.array([9, 5, 3, 1, 0.5], np.float32)[:, None, None], each, 1.0)[0, 0] == 1


def test_what_gains_nothing_has_settled() -> None:
    errors = np.array([900, 100, 50, 49, 48.5], np.float32)[:, None, None]
    assert settled(errors, 10, 1.0)
    assert not settled(errors[:4], 10, 1.0)
    assert not settled(errors, 10, 0.01)
    assert not settled(errors[:2], 10, 1e9)
