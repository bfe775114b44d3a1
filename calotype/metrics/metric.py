# SPDX-License-Identifier: BSD-3-Clause
"""An entry of the catalogue of metrics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..arrays import Samples

Compare = Callable[[Samples, Samples], float]  # original, other -> value


def decibels(error: float) -> float:
    """-10 log10 of an error or a distance; infinite for 0."""
    return math.inf if error <= 0 else -10 * math.log10(error)


@dataclass(frozen=True)
class Target:
    """A metric as a target, as in ``--target-psnr 40``."""

    lowest: float
    highest: float
    tolerance: float  # on the scale: how near to the wanted value the search for a quality goes
    straight: Callable[[float], float] = float  # of the scale: what rises with the quality about linearly


@dataclass(frozen=True)
class Metric:
    """One metric: meaning, function, and the pictures it applies to."""

    key: str  # in JSON, CSV and result files
    name: str  # on the command line, and in Python as target_<name>
    title: str  # at the head of its column
    digits: int  # decimals that a table shows
    function: Compare  # grey or RGB, 8 or 16 bits
    unit: str = ""  # of the value: "dB", or nothing
    higher_is_better: bool = True
    scale: Callable[[float], float] = float
    scale_unit: str = ""  # if it is not that of the value
    smallest: int = 1  # pixels of the shorter side, below which it does not exist
    comparable: int = 1  # pixels of the shorter side from which it is what the literature reports
    largest: int | None = None  # pixels, above which it would need too much memory
    missing: Callable[[], str] = str  # a sentence about what has to be installed for it, or nothing
    on_request: bool = False  # left out unless it is named
    target: Target | None = None
    rescaled: str = ""  # the key of the metric of which this is the scale

    @property
    def axis(self) -> str:
        """Title and unit of the scale."""
        unit = self.scale_unit or self.unit
        return f"{self.title} ({unit})" if unit else self.title

    def suits(self, height: int, width: int) -> bool:
        """Whether it exists for pictures of this size."""
        return min(height, width) >= self.smallest and (self.largest is None or height * width <= self.largest)

    def published(self, a: Samples, b: Samples) -> float | None:
        """The value as the literature reports it, or None where there is none: see ``comparable`` and ``largest``."""
        height, width = a.shape[:2]
        if min(height, width) < self.comparable or not self.suits(height, width):
            return None
        value = self.function(a, b)
        return value if math.isfinite(value) else None  # JSON knows no infinity
