# SPDX-License-Identifier: BSD-3-Clause
"""Measures of a decoded picture against its original, and of its cost.

All functions take two NumPy arrays of samples, ``uint8`` or ``uint16``, shaped (H, W) or (H, W, C), of equal shape and
type; the peak (255 or 65535) follows from the type. They need NumPy alone (but for the two judges from elsewhere), work
through a large picture in strips or parts, and raise :class:`~calotype.errors.PictureError` for pictures that cannot be
compared::

    psnr(original, decoded)                       # dB
    psnr_luma(original, decoded)                  # dB
    ms_ssim(original, decoded)                    # 0..1
    ms_ssim_db(ms_ssim(original, decoded))        # dB
    psnr_hvs(original, decoded)                   # dB
    perceptual_distance(original, decoded, load_squeezenet("squeezenet_v1_0.npz"))
    bits_per_pixel(len(data), original)

    error, luma     MSE, RMSE and PSNR, over all channels and of the luma
    similarity      SSIM and MS-SSIM
    hvs             PSNR-HVS and PSNR-HVS-M
    ssimulacra2     SSIMULACRA 2
    butteraugli     Butteraugli, by a program, if it is installed
    colorvideovdp   ColorVideoVDP, by a package, if it is installed
    perceptual      distance of features, by the network in squeezenet
    rate            bits per pixel
    catalogue       all of them with their names, units, limits and directions: adding one is a file and a line there
"""

from __future__ import annotations

from .butteraugli import butteraugli, has_butteraugli
from .colorvideovdp import cvvdp, has_cvvdp
from .error import mse, psnr, rmse
from .hvs import psnr_hvs, psnr_hvs_m
from .luma import luma, psnr_luma
from .perceptual import perceptual_distance
from .rate import bits_per_pixel
from .similarity import most_scales, ms_ssim, ms_ssim_db, ssim
from .squeezenet import load_squeezenet
from .ssimulacra2 import ssimulacra2

__all__ = [
    "bits_per_pixel",
    "butteraugli",
    "cvvdp",
    "has_butteraugli",
    "has_cvvdp",
    "load_squeezenet",
    "luma",
    "most_scales",
    "ms_ssim",
    "ms_ssim_db",
    "mse",
    "perceptual_distance",
    "psnr",
    "psnr_hvs",
    "psnr_hvs_m",
    "psnr_luma",
    "rmse",
    "ssim",
    "ssimulacra2",
]
