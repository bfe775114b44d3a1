# SPDX-License-Identifier: BSD-3-Clause
"""Measures of super-resolution: on the luma in MATLAB's form, without a border as wide as the scale.

Published figures rest on it, and differ from the metrics of :mod:`calotype.metrics`: this luma has 16 to 235 where
theirs has 0 to 255, so that all errors are smaller, PSNR by 1.3 dB larger. A grey picture is its own luma. A picture
is cut to a multiple of the scale, scaled down by :func:`calotype.training.ledig2017.bicubic.imresize`, rounded, and
enlarged.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...arrays import Samples8
from ...errors import PictureError
from ...metrics.similarity import TAPS, similarity

Luma = npt.NDArray[np.float64]  # (H, W)

PEAK = 255.0


def luma(samples: Samples8) -> Luma:
    """Y of MATLAB's ``rgb2ycbcr``: BT.601, 16 to 235, not rounded. A grey picture ``(H, W)`` is its own, 0 to 255."""
    if samples.ndim == 2:
        return samples.astype(np.float64)
    return np.asarray(16 + samples.astype(np.float64) @ (np.array([65.481, 128.553, 24.966]) / 255))


def inside(samples: Samples8, border: int) -> Luma:
    """The luma without ``border`` samples at each side. Raises PictureError if too little is left for SSIM."""
    if min(samples.shape[:2]) < 2 * border + TAPS:
        height, width = samples.shape[:2]
        raise PictureError(f"super-resolution by {border} is measured on larger pictures than {width} x {height}")
    return luma(samples)[border:-border, border:-border]


def luma_psnr(a: Samples8, b: Samples8, border: int) -> float:
    """PSNR in dB; infinite where the luma is equal."""
    error = float(np.mean((inside(a, border) - inside(b, border)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(PEAK**2 / error)


def luma_ssim(a: Samples8, b: Samples8, border: int) -> float:
    """SSIM with the Gaussian window of 11 taps, where it fits."""
    x, y = (inside(samples, border).astype(np.float32) for samples in (a, b))
    return similarity(x, y, PEAK)[0]
