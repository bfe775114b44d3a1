# SPDX-License-Identifier: BSD-3-Clause
"""Rectangles on a picture's grid: tiles, the windows that transforms work on, and their surroundings.

A tile is coded on its own. A transform, however, sees past a tile's border: it runs on a *window* of a few tiles plus
a *halo* as wide as its receptive field, of which only the inside is kept. So no seam is visible and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Rectangle:
    """Rows ``top .. bottom - 1`` and columns ``left .. right - 1``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, halo: int, inside: Rectangle) -> Rectangle:
        """Larger by ``halo`` on every side, but not past ``inside``."""
        return Rectangle(
            max(self.left - halo, inside.left),
            max(self.top - halo, inside.top),
            min(self.right + halo, inside.right),
            min(self.bottom + halo, inside.bottom),
        )

    def intersection(self, other: Rectangle) -> Rectangle:
        """The intersection; its width or height is not positive where they do not meet."""
        return self.grown(0, other)

    def relative_to(self, other: Rectangle) -> Rectangle:
        """The same place, counted from the corner of ``other``."""
        return Rectangle(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)

    def scaled(self, multiply: int = 1, divide: int = 1) -> Rectangle:
        """On a grid that is finer by ``multiply`` or coarser by ``divide``; what is partly covered counts."""
        return Rectangle(
            self.left * multiply // divide,
            self.top * multiply // divide,
            -(-self.right * multiply // divide),
            -(-self.bottom * multiply // divide),
        )


def grid(area: Rectangle, side: int) -> Iterator[tuple[int, int, Rectangle]]:
    """The cells of a grid of ``side`` (anchored at 0, 0) that meet ``area``: row, column and cell within the area."""
    for row in range(area.top // side, -(-area.bottom // side)):
        for column in range(area.left // side, -(-area.right // side)):
            cell = Rectangle(column * side, row * side, (column + 1) * side, (row + 1) * side)
            yield row, column, cell.intersection(area)


def pad_to(array: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """Replicate the last row and column of ``array (..., H, W)`` up to ``height`` and ``width``."""
    rows, columns = height - array.shape[-2], width - array.shape[-1]
    if not rows and not columns:
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, rows), (0, columns)], mode="edge")
