# SPDX-License-Identifier: BSD-3-Clause
"""Where in an area there is a picture: beside the rest of it, a transform sees a border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .tiling import Rectangle

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Presence:
    """A mask, on a grid that is finer by a whole number.

    Attributes:
        mask: False where there is no picture.
        side: of its cells, on the finer grid.
    """

    mask: Mask
    side: int

    @classmethod
    def of(cls, mask: Mask | None, height: int) -> Presence | None:
        """The one for an area of so many rows; None where the picture is everywhere."""
        return None if mask is None or mask.all() else cls(mask, height // len(mask))

    def none(self, place: Rectangle) -> bool:
        """Whether there is nothing of the picture at a place."""
        return not self.mask[place.scaled(divide=self.side).slices].any()

    def clear(self, place: Rectangle, values: npt.NDArray[np.float32]) -> None:
        """Put zeros into values ``(channels, rows, columns, ...)`` of a place where there is no picture."""
        cells = place.scaled(divide=self.side)
        mask = self.mask[cells.slices]
        if mask.all():
            return
        fine = mask.repeat(self.side, 0).repeat(self.side, 1)
        values[:, ~fine[place.relative_to(cells.scaled(self.side)).slices]] = 0
