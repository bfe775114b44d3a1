# SPDX-License-Identifier: BSD-3-Clause
"""Binary decisions come back, and cost what the tables say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.engine.binary import LEVELS, certainty, check, cost, squares, tables, wrong_ones
from calotype.engine.entropy import Decoder, Encoder
from calotype.errors import FormatError


@given(st.integers(0, 10**6), st.integers(1, 4000))
def test_decisions_come_back_at_their_price(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    logits = np.rint(rng.normal(size=count) * 40).clip(-LEVELS, LEVELS).astype(np.float32)
    yes = rng.random(count) < 1 / (1 + np.exp(-logits / 16))
    encoder = Encoder(tables())
    encoder.encode(yes != (logits >= 0), certainty(logits))
    data = encoder.finish()
    decoder = Decoder(tables(), data)
    assert (((logits >= 0) != wrong_ones(decoder, certainty(logits))) == yes).all()
    decoder.finish()
    assert abs(8 * len(data) - cost(logits, yes).sum()) <= 64


def test_symbols_that_are_no_decisions_are_damage() -> None:
    encoder = Encoder(tables())
    encoder.encode(np.full(20, -1), np.full(20, 5, np.uint8))
    with pytest.raises(FormatError, match="holds what no encoder writes"):
        wrong_ones(Decoder(tables(), encoder.finish()), np.full(20, 5, np.uint8))


def test_squares_and_checks() -> None:
    even, odd = squares(3, 5)
    assert (even ^ odd).all() and even.sum() == 8 and even[0, 0]
    a = np.arange(6).reshape(2, 3)
    assert check(a) == check(a.astype(np.int16)) != check(a + 1)
