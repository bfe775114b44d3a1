# SPDX-License-Identifier: BSD-3-Clause
"""The bit rate of a file."""

from __future__ import annotations

from ..arrays import Samples


def bits_per_pixel(size: int, picture: Samples | tuple[int, int]) -> float:
    """Bits of a file of ``size`` bytes for each pixel of ``picture``: an array (H, W[, C]) or a (width, height)."""
    if isinstance(picture, tuple):
        width, height = picture
    else:
        height, width = picture.shape[:2]
    return 8 * size / (width * height)
