# SPDX-License-Identifier: BSD-3-Clause
"""The metrics as training losses: differentiable, in PyTorch, a value for each picture of a batch.

All take batches (N, C, H, W) of floats in 0..1, originals and decoded pictures, and return (N,). They are made of the
tables and the formulas of :mod:`calotype.metrics`, and tests hold both to the same values. To be minimised:
``mse(x, y)``, ``1 - ms_ssim(x, y)`` and ``hvs_mse(x, y)``; of the first and the last, ``-10 log10`` is PSNR and
PSNR-HVS. PSNR-HVS-M is left out: what its masking hides has no gradient, and a network would learn to put errors there.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import PictureError
from ..metrics.hvs import SPECTRUM, blocks, weighted
from ..metrics.luma import LUMA_WEIGHTS
from ..metrics.similarity import WINDOW, luminance, most_scales, scale_weights, structure

SMALLEST = 1e-6  # a similarity below it counts as this much: the gradient of x^0.04 grows without bound towards zero


def mse(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error over all channels."""
    return (x - y).square().mean((1, 2, 3))


def hvs_mse(x: Tensor, y: Tensor) -> Tensor:
    """The error of PSNR-HVS: that of the luma (C = 3; grey, C = 1, is its own) after contrast sensitivity.

    Sides should be multiples of 8: what fills no block gets no gradient.
    """
    spectrum = torch.from_numpy(SPECTRUM).to(x)
    return weighted(blocks(_luma(x)), blocks(_luma(y)), spectrum).mean((1, 2))  # type: ignore[no-any-return]


def ms_ssim(x: Tensor, y: Tensor, *, scales: int = 5) -> Tensor:
    """MS-SSIM, the mean over the channels; SSIM with one scale.

    Raises PictureError if the crops are too small for so many scales: five need sides above 160 pixels.
    """
    weights = scale_weights(scales)
    if most_scales(x.shape[-2], x.shape[-1]) < scales:
        raise PictureError(
            f"crops of {x.shape[-1]} x {x.shape[-2]} pixels are too small for MS-SSIM with {scales} scales; "
            "take larger crops or fewer scales"
        )
    value = torch.ones(x.shape[:2], dtype=x.dtype, device=x.device)
    for scale, weight in enumerate(weights):
        whole, contrast = _similarity(x, y)
        coarsest = scale == scales - 1
        value = value * (whole if coarsest else contrast).clamp_min(SMALLEST) ** weight
        if not coarsest:
            x, y = _halved(x), _halved(y)
    return value.mean(1)


def _luma(x: Tensor) -> Tensor:
    """(N, H, W)."""
    if x.shape[1] == 1:
        return x[:, 0]
    red, green, blue = LUMA_WEIGHTS
    return red * x[:, 0] + green * x[:, 1] + blue * x[:, 2]


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Means (N, C) of (luminance x structure) and of structure."""
    p, q = x - 0.5, y - 0.5  # squares around zero keep more of float32's digits
    mean_p, mean_q = _blurred(p), _blurred(q)
    covariance = 2 * (_blurred(p * q) - mean_p * mean_q)
    variances = _blurred(p * p + q * q) - (mean_p * mean_p + mean_q * mean_q)
    structures = structure(covariance, variances, 1.0)
    whole = structures * luminance(mean_p + 0.5, mean_q + 0.5, 1.0)
    return whole.mean((2, 3)), structures.mean((2, 3))


def _blurred(x: Tensor) -> Tensor:
    """Each channel with the Gaussian window, where it fits."""
    channels = x.shape[1]
    taps = x.new_tensor(WINDOW)
    x = F.conv2d(x, taps.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(x, taps.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def _halved(x: Tensor) -> Tensor:
    """2x2 means; an odd side gets one zero in front, which counts in the mean."""
    return F.avg_pool2d(F.pad(x, (x.shape[3] % 2, 0, x.shape[2] % 2, 0)), 2)
