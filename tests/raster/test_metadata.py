# SPDX-License-Identifier: BSD-3-Clause
"""Orientation, EXIF and XMP."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from calotype.container import Metadata
from calotype.container.metadata import Density, read_text, write_text
from calotype.errors import DamageWarning
from calotype.raster import Raster, bands, from_picture, load, save, to_array, to_file, to_image

from .drawing import SRGB, XMP, exif_bytes, image_of, pattern


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_applied(orientation: int, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "BAND_PIXELS", 30)
    image = image_of("RGBA")
    image.info["exif"] = b"Exif\0\0" + exif_bytes(orientation, order)
    expected = np.asarray(ImageOps.exif_transpose(image))
    picture = from_picture(image)
    assert np.array_equal(to_array(picture), expected)
    assert picture.exif == exif_bytes(1, order)
    again = from_picture(to_image(picture))
    assert np.array_equal(to_array(again), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_in_xmp_alone(orientation: int) -> None:
    image = image_of("L")
    image.info["xmp"] = XMP.replace(b'"1"', f'"{orientation}"'.encode())
    picture = from_picture(image)
    assert np.array_equal(to_array(picture), np.asarray(ImageOps.exif_transpose(image)))
    assert picture.xmp == XMP


@pytest.mark.parametrize("orientation", range(1, 9))
def test_resolution_turns_with_the_picture(orientation: int) -> None:
    image = image_of("L")
    image.info.update(exif=b"Exif\0\0" + exif_bytes(orientation), dpi=(300, 150))
    expected = Density(11811, 5906) if orientation < 5 else Density(5906, 11811)
    assert from_picture(image).metadata.density == expected


def test_odd_exif_is_kept_as_it_is() -> None:
    for exif in (b"junk", exif_bytes(0), exif_bytes(9), exif_bytes()[:20], b"II*\0\xff\xff\xff\xff"):
        image = image_of("RGB")
        image.info["exif"] = exif
        picture = from_picture(image)
        assert np.array_equal(picture.samples, pattern())
        assert picture.exif is not None
        assert len(picture.exif) == len(exif)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".tiff"])
def test_metadata_survive_files(suffix: str, tmp_path: Path) -> None:
    picture = Raster(pattern(32, 32), None, Metadata(SRGB, exif_bytes(), XMP))
    path = tmp_path / f"picture{suffix}"
    save(picture, path)
    back = load(path)
    assert back.icc == SRGB
    assert back.xmp == XMP
    tags = to_image(back).getexif()
    assert tags[ExifTags.Base.Make] == "Fox Talbot"
    assert tags[ExifTags.Base.Copyright] == "CC0"
    if suffix in (".png", ".jpg", ".webp"):
        assert back.exif == exif_bytes()
    tolerance = {".png": 0, ".tiff": 0}.get(suffix, 60)
    assert np.abs(back.samples.astype(int) - picture.samples).max() <= tolerance


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_oriented_files(orientation: int, tmp_path: Path) -> None:
    for suffix in (".png", ".tiff", ".webp"):
        path = tmp_path / f"turned{suffix}"
        options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
        Image.fromarray(pattern()).save(path, exif=b"Exif\0\0" + exif_bytes(orientation), **options)
        with Image.open(path) as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        picture = load(path)
        assert np.array_equal(picture.samples, expected), suffix
        assert to_image(picture).getexif().get(ExifTags.Base.Orientation, 1) == 1


def test_exif_and_gps_of_a_tiff_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Mousetrap"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] = 100
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSDateStamp] = "1835:08:01"
    Image.fromarray(pattern()).save(tmp_path / "a.tiff", exif=exif.tobytes())
    picture = load(tmp_path / "a.tiff")
    save(picture, tmp_path / "b.tiff")
    save(picture, tmp_path / "b.jpg")
    for path in ("b.tiff", "b.jpg"):
        with Image.open(tmp_path / path) as image:
            back = image.getexif()
            assert back[ExifTags.Base.Model] == "Mousetrap"
            assert back.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 100
            assert back.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSDateStamp] == "1835:08:01"
    assert picture.exif is not None
    assert len(picture.exif) < 300  # none of the tags that describe the file


def test_exif_and_xmp_as_other_programs_write_them() -> None:
    image = image_of("RGB")
    data = b"Exif\0\0" + exif_bytes()
    image.info["Raw profile type exif"] = f"\nexif\n{len(data):8}\n{data[:36].hex()}\n{data[36:].hex()}\n"
    image.info["XML:com.adobe.xmp"] = XMP.decode()
    picture = from_picture(image)
    assert picture.exif == exif_bytes()
    assert picture.xmp == XMP
    del image.info["XML:com.adobe.xmp"]
    image.info["Raw profile type xmp"] = f"\nxmp\n{len(XMP):8}\n{XMP[:36].hex()}\n{XMP[36:].hex()}\n"
    assert from_picture(image).xmp == XMP
    image.info["Raw profile type exif"] = "\nexif\n3\nxyz"
    assert from_picture(image).exif is None


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_comments_of_old_programs(encoding: str) -> None:
    out = io.BytesIO()
    image_of("RGB").save(out, "jpeg", comment="Zürich, 3".encode(encoding))
    assert load(out).metadata.text == (("Comment", "Zürich, 3"),)


def test_a_comment_is_what_a_file_can_hold() -> None:
    out = io.BytesIO()
    image_of("RGB").save(out, "jpeg", comment=b"one\0two\0")
    picture = load(out)
    assert read_text(write_text(picture.metadata.text or ())) == picture.metadata.text == (("Comment", "onetwo"),)


def test_strip() -> None:
    image = image_of("RGB")
    image.info |= {"exif": exif_bytes(6), "xmp": XMP, "icc_profile": SRGB}
    picture = from_picture(image, strip=True)
    assert (picture.icc, picture.exif, picture.xmp) == (None, None, None)
    assert np.array_equal(picture.samples, np.rot90(pattern(), -1))
    full = from_picture(image)
    assert np.array_equal(from_picture(full, strip=True).samples, full.samples)
    assert from_picture(full) is full


@pytest.mark.parametrize("suffix", ["tiff", "avif"])
def test_exif_that_no_writer_can_read_is_left_out(suffix: str) -> None:
    picture = Raster(pattern(32, 32), metadata=Metadata(exif=b"broken EXIF of some camera"))
    with pytest.warns(DamageWarning, match="the EXIF cannot be read, and is left out of x"):
        file = to_file(picture, suffix, name="x")
    assert load(io.BytesIO(file)).exif is None
    assert load(io.BytesIO(to_file(picture, "png"))).exif == picture.exif


def test_a_turned_picture_says_its_own_size() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base.ExifImageWidth: 60, ExifTags.Base.ExifImageHeight: 20})
    image = Image.new("RGB", (60, 20))
    image.info["exif"] = exif.tobytes()
    image.info["xmp"] = b'<x tiff:ImageWidth="60" tiff:ImageLength="20" tiff:Orientation="6"/>'
    picture = from_picture(image)
    tags = Image.Exif()
    tags.load(picture.exif)
    assert (picture.width, picture.height) == (20, 60)
    assert tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 20
    assert tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageHeight] == 60
    assert picture.xmp == b'<x tiff:ImageWidth="20" tiff:ImageLength="60" tiff:Orientation="1"/>'
