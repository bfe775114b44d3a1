# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import numpy as np
import pytest

from calotype.comparison import difference as module
from calotype.comparison.alike import Pair
from calotype.comparison.difference import CAPTION, GAP, PANEL, amplification, difference, sheet


def pair(*changes: tuple[int, int, int], size: tuple[int, int] = (50, 300), dtype: type = np.uint8) -> Pair:
    """Grey pictures that differ at (row, column) by an amount."""
    a = np.full((*size, 3), 100, dtype)
    b = a.copy()
    for row, column, amount in changes:
        b[row, column, 1] += amount
    return Pair(a, b, ())


def test_largest_channel() -> None:
    found = difference(pair((3, 4, 20), (5, 6, 155)))
    assert found[3, 4] == 20 and found[5, 6] == 155 and found.sum() == 175
    assert difference(pair((3, 4, 300), dtype=np.uint16))[3, 4] == 2  # 300 of 65535, rounded up
    assert difference(pair((3, 4, 1), dtype=np.uint16))[3, 4] == 1  # nothing disappears


def test_amplification() -> None:
    assert amplification([np.zeros((9, 9), np.uint8)]) == 128
    assert amplification([np.full((9, 9), 10, np.uint8)]) == 16
    assert amplification([np.full((9, 9), 200, np.uint8)]) == 1
    few = np.full((100, 100), 3, np.uint8)
    few[0, :20] = 255
    assert amplification([few]) == 64  # a few bright pixels do not darken the rest
    assert amplification([few, np.full((100, 100), 30, np.uint8)]) == 8  # one factor for all


def test_sheet() -> None:
    made = sheet("a.png", [("b.png", "10 bytes", pair((20, 30, 9))), ("c.png", "9 bytes", pair())], factor=8)
    step = 300 + GAP
    assert made.size == (GAP + 3 * step, GAP + 2 * (CAPTION + 50 + GAP))
    top = GAP + CAPTION - 8
    assert made.getpixel((GAP + 30, top + 20)) == (100, 100, 100)
    assert made.getpixel((GAP + step + 30, top + 20)) == (100, 109, 100)
    palette = module._palette()
    assert made.getpixel((GAP + 2 * step + 30, top + 20)) == tuple(palette[72])
    assert made.getpixel((GAP + 2 * step + 31, top + 20)) == tuple(palette[0])
    caption = np.asarray(made.crop((GAP + 2 * step, GAP, GAP + 3 * step - GAP, top)))
    assert caption.max() > 200  # there is writing


def test_palette_goes_from_dark_to_light() -> None:
    lightness = module._palette() @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(lightness) > -0.5).all() and lightness[0] < 5 and lightness[-1] > 240


def test_large_pictures_are_reduced_and_small_ones_have_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PIXELS", 3 * 50 * 300 // 4)
    made = sheet("a.png", [("b.png", "", pair((21, 31, 9)))], factor=8)
    assert made.size == (GAP + 3 * (PANEL + GAP), GAP + CAPTION + 25 + GAP)
    place = (GAP + 2 * (PANEL + GAP) + 15, GAP + CAPTION - 8 + 10)
    assert made.getpixel(place) == tuple(module._palette()[72])  # a single pixel survives
    tiny = sheet("a name that is much too long for a picture of one pixel.png", [("b", "", pair(size=(1, 1)))])
    assert tiny.width == GAP + 3 * (PANEL + GAP)
