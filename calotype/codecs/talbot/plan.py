# SPDX-License-Identifier: BSD-3-Clause
"""Plan of a file: the tiles, and cells of tiles, that are not the network's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...engine.presence import Mask
from ...engine.tiling import Rectangle, grid
from .model import SIDE
from .reader import latents_kept
from .tiles import Payload, write


@dataclass(frozen=True)
class Plan:
    """Tiles with a still or samples inside; all others are the network's.

    Attributes:
        tiles: by index in raster order; what the network has to add to one is not there yet.
    """

    tiles: Mapping[int, Payload] = field(default_factory=dict)

    def mask(self, lattice: Rectangle) -> Mask | None:
        """The latents of a picture that are the network's; None if all are."""
        if not self.tiles:
            return None
        mask = np.ones((lattice.height, lattice.width), bool)
        for index, (_, _, place) in enumerate(grid(lattice, SIDE)):
            kept = self.kept(index, place)
            if kept is not None:
                mask[place.slices] = kept
        return mask

    def kept(self, index: int, place: Rectangle) -> Mask | None:
        """The latents of a tile, at this place of the lattice, that are the network's; None if all are."""
        planned = self.tiles.get(index)
        if planned is None or planned.cells is None:
            return None
        return latents_kept(planned.cells, place.height, place.width)

    def finished(self, index: int, network: bytes | None) -> bytes:
        """The payload of a tile, with what the network made of its cells."""
        planned = self.tiles.get(index, Payload())
        return write(planned if network is None else replace(planned, network=network))

    def is_still(self, index: int) -> bool:
        """Whether the network has no part in a tile."""
        planned = self.tiles.get(index)
        return planned is not None and planned.cells is not None and bool(planned.cells.all())
