# SPDX-License-Identifier: BSD-3-Clause
"""Where a picture is flat or drawn it has no artefacts, and nothing is repaired.

Compression leaves steps, rings or waves: differences that are small but not zero. Where neighbours are equal or far
apart, and nothing between, a picture was drawn and never compressed.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Samples

REACH = 8  # samples to each side: a block of JPEG and its neighbours
HARD = 24  # levels of 255: the least step of a drawn edge; flat blocks of JPEG differ by less from quality 5 on
ROWS = 256  # that are looked at in one step: bounds memory


def limited(before: Samples, after: Samples, drawn: bool = False) -> Samples:
    """The repaired samples ``(H, W, C)``, moved no further from those before than these vary around.

    In a place where the 17 x 17 samples around are equal, nothing moves. ``after`` is changed in place.

    Args:
        before: 8 or 16 bits.
        after: the same picture, repaired.
        drawn: nothing moves, either, where the samples around have hard edges only. Not for what is known to come from
            a JPEG, whose blocks at the lowest qualities have such edges too.
    """
    height = len(before)
    hard = HARD * (np.iinfo(before.dtype).max // 255)
    for top in range(0, height, ROWS):
        bottom = min(top + ROWS, height)
        above, below = max(0, top - REACH), min(height, bottom + REACH)
        seen = before[above:below]
        wide = np.int16 if before.dtype == np.uint8 else np.int32
        inner = slice(top - above, bottom - above)
        spread = (_highest(seen) - ~_highest(~seen)).max(2, keepdims=True)[inner].astype(wide)
        if drawn:
            spread[_highest(_soft(seen, hard))[inner] == 0] = 0
        old, new = before[top:bottom].astype(wide), after[top:bottom]
        new[...] = np.minimum(np.maximum(new, old - spread), old + spread)
    return after


def _soft(samples: Samples, hard: int) -> Samples:
    """1 where samples differ from a neighbour by less than ``hard``, but differ, else 0; ``(h, w, 1)``."""
    found = np.zeros((*samples.shape[:2], 1), np.uint8)
    for axis in (0, 1):
        first = tuple(slice(None, -1) if i == axis else slice(None) for i in range(3))
        second = tuple(slice(1, None) if i == axis else slice(None) for i in range(3))
        step = np.maximum(samples[first], samples[second]) - np.minimum(samples[first], samples[second])
        step = step.max(2, keepdims=True)
        near = (step > 0) & (step < hard)
        found[first] |= near
        found[second] |= near
    return found


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
