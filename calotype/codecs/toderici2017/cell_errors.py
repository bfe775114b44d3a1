# SPDX-License-Identifier: BSD-3-Clause
"""Error of each cell of a picture: it decides where ``toderici2017`` stops.

Both measures are sums over a cell of 16x16 pixels, on the scale of squared errors of 8-bit samples in flat places:

``psnr``      squared errors, all alike.

``ms-ssim``   squared errors at five scales, each divided by the variance of the picture around it, as the similarity
              of structure in MS-SSIM does: 1 - SSIM is about |d|^2 / (2 var + C2) for small errors d without a mean.
              Texture hides errors, coarse ones show more than fine ones, and flat places count in full.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...arrays import Floats
from ...engine.tiling import pad_to

CELL = 16  # pixels of a side
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of MS-SSIM, finest first (Wang 2003)
C2 = (0.03 * 255) ** 2  # of SSIM
WIDE = 2  # the scale from which on variances are those of 3x3 cells, as far as a window of MS-SSIM reaches

Judge = Callable[[Floats], Floats]


def squared_errors(x: Floats) -> Judge:
    """For the tuning ``psnr``: see the module.

    Args:
        x: planes ``(3, H, W)`` of the picture, in 0..1.

    Returns:
        a function: what it looks like so far ``(3, 16 h, 16 w)``, 16 h >= H and 16 w >= W -> errors ``(h, w)`` of the
        part within the picture.
    """

    def judge(x_hat: Floats) -> Floats:
        d = _differences(x, x_hat)
        errors: Floats = _cell_means(d * d, CELL).sum(0) * np.float32(CELL**2)
        return errors

    return judge


def structural_errors(x: Floats) -> Judge:
    """For the tuning ``ms-ssim``: see the module. Arguments and result are those of :func:`squared_errors`."""
    height, width = (-(-side // CELL) * CELL for side in x.shape[1:])
    coarser = pad_to(x, height, width) * np.float32(255)
    weights = []
    for scale, weight in enumerate(SCALE_WEIGHTS):
        side = CELL >> scale
        means, squares = _cell_means(coarser, side), _cell_means(coarser * coarser, side)
        if scale >= WIDE:
            means, squares = _around(means), _around(squares)
        variance = np.maximum(squares - means * means, 0)
        weights.append((weight * CELL**2 * C2 / (2 * variance + C2)).astype(np.float32))
        coarser = _cell_means(coarser, 2) if side > 1 else coarser

    def judge(x_hat: Floats) -> Floats:
        d = _differences(x, x_hat)
        total = np.zeros((height // CELL, width // CELL), np.float32)
        for scale, weight in enumerate(weights):
            side = CELL >> scale
            total += (_cell_means(d * d, side) * weight).sum(0)
            d = _cell_means(d, 2) if side > 1 else d
        return total

    return judge


JUDGES: dict[str, Callable[[Floats], Judge]] = {"ms-ssim": structural_errors, "psnr": squared_errors}


def _differences(x: Floats, x_hat: Floats) -> Floats:
    """``x_hat`` minus the picture, on the scale of 8-bit samples; 0 outside the picture."""
    height, width = x.shape[1:]
    d = np.zeros(x_hat.shape, np.float32)
    d[:, :height, :width] = (np.clip(x_hat[:, :height, :width], 0, 1) - x) * np.float32(255)
    return d


def _cell_means(planes: Floats, side: int) -> Floats:
    """Means over squares: ``(C, H, W) -> (C, H / side, W / side)``."""
    c, height, width = planes.shape
    means: Floats = planes.reshape(c, height // side, side, width // side, side).mean((2, 4), dtype=np.float32)
    return means


def _around(cells: Floats) -> Floats:
    """Means over 3x3 cells, those at the border repeated."""
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = cells.shape[1:]
    total = sum(padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3))
    return np.asarray(total / 9, np.float32)
