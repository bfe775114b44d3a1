# SPDX-License-Identifier: BSD-3-Clause
"""Colour profiles: kept, applied, dropped, refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from calotype.container import Metadata
from calotype.errors import LossWarning, PictureError
from calotype.raster import Raster, from_picture, load, to_array, to_file

from .drawing import SRGB, image_of, pattern, profile


def srgb_of(image: Image.Image, icc: bytes) -> Any:
    """By way of Pillow's other function."""
    result = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.asarray(result)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_strip_converts_to_srgb(mode: str) -> None:
    wide = profile("RGB ", 1.8)
    image = Image.fromarray(pattern()).quantize(16) if mode == "P" else image_of(mode)
    image.info["icc_profile"] = wide
    kept = from_picture(image)
    assert kept.icc == wide
    assert np.array_equal(kept.samples, np.asarray(image.convert("RGB")))
    expected = srgb_of(image.convert("RGB"), wide)
    stripped = from_picture(image, strip=True)
    assert stripped.icc is None
    assert np.array_equal(stripped.samples, expected)
    assert not np.array_equal(stripped.samples, kept.samples)
    again = from_picture(kept, strip=True)
    assert np.array_equal(to_array(again), to_array(stripped))


def test_grey_profiles() -> None:
    grey = profile("GRAY", 1.4)
    image = image_of("LA")
    image.info["icc_profile"] = grey
    assert from_picture(image).icc == grey
    stripped = from_picture(image, strip=True)
    assert stripped.channels == 1
    assert np.array_equal(stripped.samples[..., 0], srgb_of(image.convert("L"), grey)[..., 1])
    assert np.array_equal(stripped.alpha, from_picture(image).alpha)  # type: ignore[arg-type]


def test_profiles_that_do_not_fit_go() -> None:
    for mode, space in (("RGB", "GRAY"), ("RGB", "CMYK"), ("L", "CMYK"), ("CMYK", "RGB "), ("CMYK", "GRAY")):
        image = image_of(mode)
        expected = np.asarray(image if mode in ("RGB", "L") else image.convert("RGB"))
        image.info["icc_profile"] = profile(space)
        with pytest.warns(LossWarning, match="colour profile .* is left out"):
            picture = from_picture(image)
        assert picture.icc is None
        assert np.array_equal(to_array(picture), expected)
    for dtype in (np.uint8, np.uint16):
        file = to_file(Raster(pattern(dtype=dtype), None, Metadata(b"x" * 500)), "png")
        with pytest.warns(LossWarning, match="colour profile is damaged"):
            assert load(io.BytesIO(file)).icc is None
    for junk in (b"", "text"):
        image = image_of("RGB")
        image.info["icc_profile"] = junk
        assert from_picture(image).icc is None


def test_grey_with_an_rgb_profile_keeps_its_look() -> None:
    image = image_of("L")
    image.info["icc_profile"] = SRGB
    picture = from_picture(image)
    assert picture.icc is None
    assert np.array_equal(to_array(picture), np.asarray(image))
    dark = profile("RGB ", 1.2)
    image.info["icc_profile"] = dark
    picture = from_picture(image)
    assert (picture.icc, picture.channels) == (None, 1)
    assert np.abs(to_array(picture).astype(int) - srgb_of(image.convert("RGB"), dark)[..., 1]).max() <= 1


def test_cmyk_goes_through_its_profile(tmp_path: Path) -> None:
    icc = profile("CMYK")
    image = image_of("CMYK")
    plain = from_picture(image)
    assert np.array_equal(plain.samples, np.asarray(image.convert("RGB")))
    image.info["icc_profile"] = icc
    picture = from_picture(image)
    assert picture.icc is None
    assert np.array_equal(picture.samples, srgb_of(image, icc))
    assert not np.array_equal(picture.samples, plain.samples)
    image.info["icc_profile"] = icc[:200]
    assert np.array_equal(from_picture(image).samples, plain.samples)
    image.save(tmp_path / "print.jpg", quality=95, icc_profile=icc)
    assert load(tmp_path / "print.jpg").channels == 3


def test_strip_refuses_to_change_16_bit_colours() -> None:
    deep = pattern(dtype=np.uint16)
    assert from_picture(Raster(deep, None, Metadata(SRGB)), strip=True).icc is None
    with pytest.raises(PictureError, match="sRGB first"):
        from_picture(Raster(deep, None, Metadata(profile("RGB ", 1.8))), strip=True)
    grey = Image.fromarray(deep[..., 0])
    grey.info["icc_profile"] = profile("GRAY", 1.4)
    assert from_picture(grey).icc is not None
    with pytest.raises(PictureError, match="sRGB first"):
        from_picture(grey, strip=True)


def test_littlecms_is_loaded_only_where_colours_are_converted() -> None:
    program = (
        "import sys, numpy, calotype.raster as r; r.from_picture(r.to_image(r.Raster(numpy.zeros((4, 4, 3), 'u1'))));"
        "sys.exit('PIL.ImageCms' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("suffix", ["webp", "avif"])
def test_grey_in_files_that_are_rgb(suffix: str) -> None:
    grey = Raster(np.full((16, 16, 1), 90, np.uint8), None, Metadata(profile("GRAY", 1.4)))
    back = load(io.BytesIO(to_file(grey, suffix)))
    expected = from_picture(grey, strip=True).samples
    assert back.icc is None and int(expected[0, 0, 0]) > 110
    assert np.abs(back.samples.astype(int) - expected).max() <= 2
