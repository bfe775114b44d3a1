# SPDX-License-Identifier: BSD-3-Clause
"""One picture measured against the original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..metrics import bits_per_pixel
from ..metrics.catalogue import METRICS, Measurement, measure
from ..metrics.metric import Metric
from ..raster import Raster
from .alike import Pair, alike

RATES = ("bytes", "bpp")  # what is best if it is smallest, and belongs to files rather than to pairs


@dataclass(frozen=True)
class Picture:
    """A picture and the file that it came from."""

    name: str
    raster: Raster
    size: int  # of the file, in bytes

    @property
    def bpp(self) -> float:
        """Bits of the file for each pixel."""
        return bits_per_pixel(self.size, (self.raster.width, self.raster.height))


@dataclass(frozen=True)
class Outcome:
    """A picture, what was compared, and what came out."""

    picture: Picture
    pair: Pair
    measurement: Measurement

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was done to the pictures, and about numbers that are missing or unusual."""
        return self.pair.notes + self.measurement.notes

    def value(self, key: str) -> float | None:
        """A metric, ``bytes`` or ``bpp``; None if it was not measured."""
        if key == "bytes":
            return self.picture.size
        return self.picture.bpp if key == "bpp" else self.measurement.values.get(key)


def compare(original: Picture, other: Picture, metrics: Sequence[Metric] | None = None) -> Outcome:
    """Measure ``other`` against ``original``, by these metrics or the usual ones.

    Raises PictureError if the sizes differ.
    """
    pair = alike(original.raster, other.raster)
    return Outcome(other, pair, measure(pair.original, pair.other, metrics))


def best(outcomes: Sequence[Outcome], key: str) -> set[int]:
    """The best outcomes in a metric, ``bytes`` or ``bpp``; none if they are all equal, or one."""
    values = [outcome.value(key) for outcome in outcomes]
    known = [value for value in values if value is not None and not math.isnan(value)]
    if len(set(known)) < 2:
        return set()
    wanted = max(known) if key not in RATES and METRICS[key].higher_is_better else min(known)
    return {index for index, value in enumerate(values) if value == wanted}
