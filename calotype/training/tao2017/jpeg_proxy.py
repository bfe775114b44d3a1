# SPDX-License-Identifier: BSD-3-Clause
"""JPEG with a gradient: what stands in for the real codec when a network before it learns (Shin and Song 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # JFIF


def dct_matrix() -> Tensor:
    """The orthonormal DCT-II of eight samples ``(8, 8)``: rows are frequencies."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
    return torch.cos(math.pi * (2 * n + 1) * k / 16) * torch.where(k == 0, math.sqrt(1 / 8), 0.5)


def coefficients(x: Tensor, tables: Tensor) -> tuple[Tensor, Tensor]:
    """What a JPEG 4:4:4 of ``x`` rounds, in units of its steps, ``(B, 3, H/8, W/8, 8, 8)``; and those steps."""
    b, _, h, w = x.shape
    mix, dct = x.new_tensor(YCBCR), dct_matrix().to(x)
    steps = tables.exp2().view(b, 2, 1, 1, 8, 8)[:, [0, 1, 1]]
    planes = torch.einsum("cd,bdhw->bchw", mix, x * 255 - 128)
    blocks = planes.view(b, 3, h // 8, 8, w // 8, 8).transpose(3, 4)
    return dct @ blocks @ dct.T / steps, steps


def jpeg_bits(x: Tensor, tables: Tensor) -> Tensor:
    """About how many bits the JPEG of each ``x`` takes, up to a factor, ``(B,)``: what a codec's gradient lacks.

    A coefficient takes bits as the logarithm of its modulus grows, from nothing at zero. The chroma counts a quarter,
    for usual files keep a quarter of it.
    """
    values, _ = coefficients(x, tables)
    bits = torch.log2(1 + values.square()).sum((2, 3, 4, 5))  # (B, 3)
    return bits @ bits.new_tensor([1.0, 0.25, 0.25])


def jpeg_proxy(x: Tensor, tables: Tensor) -> Tensor:
    """JPEG 4:4:4 of ``x (B, 3, H, W)`` in 0..1, sides multiples of 8, with the gradient of a soft rounding.

    Args:
        x: pictures.
        tables: ``(B, 128, 1, 1)``, log2 of the luma and then the chroma steps.
    """
    b, _, h, w = x.shape
    mix, dct = x.new_tensor(YCBCR), dct_matrix().to(x)
    values, steps = coefficients(x, tables)
    whole = values.detach().round()
    rounded = whole + (values - whole) ** 3  # its slope is small near whole numbers, as the real one's is zero
    blocks = dct.T @ (rounded * steps) @ dct
    planes = blocks.transpose(3, 4).reshape(b, 3, h, w)
    decoded: Tensor = torch.einsum("cd,bdhw->bchw", torch.linalg.inv(mix), planes)
    return F.hardtanh((decoded + 128) / 255, 0.0, 1.0)
