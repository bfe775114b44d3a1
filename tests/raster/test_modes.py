# SPDX-License-Identifier: BSD-3-Clause
"""What each of Pillow's modes becomes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from calotype.errors import LossWarning, PictureError
from calotype.raster import Raster, from_picture, load, to_array, to_image
from calotype.raster.png16 import SIGNATURE, chunk

from .drawing import COLOUR_MODES, GREY_MODES, image_of, pattern


@pytest.mark.parametrize("mode", GREY_MODES + COLOUR_MODES)
def test_every_8_bit_mode(mode: str) -> None:
    image = image_of(mode)
    picture = from_picture(image)
    assert (picture.width, picture.height, picture.depth) == (13, 9, 8)
    assert picture.channels == (1 if mode in GREY_MODES else 3)
    assert (picture.alpha is not None) == (mode in ("LA", "La", "RGBA", "RGBa"))
    if mode != "LAB":
        target = ("L" if mode in GREY_MODES else "RGB") + ("" if picture.alpha is None else "A")
        expected = np.asarray(image.convert(target))
        assert np.array_equal(to_array(picture), expected)
    else:
        assert np.abs(picture.samples.astype(int) - pattern()).max() <= 12  # 8-bit Lab is coarse
    back = to_image(picture)
    assert back.size == (13, 9)
    assert back.mode == ("L" if picture.channels == 1 else "RGB") + ("" if picture.alpha is None else "A")


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I;16N", "I"])
def test_16_bit_grey_modes(mode: str) -> None:
    deep = pattern(channels=1, dtype=np.uint16)[..., 0]
    if mode == "I":
        image = Image.fromarray(deep.astype(np.int32))
    else:
        order = ">" if mode == "I;16B" else "<"
        image = Image.frombytes(mode, (13, 9), deep.astype(order + "u2").tobytes())
    assert image.mode == mode
    picture = from_picture(image)
    assert picture.depth == 16
    assert np.array_equal(picture.samples[..., 0], deep)
    back = to_image(picture)
    assert back.mode == "I;16"
    assert np.array_equal(np.asarray(back), deep)


def test_palette_pictures() -> None:
    colour = Image.fromarray(pattern()).quantize(16)
    assert np.array_equal(from_picture(colour).samples, np.asarray(colour.convert("RGB")))
    assert from_picture(colour).alpha is None

    colour.info["transparency"] = 3
    expected = np.where(np.asarray(colour) == 3, 0, 255)
    assert np.array_equal(from_picture(colour).alpha, expected)  # type: ignore[arg-type]
    colour.info["transparency"] = bytes(range(16))
    assert np.array_equal(from_picture(colour).alpha, np.asarray(colour))  # type: ignore[arg-type]

    associated = image_of("RGBA").quantize(16)
    assert from_picture(associated).alpha is not None
    assert from_picture(image_of("LA").convert("PA")).alpha is not None


def test_grey_palette_stays_grey() -> None:
    image = Image.fromarray(pattern(channels=1)[..., 0]).convert("P")
    picture = from_picture(image)
    assert picture.channels == 1
    assert np.array_equal(to_array(picture), pattern(channels=1)[..., 0])
    image.info["transparency"] = 0
    assert from_picture(image).channels == 1
    assert from_picture(image).alpha is not None


@pytest.mark.parametrize(("mode", "key"), [("L", 109), ("1", 255), ("RGB", (250, 247, 243)), ("I;16", 5000)])
def test_one_transparent_colour(mode: str, key: Any) -> None:
    image = image_of(mode) if mode != "I;16" else Image.fromarray(np.full((9, 13), 5000, np.uint16))
    if isinstance(key, tuple):
        key = image.getpixel((3, 4))
    elif mode == "L":
        key = image.getpixel((5, 5))
    image.info["transparency"] = key
    picture = from_picture(image)
    assert picture.alpha is not None
    samples = to_array(Raster(picture.samples))
    match = (samples == np.array(key)).all(-1) if mode == "RGB" else samples == key
    assert match.any()
    assert np.array_equal(picture.alpha == 0, match)
    assert set(np.unique(picture.alpha)) <= {0, 2**picture.depth - 1}


def test_transparent_colour_survives_a_png(tmp_path: Path) -> None:
    image = Image.fromarray(pattern())
    image.save(tmp_path / "key.png", transparency=image.getpixel((0, 0)))
    picture = load(tmp_path / "key.png")
    assert picture.alpha is not None
    assert picture.alpha[0, 0] == 0
    assert np.count_nonzero(picture.alpha == 0) == 1


def test_modes_without_a_range_are_refused() -> None:
    with pytest.raises(PictureError, match="scale it"):
        from_picture(Image.new("F", (3, 3)))
    with pytest.raises(PictureError, match="65536"):
        from_picture(Image.fromarray(np.array([[0, 65536]], np.int32)))
    with pytest.raises(PictureError, match="-1"):
        from_picture(Image.fromarray(np.array([[-1, 5]], np.int32)))


@pytest.mark.parametrize(
    ("bits", "row", "key", "alpha"), [(4, "05af", 10, (255, 255, 0, 255)), (2, "1b", 1, (255, 0, 255, 255))]
)
def test_the_transparent_colour_of_few_bits(bits: int, row: str, key: int, alpha: tuple[int, ...]) -> None:
    """PNG gives it as the samples are stored, Pillow scales the samples alone."""
    file = io.BytesIO()
    file.write(SIGNATURE)
    chunk(file, b"IHDR", struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0))
    chunk(file, b"tRNS", struct.pack(">H", key))
    chunk(file, b"IDAT", zlib.compress(b"\0" + bytes.fromhex(row)))
    chunk(file, b"IEND", b"")
    file.seek(0)
    picture = load(file)
    assert picture.alpha is not None and picture.alpha[0].tolist() == list(alpha)


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_colours_without_a_place_are_told(mode: str) -> None:
    with pytest.warns(LossWarning, match=f"become RGB, for there is no place for {mode}"):
        assert from_picture(image_of(mode)).channels == 3
