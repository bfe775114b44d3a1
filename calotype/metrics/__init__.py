# SPDX-License-Identifier: BSD-3-Clause
"""How far a decoded picture is from its original, and what it costs.

All functions take two NumPy arrays of samples, ``uint8`` or ``uint16``, shaped (H, W) or (H, W, C), of equal shape and
type; the peak (255 or 65535) follows from the type. They need NumPy alone, work through a large picture in strips, and
raise :class:`~calotype.errors.PictureError` for pictures that cannot be compared::

    psnr(original, decoded)                       # dB
    ms_ssim(original, decoded)                    # 0..1
    ms_ssim_db(ms_ssim(original, decoded))        # dB
    bits_per_pixel(len(data), original)
"""

from __future__ import annotations

from calotype.metrics.error import mse, psnr
from calotype.metrics.rate import bits_per_pixel
from calotype.metrics.similarity import most_scales, ms_ssim, ms_ssim_db, ssim

__all__ = ["bits_per_pixel", "most_scales", "ms_ssim", "ms_ssim_db", "mse", "psnr", "ssim"]
