# SPDX-License-Identifier: BSD-3-Clause
"""Rate-distortion optimised quantisation: which integer a residual becomes.

Rounding to the nearest integer costs the least error. The next integer nearer to zero costs ``weight * error^2`` more
of it and saves the difference of two symbols' bits under the table of the residual's level::

    q becomes q - 1 where  |v| < q - 1/2 + (bits(q) - bits(q - 1)) / (2 * weight)

so that a choice is one comparison with a table of thresholds, a dead zone whose width depends on the level. The
weight, in bits a squared quantiser step, would be about 9 by the slope of the rate-distortion curve. *Measured*, it
pays only from about 16 on, and among the levels with small scales: the trained analysis draws latents towards their
means already, so that drawing them further costs more than the error in latents says.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...arrays import Floats
from ...engine.entropy import Levels, Tables

Rounding = Callable[[str, Floats, Levels], Floats]  # stage, residuals in steps, levels -> integers

LARGEST = 64  # residuals beyond it are rounded to the nearest
SMALL, MIDDLE = 8, 16  # levels below: scales up to 0.29 and 0.74 of a step
MIDDLE_WEIGHT = 4.0  # a dead zone costs the middle levels so much more; above them there is none


def nearest(stage: str, residuals: Floats, levels: Levels) -> Floats:
    """Round to the nearest integer, half to even."""
    integers: Floats = np.rint(residuals)
    return integers


def dead_zone(tables: Tables, weight: float) -> Rounding:
    """Round with a bias towards zero; the side information z is rounded to the nearest.

    Args:
        tables: of the bundle: they say what a symbol costs.
        weight: bits that a squared error of one quantiser step is worth, above zero; smaller is a wider dead zone.
    """
    thresholds = table(tables, weight)

    def choose(stage: str, residuals: Floats, levels: Levels) -> Floats:
        integers = np.ascontiguousarray(nearest(stage, residuals, levels))  # changed below through a flat view
        if stage.startswith("z"):
            return integers
        flat = integers.reshape(-1)
        where = np.flatnonzero(flat != 0)  # most are zero, and stay
        found = flat[where]
        size = np.abs(found)
        index = np.minimum(size, LARGEST).astype(np.intp)
        lower = np.abs(residuals.reshape(-1)[where]) < thresholds[levels.reshape(-1)[where], index]
        lower &= size <= LARGEST
        flat[where[lower]] -= np.sign(found[lower])
        return integers

    return choose


def table(tables: Tables, weight: float) -> Floats:
    """Magnitudes ``(levels, LARGEST + 1)`` below which ``q`` becomes ``q - 1``: at least ``q - 1/2``."""
    q = np.arange(LARGEST + 1)
    thresholds = np.tile(q - 0.5, (len(tables.limits), 1))
    for level, limit in enumerate(tables.limits[:MIDDLE]):
        if level:
            n = min(int(limit), LARGEST)
            bits = tables.bits[level][limit : limit + n + 1]  # of 0 .. n
            least = weight if level < SMALL else MIDDLE_WEIGHT * weight
            thresholds[level, 1 : n + 1] += np.diff(bits) / (2 * least)
    limited: Floats = np.minimum(thresholds, q + 0.5).astype(np.float32)
    return limited
