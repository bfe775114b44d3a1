# SPDX-License-Identifier: BSD-3-Clause
"""Colours under transparency become those of their neighbours, and visible ones stay."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.raster.bleeding import BLOCK, extend_colours


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_visible_colours_grow_over_what_nobody_sees(dtype: type) -> None:
    rng = np.random.default_rng(0)
    shape = (BLOCK + 30, 2 * BLOCK + 5)
    samples = rng.integers(0, 256, (*shape, 3)).astype(dtype)
    alpha = np.zeros(shape, dtype)
    alpha[10:20, 30:60] = 1
    samples[alpha != 0] = (200, 100, 50)
    filled = extend_colours(samples, alpha)
    assert np.abs(filled.astype(int) - (200, 100, 50)).max() <= 1
    samples[15, 40] = (1, 2, 3)
    assert (extend_colours(samples, alpha)[alpha != 0] == samples[alpha != 0]).all()


def test_what_is_opaque_is_not_copied_and_what_is_empty_has_one_colour() -> None:
    samples = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert extend_colours(samples, None) is samples
    assert extend_colours(samples, np.ones((4, 5), np.uint8)) is samples
    assert not extend_colours(samples, np.zeros((4, 5), np.uint8)).any()
