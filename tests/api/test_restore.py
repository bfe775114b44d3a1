# SPDX-License-Identifier: BSD-3-Clause
"""Restoring pictures, and the strength that it rests on; with a small random bundle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, features

pytest.importorskip("onnx")

import calotype
from calotype import raster
from calotype.api.restore import restore_raster
from calotype.codecs.tao2017.strength import CROP, GRID, Strength, crops, quantisation
from calotype.engine import bundles
from calotype.errors import BundleError, PictureError
from tests.make_golden import drawing
from tests.small_tao2017 import K, write_bundle

LUMA_50 = [  # table K.1 of the JPEG standard, row by row; libjpeg's quality 50
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
]  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("tao2017")).parent


@pytest.fixture(autouse=True)
def use_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(weights))


def jpeg(picture: np.ndarray, **options: Any) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", **{"quality": 50, **options})
    return memory.getvalue()


def restored(picture: Any, **options: Any) -> np.ndarray:
    found: np.ndarray = calotype.restore(picture, as_array=True, threads=1, **options)
    return found


# --- strength ---------------------------------------------------------------------------------------------------------


def test_tables_stand_row_by_row() -> None:
    with Image.open(io.BytesIO(jpeg(drawing(40, 40, 3, 8)))) as image:
        tables = quantisation(image)
    assert tables is not None and tables.shape == (1, 128, 1, 1) and tables.dtype == np.float32
    steps = np.exp2(tables.reshape(2, 64)).round().astype(int)
    assert steps[0].tolist() == LUMA_50
    assert steps[1, :8].tolist() == [17, 18, 24, 47, 99, 99, 99, 99]


def test_a_grey_jpeg_has_one_table() -> None:
    with Image.open(io.BytesIO(jpeg(drawing(40, 40, 1, 8)[..., 0]))) as image:
        tables = quantisation(image)
    assert tables is not None and (tables[0, :64] == tables[0, 64:]).all()


def test_where_there_are_no_tables() -> None:
    with Image.open(io.BytesIO(jpeg(drawing(400, 400, 3, 8)))) as image:
        image.draft("RGB", (100, 100))
        assert quantisation(image) is None
        assert quantisation(image.convert("RGB")) is None
    assert quantisation(Image.new("L", (8, 8))) is None


@pytest.mark.parametrize("side", [1, 15, 16, 255, 256, 257, 511, 512, 700, 768, 769, 5000])
def test_crops(side: int) -> None:
    for height, width in ((side, 100), (side, 1000)):
        places = crops(height, width)
        assert 1 <= len(places) <= 9 and len(set(places)) == len(places)
        for place in places:
            assert place.left % GRID == 0 and place.top % GRID == 0
            assert (place.height, place.width) == (min(height, CROP), min(width, CROP))
            assert place.right <= width and place.bottom <= height
    assert len(crops(768, 768)) == 9 and len(crops(300, 5000)) == 3


def test_estimates_are_averaged() -> None:
    strength = Strength(bundles.find("tao2017"), 1)
    picture = drawing(900, 1000, 3, 8)
    single = [strength(np.ascontiguousarray(picture[place.slices])) for place in crops(900, 1000)]
    assert strength(picture).shape == (1, K, 1, 1)
    assert np.allclose(strength(picture), np.mean(single, axis=0), atol=1e-6)


# --- restoring --------------------------------------------------------------------------------------------------------


def test_every_way_in_gives_the_same(tmp_path: Path) -> None:
    data = jpeg(drawing(70, 90, 3, 8))
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    expected = restored(data)
    assert expected.shape == (70, 90, 3)
    assert (restored(path) == expected).all() and (restored(str(path)) == expected).all()
    assert (restored(io.BytesIO(data)) == expected).all()
    with open(path, "rb") as file:
        assert file.read(3) == b"\xff\xd8\xff"  # to see what it is
        assert (restored(file) == expected).all()
    with Image.open(path) as image:
        assert (restored(image) == expected).all()
        blind = restored(np.asarray(image))
    assert (blind != expected).any()  # without tables, an estimate
    assert (restored(raster.load(path)) == blind).all()
    assert np.asarray(calotype.restore(path)).tolist() == expected.tolist()


@pytest.mark.parametrize("shape", [(1, 1, 3, 8), (3, 700, 3, 8), (33, 17, 1, 8), (40, 40, 4, 8), (50, 60, 3, 16)])
def test_depth_alpha_and_size_stay(shape: tuple[int, int, int, int]) -> None:
    picture = drawing(*shape)
    result = restored(picture)
    result = result if result.ndim == 3 else result[..., None]
    assert result.shape == picture.shape and result.dtype == picture.dtype
    if shape[2] == 4:
        assert (result[..., 3] == picture[..., 3]).all()


def test_metadata_stay(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "camera"
    data = jpeg(drawing(30, 40, 3, 8), icc_profile=profile, exif=exif, xmp=b"<x:xmpmeta/>")
    result = calotype.restore(data)
    assert result.info["icc_profile"] == profile and result.info["xmp"] == b"<x:xmpmeta/>"
    assert result.getexif()[0x010F] == "camera"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_restored_as_they_were_compressed(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = drawing(61, 83, 3, 8)
    lying = Image.fromarray(restored(jpeg(picture)))
    turned = restored(jpeg(picture, exif=exif))
    transposed = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    expected = lying if orientation == 1 else lying.transpose(Image.Transpose(transposed[orientation]))
    assert (turned == np.asarray(expected)).all()
    with Image.open(io.BytesIO(jpeg(picture, exif=exif))) as image:
        assert (restored(image) == turned).all()


@pytest.mark.parametrize("plugin", ["WEBP", "AVIF", "JPEG2000", "PNG", "TIFF"])
def test_other_formats(plugin: str) -> None:
    library = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}.get(plugin)
    if library and not features.check(library):
        pytest.skip(f"this Pillow has no {plugin}")
    memory = io.BytesIO()
    Image.fromarray(drawing(40, 50, 3, 8)).save(memory, plugin)
    assert restored(memory.getvalue()).shape == (40, 50, 3)


def test_progress() -> None:
    calls: list[tuple[int, int]] = []
    restored(np.zeros((1100, 20, 3), np.uint8), progress=lambda *state: calls.append(state))
    assert calls == [(1, 2), (2, 2)]


def test_bad_input(tmp_path: Path) -> None:
    data = jpeg(drawing(30, 40, 3, 8))
    (tmp_path / "cut.jpg").write_bytes(data[:300])
    for bad in (tmp_path / "none.jpg", tmp_path / "cut.jpg", tmp_path, b"", b"no picture", data[:100], None, 3):
        with pytest.raises(PictureError):
            calotype.restore(bad)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="threads"):
        calotype.restore(data, threads=0)
    with pytest.raises(PictureError, match="opened as bytes"):
        calotype.restore(io.StringIO("text"))  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="closed file"):
        closed = io.BytesIO(data)
        closed.close()
        calotype.restore(closed)


def test_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "installed", lambda own: [])
    with pytest.raises(BundleError, match="tao2017"):
        calotype.restore(np.zeros((8, 8, 3), np.uint8))


def test_raster_keeps_everything() -> None:
    source = raster.from_picture(drawing(20, 30, 4, 16))
    result = restore_raster(source)
    assert result.depth == 16 and (result.alpha == source.alpha).all()
