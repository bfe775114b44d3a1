# SPDX-License-Identifier: BSD-3-Clause
"""The Bjøntegaard delta rate: how many per cent more or fewer bytes at equal quality.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001; with piecewise cubic
Hermite interpolation (F. Fritsch, J. Butland, SIAM J. Sci. Stat. Comput. 1984) instead of one polynomial, which swings
on curves of many points. The logarithm of the rate is a function of quality; its mean difference over the range of
qualities that both curves reach, turned back into a ratio, is the result::

    quality |            . test        delta = mean over the overlap of  log rate(test) - log rate(anchor)
            |     .   '   . anchor     BD-rate = (exp(delta) - 1) x 100 %,  negative: test needs fewer bytes
            | .  '  . '
            +------------------ log rate

Values agree with the ``bjontegaard`` package's ``bd_rate(..., method="pchip")``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CalotypeError

Column = Sequence[float | None]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class BDRate:
    """A delta rate and what it rests on."""

    percent: float  # negative: fewer bytes than the anchor
    low: float  # the range of qualities that both curves reach, in the unit of the metric
    high: float
    overlap: float  # that range as a share, 0..1, of the range that either reaches


def bd_rate(anchor_rate: Column, anchor_quality: Column, rate: Column, quality: Column) -> BDRate | None:
    """Compare two curves; None if their qualities do not overlap.

    Rates in any unit above zero; qualities in dB or another scale on which an equal step means an equal effort. Points
    without a finite quality are left out, and of two points of equal quality the smaller rate counts. Raises
    CalotypeError if fewer than two points of a curve remain.
    """
    anchor_x, anchor_y = log_rate(anchor_rate, anchor_quality)
    x, y = log_rate(rate, quality)
    low, high = max(anchor_x[0], x[0]), min(anchor_x[-1], x[-1])
    if low >= high:
        return None
    delta = (integral(x, y, low, high) - integral(anchor_x, anchor_y, low, high)) / (high - low)
    either = max(anchor_x[-1], x[-1]) - min(anchor_x[0], x[0])
    return BDRate(100 * math.expm1(delta), float(low), float(high), float((high - low) / either))


def log_rate(rate: Column, quality: Column) -> tuple[Points, Points]:
    """Points sorted by quality, each quality once: (quality, natural logarithm of the rate)."""
    best: dict[float, float] = {}
    for bits, value in zip(rate, quality, strict=True):
        if bits is not None and value is not None and math.isfinite(value):
            best[value] = min(bits, best.get(value, math.inf))
    if len(best) < 2:
        raise CalotypeError("a delta rate needs at least two points of different quality on each curve")
    x = np.array(sorted(best))
    return x, np.log([best[float(value)] for value in x])


def slopes(x: Points, y: Points) -> Points:
    """The Fritsch-Butland slope at each point: no interval overshoots its ends."""
    step = np.diff(x)
    rise = np.diff(y) / step
    if len(x) == 2:
        return np.repeat(rise, 2)
    slope = np.zeros_like(x)
    before, after = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    monotone = rise[:-1] * rise[1:] > 0
    left, right = np.where(monotone, rise[:-1], 1.0), np.where(monotone, rise[1:], 1.0)
    slope[1:-1] = np.where(monotone, (before + after) / (before / left + after / right), 0.0)
    slope[0] = end_slope(step[0], step[1], rise[0], rise[1])
    slope[-1] = end_slope(step[-1], step[-2], rise[-1], rise[-2])
    return slope


def end_slope(step: float, next_step: float, rise: float, next_rise: float) -> float:
    """Three-point slope at an end, held back so that the curve keeps its direction there."""
    slope = ((2 * step + next_step) * rise - step * next_rise) / (step + next_step)
    if slope * rise <= 0:
        return 0.0
    if rise * next_rise <= 0 and abs(slope) > 3 * abs(rise):
        return 3 * rise
    return slope


def integral(x: Points, y: Points, low: float, high: float) -> float:
    """The exact integral of the interpolation through (x, y) from ``low`` to ``high``, both within x."""
    slope = slopes(x, y)
    step = np.diff(x)
    rise = np.diff(y) / step
    square = (3 * rise - 2 * slope[:-1] - slope[1:]) / step
    cube = (slope[:-1] + slope[1:] - 2 * rise) / step**2

    def antiderivative(t: Points) -> Points:
        value: Points = t * (y[:-1] + t * (slope[:-1] / 2 + t * (square / 3 + t * cube / 4)))
        return value

    start, stop = np.clip(low - x[:-1], 0, step), np.clip(high - x[:-1], 0, step)
    return float((antiderivative(stop) - antiderivative(start)).sum())
