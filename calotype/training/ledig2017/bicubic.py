# SPDX-License-Identifier: BSD-3-Clause
"""Bicubic resizing as MATLAB's ``imresize`` does it, which all published figures of super-resolution rest on.

Keys' cubic kernel with a = -1/2; when the picture becomes smaller, the kernel is stretched by the factor, so that
nothing aliases; past its border a picture goes on as its mirror image (the border sample twice); coordinates are those
of sample centres. Pillow and PyTorch (with ``antialias``) agree inside a picture, and differ at its border.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def keys(x: Matrix) -> Matrix:
    """The cubic kernel at ``x``, which is zero from 2 on."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@lru_cache(maxsize=64)
def resizing(length: int, new: int) -> Matrix:
    """The matrix ``(new, length)`` that resizes a row of ``length`` samples to ``new``. Its rows sum to 1."""
    factor = new / length
    shrink = min(factor, 1.0)
    half = 2 / shrink  # what the kernel reaches, in samples
    taps = math.ceil(2 * half) + 2
    centre = (np.arange(new) + 0.5) / factor - 0.5
    position = np.floor(centre - half)[:, None] + np.arange(taps)
    weight = shrink * keys(shrink * (centre[:, None] - position))
    weight /= weight.sum(1, keepdims=True)
    folded = np.mod(position.astype(np.int64), 2 * length)  # the mirror image has twice the period
    folded = np.where(folded < length, folded, 2 * length - 1 - folded)
    matrix = np.zeros((new, length))
    np.add.at(matrix, (np.arange(new)[:, None], folded), weight)
    matrix.flags.writeable = False  # it is shared
    return matrix


def imresize(samples: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """A picture ``(H, W)`` or ``(H, W, C)`` at ``(height, width)``, rounded to 8 bits."""
    planes = samples.astype(np.float64).reshape(*samples.shape[:2], -1)
    rows, columns = resizing(samples.shape[0], height), resizing(samples.shape[1], width)
    out = np.einsum("yh,hwc,xw->yxc", rows, planes, columns, optimize=True)
    rounded: npt.NDArray[np.uint8] = np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8)  # MATLAB rounds halves up
    return rounded.reshape(height, width, *samples.shape[2:])
