# SPDX-License-Identifier: BSD-3-Clause
"""What is left out of a file is told, and nothing that stays announces it."""

from __future__ import annotations

import io
import struct
import time
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from calotype import raster
from calotype.container import Density, Metadata
from calotype.errors import LossWarning
from calotype.raster import Raster, load, png16, to_file
from calotype.raster.dimensions import exif_of_size, xmp_of_size
from calotype.raster.survey import without_announcements
from tests.raster.drawing import pattern

ULTRA_HDR = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    b'hdrgm:Version="1.0" dc:x="1" xmpNote:HasExtendedXMP="AB"><Container:Directory><rdf:li><Container:Item '
    b'Item:Semantic="GainMap"/></rdf:li></Container:Directory><hdrgm:Gamma>1</hdrgm:Gamma></rdf:Description></x:xmpmeta>'
)


def saved(kind: str, **options: object) -> io.BytesIO:
    memory = io.BytesIO()
    Image.fromarray(pattern()).save(memory, kind, **options)
    return memory


def losses(file: io.BytesIO) -> tuple[Raster, str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = load(file)
    return picture, "; ".join(str(w.message) for w in caught if issubclass(w.category, LossWarning))


@pytest.mark.parametrize(
    ("kind", "word"), [("GIF", "2 pictures"), ("PNG", "2 pictures"), ("TIFF", "2 pages"), ("MPO", "2 pic")]
)
def test_further_pictures_are_told(kind: str, word: str) -> None:
    other = Image.fromarray(pattern()[::-1].copy())
    assert word in losses(saved(kind, save_all=True, append_images=[other]))[1]
    if kind != "MPO":
        assert losses(saved(kind))[1] == ""


def test_a_gain_map_is_told_and_no_longer_announced() -> None:
    picture, told = losses(saved("JPEG", xmp=ULTRA_HDR))
    assert told == "its gain map (HDR) is left out"
    assert (
        picture.xmp == b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description dc:x="1"></rdf:Description></x:xmpmeta>'
    )
    assert "motion photo" in losses(saved("JPEG", xmp=b'<x GCamera:MotionPhoto="1"/>'))[1]


@pytest.mark.parametrize("kind", [b"mDCV", b"cLLI"])
def test_light_of_hdr_is_told(kind: bytes) -> None:
    data = saved("PNG").getvalue()
    chunk = io.BytesIO()
    png16.chunk(chunk, kind, bytes(24 if kind == b"mDCV" else 8))
    assert "contents (HDR) is left out" in losses(io.BytesIO(data[:33] + chunk.getvalue() + data[33:]))[1]
    size = {b"mDCV": 32, b"cLLI": 12}[kind]
    box = struct.pack(">I4sI4s", 8 + size, b"free", size, kind.lower()) + bytes(size - 8)
    data = saved("AVIF").getvalue()
    assert losses(io.BytesIO(data))[1] == ""
    assert "contents (HDR) is left out" in losses(io.BytesIO(data + box))[1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("extra", "count"), [(["unspecified"], 1), (["unassalpha"], 0), (["unspecified"] * 2, 2)])
def test_samples_without_a_place_are_told(extra: list[str], count: int, dtype: type) -> None:
    if (count, dtype) == (2, np.uint16):
        pytest.skip("Pillow reads no such file")
    memory = io.BytesIO()
    tifffile.imwrite(memory, pattern(channels=3 + len(extra), dtype=dtype), photometric="rgb", extrasamples=extra)
    told = losses(memory)[1]
    assert told == (f"its samples that are neither colour nor alpha, {count} a pixel, are left out" if count else "")


@pytest.mark.parametrize("kind", ["SGI", "TIFF"])
def test_samples_that_become_narrower_are_told(kind: str) -> None:
    memory = io.BytesIO()
    if kind == "SGI":
        Image.fromarray(pattern(channels=3, dtype=np.uint8)).save(memory, kind, bpc=2)
    else:
        tifffile.imwrite(memory, pattern(channels=4, dtype=np.uint16), photometric="separated")
    assert losses(memory)[1].count("its 16 bits a sample become 8") == 1


def test_each_thing_that_does_not_fit_is_told_once() -> None:
    about = Metadata(
        exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x/>", text=(("A", "B"),), density=Density(11811, 11811)
    )
    for kind, count in (("jp2", 4), ("ppm", 4), ("bmp", 3), ("webp", 1), ("tiff", 1)):
        with pytest.warns(LossWarning) as caught:
            to_file(Raster(pattern(), None, about), kind, name="a file")
        assert len(caught) == 1 and str(caught[0].message).count(" the ") == count, str(caught[0].message)


@pytest.mark.parametrize("kind", ["png", "jpg", "tiff"])
def test_resolution_iptc_and_text_come_back(kind: str) -> None:
    about = Metadata(iptc=b"\x1c\x02\x78\x00\x05Hello", density=Density(11811, 5906), text=(("Comment", "hällo"),))
    if kind == "tiff":
        about = Metadata(iptc=about.iptc, density=about.density)
    back = load(io.BytesIO(to_file(Raster(pattern(), None, about), kind))).metadata
    assert (back.iptc, back.text) == (about.iptc, about.text)
    assert back.density is not None and abs(back.density.x - 11811) <= 20 and abs(back.density.y - 5906) <= 20
    if kind == "png":
        deep = to_file(Raster(pattern(dtype=np.uint16), None, about), "png")
        assert load(io.BytesIO(deep)).metadata == about == back


def with_thumbnail(orientation: int, maker: bytes = b"") -> tuple[bytes, bytes]:
    """EXIF of a picture of 64 x 48, and the thumbnail in it."""
    memory = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(memory, "JPEG")
    thumbnail = memory.getvalue()
    nested, note = 38, 80
    second = note + len(maker)
    place = second + 2 + 36 + 4
    entries = [(0x0112, 3, 1, orientation), (0x8769, 4, 1, nested)]
    own = [(0x927C, 7, len(maker), note), (0xA002, 4, 1, 64), (0xA003, 4, 1, 48)]
    small = [(0x0103, 3, 1, 6), (0x0201, 4, 1, place), (0x0202, 4, 1, len(thumbnail))]
    exif = b"II*\0" + struct.pack("<I", 8)
    for directory, following in ((entries, second), (own, 0), (small, 0)):
        exif += struct.pack("<H", len(directory)) + b"".join(struct.pack("<HHII", *entry) for entry in directory)
        exif += struct.pack("<I", following) + (maker if directory is own else b"")
    return exif + thumbnail, thumbnail


@pytest.mark.parametrize("orientation", range(1, 9))
def test_no_thumbnail_outlives_a_turn(orientation: int) -> None:
    exif, thumbnail = with_thumbnail(orientation, b"note\xff\xd8\xff preview")
    picture = load(saved_64(exif))
    assert picture.exif is not None and len(picture.exif) == len(exif)
    tags = Image.Exif()
    tags.load(picture.exif)
    own = tags.get_ifd(0x8769)
    assert (own[0xA002], own[0xA003]) == (picture.width, picture.height)
    assert (thumbnail in picture.exif) == (b"preview" in picture.exif) == (orientation == 1)


def saved_64(exif: bytes) -> io.BytesIO:
    memory = io.BytesIO()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(memory, "JPEG", exif=b"Exif\0\0" + exif)
    return memory


def test_a_region_shows_itself_alone() -> None:
    import calotype
    from calotype.api.decode import decode_raster

    exif, thumbnail = with_thumbnail(1)
    data = calotype.encode(load(saved_64(exif)), threads=1)
    whole, part = decode_raster(data, threads=1), decode_raster(data, threads=1, region=(8, 8, 40, 24))
    assert whole.exif is not None and part.exif is not None
    assert thumbnail in whole.exif and b"\xff\xd8" not in part.exif
    tags = Image.Exif()
    tags.load(part.exif)
    assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (32, 16)


def test_forgotten_sizes_are_mended() -> None:
    exif, thumbnail = with_thumbnail(1)
    picture = raster.from_picture(_with_exif(Image.new("RGB", (20, 10)), exif))
    assert picture.exif is not None and thumbnail not in picture.exif
    assert xmp_of_size(b"<a><xmp:Thumbnails>x</xmp:Thumbnails></a>", 1, 1) == b"<a></a>"
    for cut in range(len(exif)):  # damaged EXIF stays harmless
        assert len(exif_of_size(exif[:cut], 1, 1)) == cut


def _with_exif(image: Image.Image, exif: bytes) -> Image.Image:
    image.info["exif"] = exif
    return image


def test_tags_that_nothing_closes_take_no_time() -> None:
    begin = time.process_time()
    pairs, inner = b"<Item:a>" * 5_000 + b"</Item:a>" * 5_000, b"<Ite" * 9_000 + b"<Item/>m/>" * 9_000
    for xmp in (b"<Item>" * 20_000, pairs, inner):
        without_announcements(xmp)
    assert time.process_time() - begin < 5  # the first alone took half a minute


def test_what_stands_between_announcements_stays() -> None:
    xmp = b'<Container:Item a="1"/><dc:creator>me</dc:creator><Container:Item>\n</Container:Item ><dc:b/>'
    assert without_announcements(xmp) == b"<dc:creator>me</dc:creator><dc:b/>"
