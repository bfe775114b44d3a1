# SPDX-License-Identifier: BSD-3-Clause
"""Resampling in bands: what Pillow does with the whole picture at once, at both depths."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from calotype.raster import resampling
from calotype.raster.resampling import BICUBIC, LANCZOS, resize
from tests.make_golden import drawing


@pytest.mark.parametrize("kernel", [BICUBIC, LANCZOS])
@pytest.mark.parametrize("size", [(20, 30), (15, 33), (160, 240), (80, 120), (1, 1), (97, 7)])
def test_bands_leave_no_trace(
    size: tuple[int, int], kernel: resampling.Filter, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = drawing(80, 120, 3, 8)
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(picture, 2, 0)]
    expected = np.stack([np.asarray(plane.resize(size[::-1], kernel)) for plane in planes], 2).clip(0, 255)
    for pixels in (resampling.BAND_PIXELS, 1000):
        monkeypatch.setattr(resampling, "BAND_PIXELS", pixels)
        found = resize(picture, *size, kernel)
        assert found.shape == (*size, 3) and found.dtype == np.uint8
        assert np.abs(found - expected).max() <= 0.51


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_16_bits_agree_with_8(channels: int | None) -> None:
    small = drawing(50, 40, channels or 1, 8)
    small = small[..., 0] if channels is None else small
    deep = resize(small.astype(np.uint16) * np.uint16(257), 25, 20)
    assert deep.dtype == np.uint16 and deep.shape == (25, 20, *small.shape[2:])
    assert np.abs(deep / 257 - resize(small, 25, 20)).max() <= 1.01


def test_overshoot_is_clipped() -> None:
    edge = np.zeros((16, 16), np.uint16)
    edge[:, 8:] = 65535
    large = resize(edge, 64, 64, LANCZOS)
    assert large.min() == 0 and large.max() == 65535
    assert (np.diff(large[0].astype(int))[20:40] >= -6000).all()  # nothing wrapped around
