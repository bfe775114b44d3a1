# SPDX-License-Identifier: BSD-3-Clause
"""Flat and drawn places stay as they are, and no other moves further than its surroundings vary."""

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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hard_edges_stay_where_a_picture_was_drawn(dtype: type) -> None:
    level = np.iinfo(dtype).max // 255
    drawn = np.full((60, 80, 3), 40 * level, dtype)
    drawn[20:40, 30] = 200 * level  # a line
    drawn[50:, :10] = 70 * level  # a square of little contrast
    after = np.random.default_rng(1).integers(0, 255 * level, drawn.shape).astype(dtype)
    assert (limited(drawn, after.copy(), drawn=True) == drawn).all()
    assert (limited(drawn, after.copy()) != drawn).any()


def test_a_ring_beside_an_edge_is_repaired_and_nothing_far_from_it() -> None:
    ringing = np.full((60, 80, 1), 40, np.uint8)
    ringing[:, 40:] = 200
    ringing[30, 38] = 43
    after = np.where(np.arange(80) < 40, 40, 200).astype(np.uint8)[None, :, None] + np.zeros((60, 1, 1), np.uint8)
    after[5, 41] = 190
    result = limited(ringing, after.copy(), drawn=True)
    assert result[30, 38] == 40
    assert result[5, 41] == 200
