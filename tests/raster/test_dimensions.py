# SPDX-License-Identifier: BSD-3-Clause
"""Sizes in EXIF and XMP follow the picture; everything else stays byte for byte."""

from __future__ import annotations

import random
import struct
import time

import pytest
from PIL import ExifTags, Image

from calotype.raster.dimensions import exif_of_size, xmp_of_size


def exif_bytes(endian: str = "<") -> bytes:
    """Of 40 x 30 pixels, the sizes as SHORT and LONG, with a maker's note."""
    main = [(0x0100, 3, 1, 40), (0x0101, 4, 1, 30), (0x0112, 3, 1, 1), (0x8769, 4, 1, 62)]
    nested = [(0x927C, 7, 4, 0xABCD1234), (0xA002, 4, 1, 40), (0xA003, 3, 1, 30)]

    def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
        rows = b""
        for tag, kind, count, value in entries:
            packed = struct.pack(endian + "H2x", value) if kind == 3 else struct.pack(endian + "I", value)
            rows += struct.pack(endian + "HHI", tag, kind, count) + packed
        return struct.pack(endian + "H", len(entries)) + rows + bytes(4)

    start = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", 8)
    data = start + directory(main)
    assert len(data) == 62
    return data + directory(nested)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_exif(endian: str) -> None:
    before = exif_bytes(endian)
    after = exif_of_size(before, 160, 120)
    exif = Image.Exif()
    exif.load(after)
    nested = exif.get_ifd(ExifTags.IFD.Exif)
    assert (exif[0x0100], exif[0x0101], nested[0xA002], nested[0xA003]) == (160, 120, 160, 120)
    assert exif[0x0112] == 1
    assert len(after) == len(before) and sum(a != b for a, b in zip(before, after, strict=True)) == 4


def test_exif_without_sizes_or_sense_stays() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "somebody"
    plain = exif.tobytes().removeprefix(b"Exif\0\0")
    assert exif_of_size(plain, 5, 6) == plain
    for odd in (b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"nonsense" * 9):
        assert exif_of_size(odd, 5, 6) == odd


def test_damaged_exif_never_raises() -> None:
    rng = random.Random(5)
    for _ in range(500):
        data = bytearray(exif_bytes(rng.choice("<>")))
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        cut = bytes(data[: rng.randint(4, len(data))])
        assert len(exif_of_size(cut, 160, 120)) == len(cut)


def test_xmp() -> None:
    before = (
        b'<x tiff:ImageWidth="40" tiff:ImageLength=\'30\' dc:x="40"/><exif:PixelXDimension>40</exif:PixelXDimension>'
    )
    after = b'<x tiff:ImageWidth="1600" tiff:ImageLength=\'1200\' dc:x="40"/>'
    after += b"<exif:PixelXDimension>1600</exif:PixelXDimension>"
    assert xmp_of_size(before, 1600, 1200) == after
    assert xmp_of_size(b"<x/>", 1, 2) == b"<x/>"


@pytest.mark.parametrize("of", ["the thumbnail", "the maker"])
def test_entries_that_all_name_the_same_bytes_take_no_time(of: str) -> None:
    size, count = 2**20, 20_000
    tag, first = (0x9000, (0x0112, 3, 1, 1)) if of == "the thumbnail" else (0x927C, (0x8769, 4, 1, 26))
    exif = b"II*\0" + struct.pack("<IHHHIII", 8, 1, *first, 26 if of == "the thumbnail" else 0)
    exif += struct.pack("<H", count) + struct.pack("<HHII", tag, 7, size, 30) * count
    exif += bytes(size // 2 - len(exif)) + b"\xff\xd8\xff" + bytes(size // 2)
    begin = time.process_time()
    assert b"\xff\xd8\xff" not in exif_of_size(exif, 4, 3)
    assert time.process_time() - begin < 5  # each on its own takes a minute
