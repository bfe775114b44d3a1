# SPDX-License-Identifier: BSD-3-Clause
"""16 bits a channel, from files and into them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from calotype.container import Metadata
from calotype.raster import Raster, load, png16, save, to_array

from .drawing import XMP, exif_bytes, pattern, profile

DEEP = [(1, False), (1, True), (3, False), (3, True)]


@pytest.mark.parametrize(("channels", "alpha"), DEEP)
def test_16_bit_png_there_and_back(channels: int, alpha: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(0, 65536, (21, 17, channels), dtype=np.uint16)
    opacity = rng.integers(0, 65536, (21, 17), dtype=np.uint16) if alpha else None
    icc = profile("GRAY" if channels == 1 else "RGB ")
    picture = Raster(samples, opacity, Metadata(icc, exif_bytes(), XMP))
    monkeypatch.setattr(png16, "BAND_BYTES", 700)
    save(picture, tmp_path / "deep.png")
    header = (tmp_path / "deep.png").read_bytes()[16:29]
    assert header[8:10] == bytes([16, (2 if channels == 3 else 0) + (4 if alpha else 0)])
    back = load(tmp_path / "deep.png")
    assert back.depth == 16
    assert np.array_equal(to_array(back), to_array(picture))
    assert (back.icc, back.exif, back.xmp) == (icc, exif_bytes(), XMP)
    with Image.open(tmp_path / "deep.png") as image:  # Pillow's own, 8-bit reading of the file
        image.load()


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_16_bit_png_turned_and_keyed(orientation: int) -> None:
    deep = pattern(dtype=np.uint16)
    file = io.BytesIO()
    png16.write(file, deep, metadata=Metadata(exif=exif_bytes(orientation)))
    data = file.getvalue()
    key = io.BytesIO()
    png16.chunk(key, b"tRNS", deep[2, 3].astype(">u2").tobytes())
    place = data.index(b"IDAT") - 4
    picture = load(io.BytesIO(data[:place] + key.getvalue() + data[place:]))
    turned = {1: deep, 6: np.rot90(deep, -1), 7: deep.swapaxes(0, 1)[::-1, ::-1]}[orientation]
    assert np.array_equal(picture.samples, turned)
    assert picture.exif == exif_bytes()
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha == 0, (turned == deep[2, 3]).all(-1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_tiff(order: Any, compression: Any, channels: int, tmp_path: Path) -> None:
    deep = pattern(channels=channels, dtype=np.uint16)
    extra = ["unassalpha"] if channels == 4 else None
    options = {"byteorder": order, "compression": compression, "photometric": "rgb", "extrasamples": extra}
    tifffile.imwrite(tmp_path / "deep.tif", deep, rowsperstrip=4, **options)
    assert np.array_equal(to_array(load(tmp_path / "deep.tif")), deep)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("extra", ["unspecified", "assocalpha"])
def test_16_bit_tiff_with_other_extra_samples(order: Any, compression: Any, extra: str, tmp_path: Path) -> None:
    deep = pattern(channels=4, dtype=np.uint16)
    deep[..., 3] |= 256  # so that premultiplied samples tell something
    stored = deep.copy()
    if extra == "assocalpha":
        stored[..., :3] = (deep[..., :3] * (deep[..., 3:] / 65535)).round()
    options = {"byteorder": order, "compression": compression, "photometric": "rgb", "extrasamples": [extra]}
    tifffile.imwrite(tmp_path / "deep.tif", stored, **options)
    back = load(tmp_path / "deep.tif")
    assert back.depth == 16
    if extra == "unspecified":
        assert back.alpha is None and np.array_equal(back.samples, deep[..., :3])
        return
    assert np.array_equal(back.alpha, deep[..., 3])
    again = (back.samples * (deep[..., 3:] / 65535)).round()
    assert np.array_equal(again, stored[..., :3])


def test_streams_without_seek() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.inner = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self.inner.readinto(buffer)

    file = io.BytesIO()
    save(Raster(pattern(dtype=np.uint16)), file, "png")
    assert load(Pipe(file.getvalue())).depth == 16  # type: ignore[arg-type]
