# SPDX-License-Identifier: BSD-3-Clause
"""Where a picture is flat it has no artefacts, and nothing is repaired: compression leaves steps, rings or waves."""

from __future__ import annotations

import numpy as np

from ...arrays import Samples

REACH = 8  # samples to each side: a block of JPEG and its neighbours
ROWS = 256  # that are looked at in one step: bounds memory


def limited(before: Samples, after: Samples) -> Samples:
    """The repaired samples ``(H, W, C)``, moved no further from those before than these vary around.

    In a place where the 17 x 17 samples around are equal, nothing moves. ``after`` is changed in place.
    """
    height = len(before)
    for top in range(0, height, ROWS):
        bottom = min(top + ROWS, height)
        above, below = max(0, top - REACH), min(height, bottom + REACH)
        seen = before[above:below]
        wide = np.int16 if before.dtype == np.uint8 else np.int32
        inner = slice(top - above, bottom - above)
        spread = (_highest(seen) - ~_highest(~seen)).max(2, keepdims=True)[inner].astype(wide)
        old, new = before[top:bottom].astype(wide), after[top:bottom]
        new[...] = np.minimum(np.maximum(new, old - spread), old + spread)
    return after


def _highest(samples: Samples) -> Samples:
    """The highest of the samples up to REACH rows and columns away, ``(h, w, C)``."""
    for axis in (0, 1):
        padding = [(REACH, REACH) if i == axis else (0, 0) for i in range(3)]
        found = np.moveaxis(np.pad(samples, padding, mode="edge"), axis, 0)
        step = 1
        while 2 * step <= 2 * REACH + 1:  # of 2, 4, 8 and 16 samples
            found = np.maximum(found[:-step], found[step:])
            step *= 2
        rest = 2 * REACH + 1 - step
        samples = np.moveaxis(np.maximum(found[: len(found) - rest], found[rest:]), 0, axis)
    return samples
