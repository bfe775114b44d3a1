# SPDX-License-Identifier: BSD-3-Clause
"""PSNR-HVS and PSNR-HVS-M: errors weighed by how well the eye sees their frequency.

- K. Egiazarian, J. Astola, N. Ponomarenko, V. Lukin, F. Battisti, M. Carli, "New full-reference quality metrics based
  on HVS", VPQM 2006: the contrast sensitivity function.
- N. Ponomarenko, F. Silvestri, K. Egiazarian, M. Carli, J. Astola, V. Lukin, "On between-coefficient contrast masking
  of DCT basis functions", VPQM 2007: what strong texture hides.

The luma is cut into blocks of 8x8 pixels, which do not overlap; columns and rows at the right and lower edge that fill
no block do not count, as in the authors' program. Each block goes through an orthonormal DCT. PSNR-HVS is then the PSNR
of coefficients that are multiplied by :data:`SENSITIVITY`; that is linear, so that the DCT and the weights are one
matrix of 64x64, :data:`SPECTRUM`. PSNR-HVS-M first takes from each difference but the mean's what the block masks.

:func:`blocks` and :func:`weighted` use operators alone, so that they serve NumPy arrays and PyTorch tensors: the
training loss is this very code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Samples
from ..errors import PictureError
from .luma import luma
from .pair import checked_pair, size_of, strips

ArrayOrTensor = Any  # a NumPy array or a PyTorch tensor
Blocks = NDArray[np.float64]  # (N, 64): N blocks, row by row

SIDE = 8  # of a block, in pixels
# Contrast sensitivity, by vertical and horizontal frequency (Egiazarian 2006).
SENSITIVITY = np.array([
    [1.608443, 2.339554, 2.573509, 1.608443, 1.072295, 0.643377, 0.504610, 0.421887],
    [2.144591, 2.144591, 1.838221, 1.354478, 0.989811, 0.443708, 0.428918, 0.467911],
    [1.838221, 1.979622, 1.608443, 1.072295, 0.643377, 0.451493, 0.372972, 0.459555],
    [1.838221, 1.513829, 1.169777, 0.887417, 0.504610, 0.295806, 0.321689, 0.415082],
    [1.429727, 1.169777, 0.695543, 0.459555, 0.378457, 0.236102, 0.249855, 0.334222],
    [1.072295, 0.735288, 0.467911, 0.402111, 0.317717, 0.247453, 0.227744, 0.279729],
    [0.525206, 0.402111, 0.329937, 0.295806, 0.249855, 0.212687, 0.214459, 0.254803],
    [0.357432, 0.279729, 0.270896, 0.262603, 0.229778, 0.257351, 0.249855, 0.259950],
])  # fmt: skip
# How much the energy at a frequency masks: (10 / entry of JPEG's luminance table)^2 (Ponomarenko 2007).
MASKING = np.array([
    [0.390625, 0.826446, 1.000000, 0.390625, 0.173611, 0.062500, 0.038447, 0.026874],
    [0.694444, 0.694444, 0.510204, 0.277008, 0.147929, 0.029727, 0.027778, 0.033058],
    [0.510204, 0.591716, 0.390625, 0.173611, 0.062500, 0.030779, 0.021004, 0.031888],
    [0.510204, 0.346021, 0.206612, 0.118906, 0.038447, 0.013212, 0.015625, 0.026015],
    [0.308642, 0.206612, 0.073046, 0.031888, 0.021626, 0.008417, 0.009426, 0.016866],
    [0.173611, 0.081633, 0.033058, 0.024414, 0.015242, 0.009246, 0.007831, 0.011815],
    [0.041649, 0.024414, 0.016437, 0.013212, 0.009426, 0.006830, 0.006944, 0.009803],
    [0.019290, 0.011815, 0.011080, 0.010412, 0.007972, 0.010000, 0.009426, 0.010203],
])  # fmt: skip


def psnr_hvs(a: Samples, b: Samples) -> float:
    """PSNR of the luma after contrast sensitivity, in dB; infinite where that is equal.

    It takes grey or RGB. Raises PictureError for pictures that cannot be compared, or have no block of 8x8 pixels.
    """
    return _psnr(a, b, _plain)


def psnr_hvs_m(a: Samples, b: Samples) -> float:
    """PSNR-HVS with masking, in dB: errors that the texture around them hides do not count. Never below PSNR-HVS."""
    return _psnr(a, b, _masked)


def blocks(plane: ArrayOrTensor) -> ArrayOrTensor:
    """Whole blocks of planes (..., H, W), a row of 64 samples each: (..., H // 8 * (W // 8), 64)."""
    *rest, height, width = plane.shape
    down, across = height // SIDE, width // SIDE
    cut = plane[..., : down * SIDE, : across * SIDE].reshape(*rest, down, SIDE, across, SIDE)
    return cut.swapaxes(-3, -2).reshape(*rest, down * across, SIDE * SIDE)


def weighted(a: ArrayOrTensor, b: ArrayOrTensor, spectrum: ArrayOrTensor) -> ArrayOrTensor:
    """Squared differences (..., N, 64) of the coefficients of two rows of blocks; their mean is the error of PSNR-HVS.

    ``spectrum`` is :data:`SPECTRUM`, of the type of the blocks.
    """
    return ((a - b) @ spectrum) ** 2


def hvs_mse(a: Samples, b: Samples) -> float:
    """The error that PSNR-HVS is the logarithm of, for samples in 0..1. Raises PictureError as that does."""
    return _mean_error(a, b, _plain)


def _psnr(a: Samples, b: Samples, error: Callable[[Blocks, Blocks], float]) -> float:
    mean = _mean_error(a, b, error)
    return math.inf if mean == 0 else -10 * math.log10(mean)


def _mean_error(a: Samples, b: Samples, error: Callable[[Blocks, Blocks], float]) -> float:
    """The mean of ``error``, which sums over blocks, for samples in 0..1."""
    a, b, peak = checked_pair(a, b, luma=True)
    height, width = a.shape[0] // SIDE, a.shape[1] // SIDE  # in blocks
    if not height or not width:
        raise PictureError(f"PSNR-HVS needs sides of at least {SIDE} pixels, and the picture is {size_of(a)}")
    total = []
    for start, stop in strips(height, a.shape[1] * SIDE * a.shape[2]):
        rows = slice(start * SIDE, stop * SIDE)
        total.append(error(blocks(luma(a[rows])), blocks(luma(b[rows]))))
    return math.fsum(total) / float(height * width * SIDE * SIDE * peak * peak)


def _plain(a: Blocks, b: Blocks) -> float:
    return float(weighted(a, b, SPECTRUM).sum())


def _masked(a: Blocks, b: Blocks) -> float:
    p, q = a @ DCT, b @ DCT
    hidden = np.maximum(_threshold(a, p), _threshold(b, q))[:, None] / MASKING.ravel()
    hidden[:, 0] = 0  # a change of the mean is never masked
    seen = np.maximum(np.abs(p - q) - hidden, 0) * SENSITIVITY.ravel()
    return float(np.vdot(seen, seen))


def _threshold(samples: Blocks, coefficients: Blocks) -> NDArray[np.float64]:
    """Masking of each block (N,): its weighted energy, and little of it if the energy is that of one edge."""
    energy = (coefficients[:, 1:] ** 2) @ MASKING.ravel()[1:]
    quarters = samples.reshape(-1, 2, SIDE // 2, 2, SIDE // 2).swapaxes(2, 3).reshape(-1, 4, SIDE * SIDE // 4)
    whole = samples.var(axis=1, ddof=1) * SIDE * SIDE
    parts = (quarters.var(axis=2, ddof=1) * (SIDE * SIDE // 4)).sum(axis=1)
    evenness = np.divide(parts, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(np.sqrt(energy * evenness) / 32, dtype=np.float64)  # 32: the authors' normalisation


def dct_matrix() -> NDArray[np.float64]:
    """The orthonormal two-dimensional DCT of a block in one matrix: (64 samples) @ (64, 64) = 64 coefficients."""
    n = np.arange(SIDE)
    basis = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / (2 * SIDE))
    basis[0] /= math.sqrt(2)
    return np.ascontiguousarray(np.kron(basis, basis).T)


DCT = dct_matrix()
SPECTRUM = DCT * SENSITIVITY.ravel()
