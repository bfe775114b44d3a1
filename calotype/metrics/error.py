# SPDX-License-Identifier: BSD-3-Clause
"""Mean squared error, its root, and the peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Samples
from .pair import checked_pair, strips


def mse(a: Samples, b: Samples) -> float:
    """Mean squared difference of the samples, over all channels, in squared sample steps. Exact: summed as integers."""
    a, b, _ = checked_pair(a, b)
    total = 0
    for start, stop in strips(a.shape[0], a.shape[1] * a.shape[2]):
        difference = a[start:stop].astype(np.int64) - b[start:stop]
        total += int(np.vdot(difference, difference))
    return total / a.size


def rmse(a: Samples, b: Samples) -> float:
    """Root of the mean squared error, in sample steps: how far a sample is off."""
    return math.sqrt(mse(a, b))


def psnr(a: Samples, b: Samples) -> float:
    """Peak signal-to-noise ratio in dB over all channels together; infinite for equal pictures."""
    peak = checked_pair(a, b)[2]
    error = mse(a, b)
    return math.inf if error == 0 else 10 * math.log10(peak * peak / error)
