# SPDX-License-Identifier: BSD-3-Clause
"""Colours under full transparency, which nobody sees, made what networks like best: those of the visible pixels nearby.

Whatever stands there otherwise, black or noise, would cost bytes, and bleed into the visible pixels beside it.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Samples

BLOCK = 512  # pixels, a side: what is filled at once; bounds memory, and seams are as invisible as the rest


def extend_colours(samples: Samples, alpha: Samples | None) -> Samples:
    """Samples ``(H, W, 1 or 3)`` with new ones where ``alpha (H, W)`` is 0; the same array if it is so nowhere."""
    if alpha is None or alpha.all():
        return samples
    visible = alpha != 0
    filled = samples.copy()
    rest = samples[visible].mean(0) if visible.any() else np.zeros(samples.shape[2])
    height, width = alpha.shape
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            place = slice(top, top + BLOCK), slice(left, left + BLOCK)
            mask = visible[place]
            if mask.all():
                continue
            if not mask.any():
                filled[place] = np.rint(rest).astype(samples.dtype)
                continue
            colours = _pulled_and_pushed(samples[place].astype(np.float32), mask)
            filled[place] = np.where(mask[..., None], samples[place], np.rint(colours).astype(samples.dtype))
    return filled


def _pulled_and_pushed(samples: Floats, mask: np.ndarray) -> Floats:
    """Fill what ``mask`` leaves out by means of ever larger surroundings (the pull-push algorithm)."""
    weights = mask[..., None].astype(np.float32)
    levels: list[tuple[Floats, Floats]] = [(samples * weights, weights)]
    while max(levels[-1][1].shape[:2]) > 1:
        colours, weights = _halved(levels[-1][0]), _halved(levels[-1][1])
        most = np.maximum(weights, np.float32(1))  # a cell counts once, however many pixels of it are seen
        levels.append((_thinned(colours, most), _thinned(weights, most)))
    colours, weights = levels.pop()
    result: Floats = _thinned(colours, np.maximum(weights, np.float32(1e-6)))
    for colours, weights in reversed(levels):
        rows, columns = weights.shape[:2]
        coarse = result.repeat(2, 0).repeat(2, 1)[:rows, :columns]
        result = np.asarray(colours + (1 - weights) * coarse, np.float32)
    return result


def _thinned(array: Floats, most: Floats) -> Floats:
    return np.asarray(array / most, np.float32)


def _halved(array: Floats) -> Floats:
    """Sums over 2 x 2 cells."""
    rows, columns = array.shape[:2]
    padded = np.pad(array, ((0, rows % 2), (0, columns % 2), (0, 0)))
    return np.asarray(padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2], np.float32)
