# SPDX-License-Identifier: BSD-3-Clause
"""The size of a picture, and small copies of it, in its metadata: replaced and removed when its geometry changes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..container import Metadata

IMAGE_WIDTH, IMAGE_LENGTH = 0x0100, 0x0101  # in the first directory
PIXEL_X, PIXEL_Y = 0xA002, 0xA003  # in the directory of EXIF's own tags
EXIF_DIRECTORY = 0x8769
MAKER_NOTE = 0x927C
JPEG_OFFSET, JPEG_LENGTH, STRIP_OFFSETS, STRIP_LENGTHS = 0x0201, 0x0202, 0x0111, 0x0117  # of the thumbnail
_THUMBNAIL = (JPEG_OFFSET, JPEG_LENGTH, STRIP_OFFSETS, STRIP_LENGTHS)
_MOST_STRIPS = 1024
_SIZES = {2: 1, 3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of a value, by type; 1 of all others
_FORMS = {3: "H", 4: "I"}  # SHORT and LONG, the types that EXIF allows for a size

_XMP_WIDTH = re.compile(rb"""((?:tiff:ImageWidth|exif:PixelXDimension)(?:\s*=\s*["']|>)\s*)\d{1,9}(?=\s*["'<])""")
_XMP_HEIGHT = re.compile(rb"""((?:tiff:ImageLength|exif:PixelYDimension)(?:\s*=\s*["']|>)\s*)\d{1,9}(?=\s*["'<])""")


def of_size(about: Metadata, width: int, height: int) -> Metadata:
    """Metadata for a picture that was turned, cut or scaled: it says this size, in pixels, and shows no thumbnail."""
    return replace(
        about,
        exif=None if about.exif is None else exif_of_size(about.exif, width, height),
        xmp=None if about.xmp is None else xmp_of_size(about.xmp, width, height),
    )


def exif_of_size(exif: bytes, width: int, height: int) -> bytes:
    """EXIF (a TIFF structure) that says this size wherever it said one, without pictures of the picture.

    A thumbnail shows what was cut off, and lies as the picture once did. So does a preview in a maker's note. Their
    bytes become zero. Numbers are replaced in place: writing the EXIF anew would break the offsets inside makers'
    notes. EXIF that cannot be read stays as it is.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return exif
    buffer = bytearray(exif)
    sizes = {IMAGE_WIDTH: width, IMAGE_LENGTH: height}
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        nested = _replace(buffer, order, start, sizes)
        _remove_thumbnail(buffer, order, start)
        if nested is not None:
            _replace(buffer, order, nested, {PIXEL_X: width, PIXEL_Y: height})
            _remove_previews(buffer, order, nested)
    except struct.error:  # a directory that leads out of the data
        return exif
    return bytes(buffer)


def _replace(buffer: bytearray, order: str, start: int, sizes: dict[int, int]) -> int | None:
    """Put ``sizes`` into the directory at ``start``; returns where the directory of EXIF's own tags is, if it says."""
    nested = None
    (count,) = struct.unpack_from(order + "H", buffer, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", buffer, entry)
        if tag in sizes and kind in _FORMS and values == 1:
            struct.pack_into(order + _FORMS[kind], buffer, entry + 8, sizes[tag])
        elif tag == EXIF_DIRECTORY and kind == 4:
            (nested,) = struct.unpack_from(order + "I", buffer, entry + 8)
    return nested


def _entries(buffer: bytearray, order: str, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, bytes of the value, where it is, and where the entry is, of all entries of a directory."""
    (count,) = struct.unpack_from(order + "H", buffer, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", buffer, entry)
        size = values * _SIZES.get(kind, 1)
        place = entry + 8 if size <= 4 else struct.unpack_from(order + "I", buffer, entry + 8)[0]
        yield tag, size, place, entry


def _remove_thumbnail(buffer: bytearray, order: str, start: int) -> None:
    """Unlink the second directory, which describes the thumbnail, and clear it and what it points to."""
    (count,) = struct.unpack_from(order + "H", buffer, start)
    link = start + 2 + 12 * count
    if link + 4 > len(buffer):
        return
    (second,) = struct.unpack_from(order + "I", buffer, link)
    struct.pack_into(order + "I", buffer, link, 0)
    if not second:
        return
    found: dict[int, list[int]] = {}
    cleared = []
    for tag, size, place, entry in _entries(buffer, order, second):
        form = _FORMS.get(struct.unpack_from(order + "H", buffer, entry + 2)[0])
        if tag in _THUMBNAIL and form is not None:
            values = size // struct.calcsize(order + form)
            found[tag] = list(struct.unpack_from(f"{order}{min(values, _MOST_STRIPS)}{form}", buffer, place))
        if size > 4:
            cleared.append((place, size))
        cleared.append((entry, 12))
    for offsets, lengths in ((JPEG_OFFSET, JPEG_LENGTH), (STRIP_OFFSETS, STRIP_LENGTHS)):
        cleared += zip(found.get(offsets, []), found.get(lengths, []), strict=False)
    for part in _parts(cleared, len(buffer)):
        _clear(buffer, part)


def _remove_previews(buffer: bytearray, order: str, nested: int) -> None:
    """Clear a maker's note that holds a JPEG."""
    notes = [(place, size) for tag, size, place, _ in _entries(buffer, order, nested) if tag == MAKER_NOTE]
    for part in _parts(notes, len(buffer)):
        if buffer.find(b"\xff\xd8\xff", part.start, part.stop) >= 0:
            _clear(buffer, part)


def _parts(places: Iterable[tuple[int, int]], length: int) -> list[slice]:
    """Places (offset, bytes) within so many bytes and behind the first eight, each byte once: thousands of entries may
    name the same millions.
    """
    parts: list[slice] = []
    for start, size in sorted(places):
        stop = min(start + size, length)
        if parts and start < parts[-1].stop:
            parts[-1] = slice(parts[-1].start, max(parts[-1].stop, stop))
        elif 8 <= start < stop:
            parts.append(slice(start, stop))
    return parts


def _clear(buffer: bytearray, part: slice) -> None:
    buffer[part] = bytes(part.stop - part.start)


def said_size(exif: bytes) -> tuple[int, int] | None:
    """Width and height that EXIF's own tags say; None if they say none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        buffer = bytearray(exif)
        nested = _replace(buffer, order, start, {})
        found = {}
        for tag, _, place, entry in _entries(buffer, order, nested) if nested is not None else ():
            form = _FORMS.get(struct.unpack_from(order + "H", buffer, entry + 2)[0])
            if tag in (PIXEL_X, PIXEL_Y) and form is not None:
                (found[tag],) = struct.unpack_from(order + form, buffer, place)
    except struct.error:
        return None
    return (found[PIXEL_X], found[PIXEL_Y]) if len(found) == 2 else None


def xmp_of_size(xmp: bytes, width: int, height: int) -> bytes:
    """An XMP packet that says this size wherever it said one, without thumbnails."""
    start, stop = xmp.find(b"<xmp:Thumbnails"), xmp.rfind(b"</xmp:Thumbnails>")
    if 0 <= start < stop:
        xmp = xmp[:start] + xmp[stop + len(b"</xmp:Thumbnails>") :]
    xmp = _XMP_WIDTH.sub(rb"\g<1>%d" % width, xmp)
    return _XMP_HEIGHT.sub(rb"\g<1>%d" % height, xmp)
