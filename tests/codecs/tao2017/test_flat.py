# SPDX-License-Identifier: BSD-3-Clause
"""Flat places stay as they are, and no other moves further than its surroundings vary."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.codecs.tao2017.flat import REACH, ROWS, limited


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 33, 1), (ROWS + 20, 9, 3)])
def test_moves_are_limited_by_what_varies_around(dtype: type, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    peak = np.iinfo(dtype).max
    before = np.full(shape, peak, dtype)
    before[: shape[0] // 3] = rng.integers(0, peak + 1, before[: shape[0] // 3].shape)
    after = rng.integers(0, peak + 1, shape).astype(dtype)
    result = limited(before, after.copy())
    around = [(REACH, REACH), (REACH, REACH), (0, 0)]
    side = 2 * REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(before, around, mode="edge"), (side, side), (0, 1))
    spread = (windows.max((-1, -2)).astype(int) - windows.min((-1, -2))).max(2, keepdims=True)
    expected = before + np.clip(after.astype(int) - before, -spread, spread)
    assert (result == expected).all()
