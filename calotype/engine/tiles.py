# SPDX-License-Identifier: BSD-3-Clause
"""Tiles of a lattice, made when first needed and kept for their neighbours."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from .tiling import Rectangle, grid

T = TypeVar("T")


@dataclass(frozen=True)
class Meeting(Generic[T]):
    """A tile that an area meets: what it holds, and where their common part lies in each of the two."""

    tile: T
    in_tile: Rectangle
    in_area: Rectangle


class Tiles(Generic[T]):
    """What a codec keeps of each tile.

    Args:
        lattice: all that there is, from 0, 0 on.
        side: of a tile, on the lattice.
        make: tile from index in raster order and place on the lattice.
        kept: so many are remembered; what was not used for longest goes first.
    """

    def __init__(self, lattice: Rectangle, side: int, make: Callable[[int, Rectangle], T], kept: int) -> None:
        self.lattice, self.side, self.make, self.kept = lattice, side, make, kept
        self.across = -(-lattice.width // side)
        self.count = self.across * -(-lattice.height // side)
        self.cache: OrderedDict[int, T] = OrderedDict()

    def places(self, area: Rectangle) -> Iterator[tuple[int, Rectangle]]:
        """Index and place of each tile that meets ``area``."""
        for row, column, _ in grid(area, self.side):
            cell = Rectangle(column * self.side, row * self.side, (column + 1) * self.side, (row + 1) * self.side)
            yield row * self.across + column, cell.intersection(self.lattice)

    def tile(self, index: int, place: Rectangle) -> T:
        """One of them."""
        if index not in self.cache:
            self.cache[index] = self.make(index, place)
            if len(self.cache) > self.kept:
                self.cache.popitem(last=False)
        self.cache.move_to_end(index)
        return self.cache[index]

    def meeting(self, area: Rectangle) -> Iterator[Meeting[T]]:
        """The tiles that meet ``area``, in raster order."""
        for index, place in self.places(area):
            common = area.intersection(place)
            yield Meeting(self.tile(index, place), common.relative_to(place), common.relative_to(area))
