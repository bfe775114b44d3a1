# SPDX-License-Identifier: BSD-3-Clause
"""Arrays in and out, limits of size, and refusals."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageFile, PngImagePlugin

from calotype import raster
from calotype.container import MAX_PIXELS
from calotype.errors import LossWarning, PictureError
from calotype.raster import Raster, from_picture, to_array, to_image

from .drawing import exif_bytes, pattern

SIDE = st.integers(1, 6)
SHAPES = st.tuples(SIDE, SIDE) | st.tuples(SIDE, SIDE, st.integers(1, 4))


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), SHAPES))
@settings(max_examples=60, deadline=None)
def test_arrays_come_back(array: Any) -> None:
    back = to_array(from_picture(array))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array[..., 0] if array.shape[2:] == (1,) else array)
    if array.dtype == np.uint8:
        assert np.array_equal(to_array(from_picture(to_image(from_picture(array)))), back)


def test_arrays_of_other_kinds() -> None:
    assert set(np.unique(from_picture(np.eye(4, dtype=bool)).samples)) == {0, 255}
    swapped = pattern(dtype=np.uint16).astype(">u2")
    assert np.array_equal(from_picture(swapped).samples, pattern(dtype=np.uint16))
    assert from_picture(pattern()[::-1, ::2]).samples.flags.c_contiguous


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 4)), "astype"),
        (np.zeros((4, 4), np.float32), "scale it"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros((4, 4), np.uint32), "uint32"),
        (np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)"),
        (np.zeros((4, 4, 0), np.uint8), r"\(4, 4, 0\)"),
        (np.zeros((0, 4), np.uint8), r"\(0, 4\)"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((1, 2, 3, 4), np.uint8), r"\(1, 2, 3, 4\)"),
        (np.array([["a"]]), "not a picture"),
        (np.zeros((1, 65536), np.uint8), "65535"),
        ("photo.png", "load"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture(array: Any, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        from_picture(array)


def test_a_mask_is_told_and_left_out() -> None:
    masked = np.ma.masked_equal(pattern(), 0)
    with pytest.warns(LossWarning, match="mask of the array is left out"):
        picture = from_picture(masked)
    assert type(picture.samples) is np.ndarray and np.array_equal(picture.samples, pattern())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert type(from_picture(np.ma.array(pattern())).samples) is np.ndarray


def test_limits_of_size() -> None:
    with pytest.raises(PictureError, match="65535"):
        from_picture(Image.new("1", (65536, 1)))
    with pytest.raises(PictureError, match=str(MAX_PIXELS)):
        raster.check_size(20000, 20000)
    with pytest.raises(PictureError, match="at least one pixel"):
        from_picture(Image.new("RGB", (0, 5)))
    raster.check_size(65535, 4096)


def test_raster_checks_its_parts() -> None:
    with pytest.raises(PictureError, match="samples"):
        Raster(np.zeros((2, 2), np.uint8))
    with pytest.raises(PictureError, match="alpha"):
        Raster(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8))
    with pytest.raises(PictureError, match="alpha"):
        Raster(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint16))
    for parts in (([[1]],), (None,), (np.zeros((2, 2, 3), np.uint8), [1]), (np.zeros((2, 2, 3), np.uint8), None, {})):
        with pytest.raises(PictureError, match="must be"):
            Raster(*parts)  # type: ignore[arg-type]


def test_lazy_files_and_user_infos(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "after the pixels")
    Image.fromarray(pattern()).save(tmp_path / "a.png", pnginfo=info, exif=exif_bytes(3))
    with Image.open(tmp_path / "a.png") as image:
        assert isinstance(image, ImageFile.ImageFile)
        assert np.array_equal(from_picture(image).samples, pattern()[::-1, ::-1])
