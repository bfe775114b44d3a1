# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calotype.engine.tiling import Rectangle, grid, pad_to


@st.composite
def rectangles(draw: st.DrawFn) -> Rectangle:
    left, top = draw(st.integers(0, 60)), draw(st.integers(0, 60))
    return Rectangle(left, top, left + draw(st.integers(1, 60)), top + draw(st.integers(1, 60)))


@given(rectangles(), st.integers(1, 40))
def test_grid_covers_the_area_once(area: Rectangle, side: int) -> None:
    count = np.zeros((130, 130), int)
    for row, column, cell in grid(area, side):
        assert cell.width > 0 and cell.height > 0
        assert (cell.left // side, cell.top // side) == (column, row)
        count[cell.slices] += 1
    expected = np.zeros_like(count)
    expected[area.slices] = 1
    np.testing.assert_array_equal(count, expected)


@given(rectangles(), st.integers(1, 16))
def test_scaling_keeps_what_is_partly_covered(area: Rectangle, factor: int) -> None:
    coarse = area.scaled(divide=factor)
    back = coarse.scaled(multiply=factor)
    assert back.left <= area.left < back.left + factor
    assert back.right - factor < area.right <= back.right
    assert area.scaled(multiply=factor).scaled(divide=factor) == area


@given(rectangles(), rectangles(), st.integers(0, 20))
def test_growing_stays_inside(area: Rectangle, inside: Rectangle, halo: int) -> None:
    grown = area.grown(halo, inside)
    assert grown.left >= inside.left and grown.bottom <= inside.bottom
    assert area.relative_to(area) == Rectangle(0, 0, area.width, area.height)


def test_padding_replicates_the_border() -> None:
    padded = pad_to(np.arange(6).reshape(1, 2, 3), 4, 4)
    np.testing.assert_array_equal(padded[0], [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]])
