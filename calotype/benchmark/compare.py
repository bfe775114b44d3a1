# SPDX-License-Identifier: BSD-3-Clause
"""One codec's curve against another's: delta rates of the averaged curves and of the single pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..metrics.metric import Metric
from .bdrate import BDRate, Column, bd_rate

Columns = Mapping[str, list[float | None]]


class Points(Protocol):
    """A curve to compare: a measured one or a published one, which has averages only."""

    @property
    def name(self) -> str:
        """Of the codec."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """The names of the pictures, if their single points are known."""

    def averages(self) -> dict[str, list[float | None]]:
        """The points of the average over all pictures, as columns."""

    def of_picture(self, name: str) -> dict[str, list[float | None]]:
        """The points of one picture, as columns."""


@dataclass(frozen=True)
class Comparison:
    """``codec`` against ``anchor`` in one metric."""

    codec: str
    anchor: str
    metric: str  # its name
    averaged: BDRate | None  # of the curves averaged over all pictures
    single: Mapping[str, float]  # per cent, by the name of the picture; of pictures whose curves overlap

    @property
    def per_picture(self) -> float | None:
        """Per cent, mean over the pictures."""
        return math.fsum(self.single.values()) / len(self.single) if self.single else None

    @property
    def pictures(self) -> int:
        """How many pictures those are."""
        return len(self.single)

    @property
    def worst(self) -> float | None:
        """Per cent of the picture that fares worst."""
        return max(self.single.values(), default=None)


def compare(curve: Points, anchor: Points, metric: Metric) -> Comparison:
    """Delta rates of ``curve`` against ``anchor``; pictures that only one of them has are left out."""
    both = set(anchor.pictures)
    pairs = {name: (curve.of_picture(name), anchor.of_picture(name)) for name in curve.pictures if name in both}
    rates = {name: delta(*pair, metric) for name, pair in pairs.items()}
    single = {name: rate.percent for name, rate in rates.items() if rate}
    return Comparison(curve.name, anchor.name, metric.name, delta(curve.averages(), anchor.averages(), metric), single)


def compare_all(points: Sequence[Points], metrics: Sequence[Metric]) -> list[Comparison]:
    """Every codec against every other one, in every metric."""
    return [compare(a, b, metric) for metric in metrics for a in points for b in points if a is not b]


def delta(points: Columns, anchor: Columns, metric: Metric) -> BDRate | None:
    """The delta rate between two tables of points, or None where it does not exist."""
    quality, anchor_quality = scaled(points, metric), scaled(anchor, metric)
    if usable(quality) < 2 or usable(anchor_quality) < 2:
        return None
    return bd_rate(anchor["bpp"], anchor_quality, points["bpp"], quality)


def scaled(points: Columns, metric: Metric) -> Column:
    """The column of the metric on its scale; without any value where the table has no such column."""
    values = points.get(metric.key) or [None] * len(points["bpp"])
    return [None if value is None else metric.scale(value) for value in values]


def usable(values: Column) -> int:
    """Number of different finite values."""
    return len({value for value in values if value is not None and math.isfinite(value)})
