# SPDX-License-Identifier: BSD-3-Clause
"""Pictures in bands of rows, and rounding to 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from calotype.raster import Raster, bands, from_picture, to_array, to_image

from .drawing import image_of, pattern


def test_bands_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "BAND_PIXELS", 30)
    for mode in ("P", "RGBA", "CMYK", "I;16"):
        if mode == "P":
            image = Image.fromarray(pattern()).quantize(16)
        elif mode == "I;16":
            image = Image.fromarray(pattern(channels=1, dtype=np.uint16)[..., 0])
        else:
            image = image_of(mode)
        expected = image if mode == "I;16" else image.convert("RGBA" if mode == "RGBA" else "RGB")
        assert np.array_equal(to_array(from_picture(image)), np.asarray(expected))


def test_16_bits_round_to_8() -> None:
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    expected = np.rint(deep.astype(np.float64) / 257).astype(np.uint8)
    image = to_image(Raster(np.repeat(deep, 3, axis=2), deep[..., 0]))
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image), np.repeat(expected, 4, axis=2))
