# SPDX-License-Identifier: BSD-3-Clause
"""SSIM and MS-SSIM.

- Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli, "Image quality assessment: from error visibility to structural
  similarity", IEEE TIP 2004.
- Z. Wang, E. Simoncelli, A. Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003.

The conventions are those of the ``pytorch-msssim`` package, which the literature on learned compression reports: a
Gaussian window of 11 taps with sigma 1.5, applied only where it fits; every channel by itself, then the mean over the
channels; between two scales 2x2 means, an odd side padded with one zero before its first sample.

Each channel is filtered in strips of rows. A scale is kept as float32, which holds the 2x2 means of 16-bit samples
exactly over all five scales; sums run in float64. What the metric is made of (:func:`scale_weights`,
:func:`structure`, :func:`luminance`, :data:`WINDOW`) uses operators alone and serves PyTorch tensors as well: the
training loss is built of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Samples
from ..errors import PictureError
from .pair import checked_pair, size_of, strips

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang 2003, finest scale first
K1, K2 = 0.01, 0.03
TAPS = 11
SIGMA = 1.5

Plane = NDArray[np.float32]  # (H, W), one channel at one scale
Strip = NDArray[np.float64]
ArrayOrTensor = Any  # a NumPy array or a PyTorch tensor


def ssim(a: Samples, b: Samples) -> float:
    """Structural similarity, at most 1. Raises PictureError if a side has 10 pixels or less: the window must fit."""
    a, b, peak = checked_pair(a, b)
    require_scales(a, 1)
    values = [similarity(plane(a, channel), plane(b, channel), peak)[0] for channel in range(a.shape[2])]
    return min(math.fsum(values) / len(values), 1.0)  # not 1.0000000000000002


def ms_ssim(a: Samples, b: Samples, *, scales: int = 5) -> float:
    """Multi-scale structural similarity, 0 to 1.

    With the five scales of the literature both sides must be above 160 pixels. For smaller pictures ask for fewer
    (``scales=min(5, most_scales(height, width))``): the finest ``scales`` weights are then used, rescaled to sum to 1,
    and the result is comparable only with others of as many scales. Raises PictureError if the picture is too small.
    """
    weights = scale_weights(scales)
    a, b, peak = checked_pair(a, b)
    require_scales(a, scales)
    values = []
    for channel in range(a.shape[2]):
        x, y = plane(a, channel), plane(b, channel)
        value = 1.0
        for scale, weight in enumerate(weights):
            whole, contrast = similarity(x, y, peak)
            coarsest = scale == scales - 1
            value *= max(whole if coarsest else contrast, 0.0) ** weight
            if not coarsest:
                x, y = halved(x), halved(y)
        values.append(value)
    return min(math.fsum(values) / len(values), 1.0)


def scale_weights(scales: int) -> tuple[float, ...]:
    """The exponents of the finest ``scales`` scales, finest first. Raises PictureError unless there are 1 to 5."""
    if not 1 <= scales <= len(SCALE_WEIGHTS):
        raise PictureError(f"MS-SSIM has 1 to {len(SCALE_WEIGHTS)} scales, not {scales}")
    weights = SCALE_WEIGHTS[:scales]
    if scales == len(SCALE_WEIGHTS):
        return weights  # they sum to 1.0001, and everybody leaves them so
    return tuple(weight / sum(weights) for weight in weights)


def structure(doubled_covariance: ArrayOrTensor, variances: ArrayOrTensor, peak: float) -> ArrayOrTensor:
    """Contrast and structure at each place, from twice the covariance and the sum of the variances."""
    c2 = (K2 * peak) ** 2
    return (doubled_covariance + c2) / (variances + c2)


def luminance(mean_x: ArrayOrTensor, mean_y: ArrayOrTensor, peak: float) -> ArrayOrTensor:
    """Agreement of the means at each place."""
    c1 = (K1 * peak) ** 2
    return (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)


def ms_ssim_db(value: float) -> float:
    """MS-SSIM on a logarithmic scale: -10 log10(1 - value), in dB; infinite for 1."""
    return math.inf if value >= 1 else -10 * math.log10(1 - value)


def most_scales(height: int, width: int) -> int:
    """Number of scales, 0 to 5, that fit a picture of this size."""
    scales = 0
    while scales < len(SCALE_WEIGHTS) and min(height, width) > (TAPS - 1) << scales:
        scales += 1
    return scales


def require_scales(samples: Samples, scales: int) -> None:
    """Raise PictureError unless the window fits the picture at its coarsest scale."""
    if most_scales(*samples.shape[:2]) < scales:
        name = "SSIM" if scales == 1 else f"MS-SSIM with {scales} scales"
        raise PictureError(
            f"{name} needs sides above {(TAPS - 1) << (scales - 1)} pixels, and the picture is {size_of(samples)}"
        )


def plane(samples: Samples, channel: int) -> Plane:
    """One channel as float32."""
    return samples[:, :, channel].astype(np.float32)


def halved(samples: Plane) -> Plane:
    """2x2 means; an odd side gets one zero in front, which counts in the mean."""
    height, width = samples.shape
    if height % 2 or width % 2:
        samples = np.pad(samples, ((height % 2, 0), (width % 2, 0)))
    total = samples[0::2, 0::2] + samples[0::2, 1::2]
    total += samples[1::2, 0::2]
    total += samples[1::2, 1::2]
    total *= np.float32(0.25)
    return total


def similarity(x: Plane, y: Plane, peak: float) -> tuple[float, float]:
    """Means over the plane of (luminance x contrast x structure) and of (contrast x structure) alone."""
    middle = 0.5 * peak  # variances do not change when the samples move, and squares around zero keep more digits
    rows, columns = x.shape[0] - TAPS + 1, x.shape[1] - TAPS + 1
    whole, contrast = [], []
    for start, stop in strips(rows, x.shape[1]):
        p = x[start : stop + TAPS - 1].astype(np.float64)
        q = y[start : stop + TAPS - 1].astype(np.float64)
        p -= middle
        q -= middle
        mean_p, mean_q = blurred(p), blurred(q)
        covariance = 2 * blurred(p * q)
        covariance -= 2 * mean_p * mean_q
        p *= p
        q *= q
        p += q
        variances = blurred(p)
        variances -= mean_p * mean_p + mean_q * mean_q
        structures = structure(covariance, variances, peak)
        mean_p += middle
        mean_q += middle
        contrast.append(float(structures.sum()))
        whole.append(float(np.vdot(structures, luminance(mean_p, mean_q, peak))))
    return math.fsum(whole) / (rows * columns), math.fsum(contrast) / (rows * columns)


def blurred(samples: Strip) -> Strip:
    """Filter (H, W) with the Gaussian window where it fits: (H - 10, W - 10)."""
    height, width = samples.shape[0] - TAPS + 1, samples.shape[1] - TAPS + 1
    down = folded([samples[i : i + height] for i in range(TAPS)])
    return folded([down[:, i : i + width] for i in range(TAPS)])


def folded(shifted: list[Strip]) -> Strip:
    """The weighted sum of eleven shifted views; the window is symmetrical, so that six multiplications do."""
    half = TAPS // 2
    total = shifted[half] * WINDOW[half]
    for i in range(half):
        both = shifted[i] + shifted[TAPS - 1 - i]
        both *= WINDOW[i]
        total += both
    return total


def gaussian_window() -> tuple[float, ...]:
    """The taps, summing to 1."""
    taps = [math.exp(-((i - TAPS // 2) ** 2) / (2 * SIGMA**2)) for i in range(TAPS)]
    return tuple(tap / sum(taps) for tap in taps)


WINDOW = gaussian_window()
