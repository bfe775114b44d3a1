# SPDX-License-Identifier: BSD-3-Clause
"""Colours that no profile tells: read, kept, and made a profile where a format knows nothing else."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

import calotype
from calotype import raster
from calotype.container import CodePoints, Metadata
from calotype.errors import LossWarning
from calotype.raster import Raster, colour, from_picture, load, to_file, to_image
from tests.raster.drawing import pattern

PQ, P3 = CodePoints(9, 16), CodePoints(12, 13)


def png(*chunks: tuple[bytes, bytes], picture: np.ndarray | None = None) -> io.BytesIO:
    info, memory = PngImagePlugin.PngInfo(), io.BytesIO()
    for kind, data in chunks:
        info.add(kind, data)
    Image.fromarray(pattern() if picture is None else picture).save(memory, "PNG", pnginfo=info)
    return memory


def shown(icc: bytes, samples: np.ndarray) -> np.ndarray:
    """As sRGB."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    return np.asarray(ImageCms.applyTransform(Image.fromarray(samples), transform)).astype(int)


@pytest.mark.parametrize("points", [PQ, P3])
def test_code_points_come_back_from_png(points: CodePoints) -> None:
    picture = load(png((b"cICP", bytes([*points, 0, 1]))))
    assert picture.metadata.cicp == points and picture.icc is None
    assert load(io.BytesIO(to_file(picture, "png"))).metadata.cicp == points
    deep = Raster(pattern(dtype=np.uint16), None, Metadata(cicp=points))
    assert load(io.BytesIO(to_file(deep, "png"))).metadata.cicp == points
    assert from_picture(to_image(picture)).metadata == Metadata(cicp=points)
    assert from_picture(picture, strip=True).metadata == Metadata(cicp=points)  # or colours would change


def test_what_means_srgb_is_not_kept() -> None:
    for points in ((1, 13), (1, 1), (2, 2)):
        assert load(png((b"cICP", bytes([*points, 0, 1])))).metadata == Metadata()
    assert load(png((b"gAMA", struct.pack(">I", 45455)))).metadata == Metadata()


def test_a_file_keeps_code_points_and_tells_them() -> None:
    data = calotype.encode(load(png((b"cICP", bytes([*PQ, 0, 1])))), threads=1)
    assert calotype.probe(data).cicp == PQ
    assert calotype.decode(data, threads=1).info["cicp"] == PQ


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_profile_stands_in_for_code_points(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        icc = load(io.BytesIO(to_file(Raster(pattern(), None, Metadata(cicp=P3)), kind))).icc
    assert icc == colour.profile(P3, 3)
    with pytest.warns(LossWarning, match="colour code points"):
        to_file(Raster(pattern(), None, Metadata(cicp=PQ)), kind)


def test_profiles_mean_what_they_should() -> None:
    samples = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), -1).reshape(1, -1, 3)
    srgb = colour.profile(CodePoints(1, 13), 3)
    assert srgb is not None and np.abs(shown(srgb, samples) - samples).max() <= 1
    wide = colour.profile(P3, 3)
    assert wide is not None
    red = shown(wide, np.array([[[200, 100, 50]]], np.uint8))[0, 0]
    assert np.abs(red - (215, 93, 31)).max() <= 2  # by CSS Color 4's matrices
    linear = load(png((b"gAMA", struct.pack(">I", 100000)))).icc
    assert linear is not None
    assert np.abs(shown(linear, np.full((1, 1, 3), 55, np.uint8)) - 128).max() <= 2  # 0.2158 of the light
    grey = colour.profile(CodePoints(1, 4), 1)
    assert grey is not None and grey[16:20] == b"GRAY"
    assert colour.matrix_profile([0.3] * 8, (2.2,), 3, "no triangle") is None


def test_gamma_is_applied_before_it_is_stripped() -> None:
    grey = np.full((4, 4, 3), 55, np.uint8)
    picture = load(png((b"gAMA", struct.pack(">I", 100000)), picture=grey))
    stripped = from_picture(picture, strip=True)
    assert stripped.icc is None and abs(int(stripped.samples[0, 0, 0]) - 128) <= 2


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_code_points_of_avif() -> None:
    memory = io.BytesIO()
    Image.fromarray(pattern(64, 64)).save(memory, "AVIF")
    data = memory.getvalue()
    assert load(io.BytesIO(data)).metadata.cicp is None
    place = data.index(b"colrnclx") + 8
    changed = data[:place] + struct.pack(">HH", 9, 16) + data[place + 4 :]
    assert load(io.BytesIO(changed)).metadata.cicp == PQ
    assert raster.load(io.BytesIO(changed)).icc is None
