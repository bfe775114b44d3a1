# SPDX-License-Identifier: BSD-3-Clause
"""One codec's curve against another's: delta rates of the averaged curves and of the single pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

from calotype.benchmark.bdrate import BDRate, Column, bd_rate
from calotype.benchmark.curves import Curve
from calotype.metrics import ms_ssim_db

METRICS = {"psnr-rgb": "PSNR", "ms-ssim-rgb": "MS-SSIM"}  # column of the results -> its name in tables


@dataclass(frozen=True)
class Comparison:
    """``codec`` against ``anchor`` in one metric."""

    codec: str
    anchor: str
    metric: str  # a key of METRICS
    averaged: BDRate | None  # of the curves averaged over all pictures
    per_picture: float | None  # per cent, mean over the pictures whose curves overlap
    pictures: int  # how many those are


def compare(curve: Curve, anchor: Curve, metric: str) -> Comparison:
    """Delta rates of ``curve`` against ``anchor``; both measured on the same pictures."""
    single = []
    for name in curve.pictures:
        found = delta(curve.of_picture(name), anchor.of_picture(name), metric)
        if found:
            single.append(found.percent)
    return Comparison(
        curve.codec.name,
        anchor.codec.name,
        metric,
        delta(curve.averages(), anchor.averages(), metric),
        math.fsum(single) / len(single) if single else None,
        len(single),
    )


def delta(points: dict[str, list[float | None]], anchor: dict[str, list[float | None]], metric: str) -> BDRate | None:
    """The delta rate between two tables of points, or None where it does not exist."""
    quality, anchor_quality = scale(points[metric], metric), scale(anchor[metric], metric)
    if usable(quality) < 2 or usable(anchor_quality) < 2:
        return None
    return bd_rate(anchor["bpp"], anchor_quality, points["bpp"], quality)


def scale(values: Column, metric: str) -> Column:
    """MS-SSIM in decibels, for near 1 its steps say nothing; PSNR as it is."""
    if metric != "ms-ssim-rgb":
        return values
    return [None if value is None else ms_ssim_db(value) for value in values]


def usable(values: Column) -> int:
    """How many different finite values."""
    return len({value for value in values if value is not None and math.isfinite(value)})
