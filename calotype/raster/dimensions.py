# SPDX-License-Identifier: BSD-3-Clause
"""The size of a picture where its metadata repeats it: replaced when the picture gets another size."""

from __future__ import annotations

import re
import struct
from dataclasses import replace

from ..container import Metadata

IMAGE_WIDTH, IMAGE_LENGTH = 0x0100, 0x0101  # in the first directory
PIXEL_X, PIXEL_Y = 0xA002, 0xA003  # in the directory of EXIF's own tags
EXIF_DIRECTORY = 0x8769
_FORMS = {3: "H", 4: "I"}  # SHORT and LONG, the types that EXIF allows for a size

_XMP_WIDTH = re.compile(rb"""((?:tiff:ImageWidth|exif:PixelXDimension)(?:\s*=\s*["']|>)\s*)\d{1,9}(?=\s*["'<])""")
_XMP_HEIGHT = re.compile(rb"""((?:tiff:ImageLength|exif:PixelYDimension)(?:\s*=\s*["']|>)\s*)\d{1,9}(?=\s*["'<])""")


def of_size(about: Metadata, width: int, height: int) -> Metadata:
    """Metadata that says this size, in pixels, wherever it said one."""
    return replace(
        about,
        exif=None if about.exif is None else exif_of_size(about.exif, width, height),
        xmp=None if about.xmp is None else xmp_of_size(about.xmp, width, height),
    )


def exif_of_size(exif: bytes, width: int, height: int) -> bytes:
    """EXIF (a TIFF structure) that says this size wherever it said one.

    Numbers are replaced in place: writing the EXIF anew would break the offsets inside makers' notes. EXIF that
    cannot be read stays as it is.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return exif
    buffer = bytearray(exif)
    sizes = {IMAGE_WIDTH: width, IMAGE_LENGTH: height}
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        nested = _replace(buffer, order, start, sizes)
        if nested is not None:
            _replace(buffer, order, nested, {PIXEL_X: width, PIXEL_Y: height})
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


def xmp_of_size(xmp: bytes, width: int, height: int) -> bytes:
    """An XMP packet that says this size wherever it said one."""
    xmp = _XMP_WIDTH.sub(rb"\g<1>%d" % width, xmp)
    return _XMP_HEIGHT.sub(rb"\g<1>%d" % height, xmp)
