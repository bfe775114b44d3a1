# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.color
import skimage.metrics

from calotype.errors import PictureError
from calotype.metrics import luma, psnr, psnr_luma

from .copies import PHOTOGRAPH, deep, jpeg_copy


@pytest.mark.parametrize("quality", [5, 60, 98])
def test_agrees_with_skimage(quality: int) -> None:
    decoded = jpeg_copy(PHOTOGRAPH, quality)
    a, b = (skimage.color.rgb2ycbcr(samples)[..., 0] for samples in (PHOTOGRAPH, decoded))  # 16 to 235, not rounded
    assert luma(PHOTOGRAPH) == pytest.approx((a - 16) * 255 / 219, abs=1e-9)
    theirs = skimage.metrics.peak_signal_noise_ratio(a, b, data_range=219)
    assert psnr_luma(PHOTOGRAPH, decoded) == pytest.approx(theirs, abs=1e-4)


def test_ends_grey_and_depth() -> None:
    white = np.full((3, 4, 3), 255, np.uint8)
    assert luma(white) == pytest.approx(255)
    grey, decoded = PHOTOGRAPH[..., 1], jpeg_copy(PHOTOGRAPH[..., 1], 30)
    assert psnr_luma(grey, decoded) == pytest.approx(psnr(grey, decoded), abs=1e-9)
    assert psnr_luma(PHOTOGRAPH, PHOTOGRAPH) == math.inf
    copy = jpeg_copy(PHOTOGRAPH, 30)
    assert psnr_luma(deep(PHOTOGRAPH), deep(copy)) == pytest.approx(psnr_luma(PHOTOGRAPH, copy), abs=1e-9)


def test_needs_grey_or_rgb() -> None:
    with pytest.raises(PictureError, match="2 channels"):
        psnr_luma(PHOTOGRAPH[..., :2], PHOTOGRAPH[..., :2])
