# SPDX-License-Identifier: BSD-3-Clause
"""A JPEG is kept: the same bytes come out, and the picture in it is everybody's."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import calotype
from calotype import container, raster
from calotype.api.wrap import kept_jpeg
from calotype.raster.colour import PRIMARIES, matrix_profile
from calotype.raster.stills import jxl
from tests.make_golden import drawing

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def jpeg(channels: int = 3, orientation: int = 1, **options: Any) -> bytes:
    samples = drawing(90, 130, channels, 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    memory = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if channels == 1 else samples)
    image.save(memory, "JPEG", **{"quality": 85, "exif": exif, **options})
    return memory.getvalue()


CASES = {
    "colour": jpeg(),
    "progressive": jpeg(progressive=True, quality=75),
    "full colour": jpeg(subsampling=0, quality=95),
    "grey": jpeg(1),
    "followed": jpeg() + b"what a camera leaves behind",
    **{f"turned {o}": jpeg(orientation=o) for o in (2, 3, 6, 8)},
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_bytes_come_out(name: str, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if packed:
        pytest.importorskip("imagecodecs")
    else:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
    file = CASES[name]
    data = calotype.wrap(file, lossless=True)
    assert calotype.extract(data) == file
    expected = raster.load(io.BytesIO(file))
    found = calotype.api.decode.decode_raster(data)
    assert np.array_equal(found.samples, expected.samples) and found.metadata == expected.metadata
    assert found.samples.flags.writeable
    part = calotype.decode(data, region=(5, 7, 60, 50), as_array=True)
    assert np.array_equal(part, raster.to_array(expected)[7:50, 5:60])
    assert calotype.probe(data).inside == ("JPEG, kept as JPEG XL" if packed else "JPEG as it was")
    assert not packed or len(data) < len(file)


def test_a_jpeg_that_is_packed_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imagecodecs")
    data = calotype.wrap(CASES["colour"], lossless=True)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for work in (calotype.decode, calotype.extract):
        with pytest.raises(calotype.DependencyError, match="imagecodecs"):
            work(data)


def test_hostile_files_inside() -> None:
    pytest.importorskip("imagecodecs")
    content = container.unpack(calotype.wrap(CASES["colour"], lossless=True))
    small = content.tiles[0]
    assert small and jxl.keeps_jpeg(small)

    def decode(payload: bytes, **header: int) -> Any:
        return calotype.decode(
            container.pack(replace(content, header=replace(content.header, **header), tiles=(payload,)))
        )

    with pytest.raises(calotype.FormatError, match="130 x 90 pixels of 8 bits, not 20000 x 10000"):
        decode(small, width=20000, height=10000)
    for cut in range(0, len(small) - 1, 97):
        with pytest.raises(calotype.FormatError):
            decode(small[:cut])
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(small)
        damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        try:
            decode(bytes(damaged))
        except calotype.FormatError as error:
            assert str(error).isprintable() and len(str(error)) < 250


@pytest.mark.parametrize("file", [b"", b"\xff\xd8\xff", CASES["colour"][:300]])
def test_what_is_no_jpeg(file: bytes) -> None:
    with pytest.raises(calotype.PictureError):
        calotype.wrap(file, lossless=True)


def test_size_and_scale_do_not_go_with_it() -> None:
    with pytest.raises(calotype.PictureError, match="scale 2 is not 1"):
        calotype.wrap(CASES["colour"], 2, lossless=True)
    with pytest.raises(calotype.PictureError, match="only a JPEG can be kept"):
        calotype.wrap(b"RIFF\0\0\0\0WEBP", lossless=True)


def test_grey_whose_colours_need_a_profile_of_rgb_is_not_kept_as_it_is() -> None:
    linear = matrix_profile(PRIMARIES[1][1:], (1.0,), 3, "linear")
    file = jpeg(1, icc_profile=linear)
    for lossless in (True, False):
        with pytest.raises(calotype.PictureError, match="grey with a colour profile of RGB"):
            calotype.wrap(file, lossless=lossless)
    picture = raster.load(io.BytesIO(file))
    with pytest.warns(UserWarning, match="the JPEG is not kept"):
        data = kept_jpeg(file, picture, verify=True)
    assert np.array_equal(calotype.decode(data, as_array=True), picture.samples[..., 0])
    assert calotype.extract(calotype.wrap(jpeg(1, icc_profile=SRGB), lossless=True)) == jpeg(1, icc_profile=SRGB)
