# SPDX-License-Identifier: BSD-3-Clause
"""Squares of pixels become the planes and samples that depth-to-space and rounding would make of them."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.arrays import to_samples
from calotype.engine.squares import Squares


@pytest.mark.parametrize("block", [8, 16])
def test_squares_become_pictures(block: int) -> None:
    h, w, side = 3, 5, 8
    planes = np.random.default_rng(0).uniform(-0.7, 0.7, (3, h * side, w * side)).astype(np.float32)
    squares = planes.reshape(3, h, side, w, side).transpose(2, 4, 0, 1, 3)  # (row, column, channel, h, w)
    values = squares.reshape(-1, block, h, w).transpose(0, 2, 3, 1).copy()
    end = Squares(side, 3, 0.5, 0.0, 1.0)
    wanted = np.clip(planes + np.float32(0.5), 0, 1)
    assert (end.planes(values) == wanted).all()
    for depth in (8, 16):
        assert (end.samples(values, depth) == to_samples(wanted, depth)).all()
