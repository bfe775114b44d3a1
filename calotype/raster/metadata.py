# SPDX-License-Identifier: BSD-3-Clause
"""Metadata: EXIF, XMP and the orientation in them, found in images and put into files."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

from ..container import MAX_METADATA, Density, Metadata
from ..container.metadata import Text, read_text, write_text
from .dimensions import of_size, said_size
from .survey import without_announcements

EXIF_PREFIX = b"Exif\0\0"
PHOTOSHOP_IPTC = 0x0404  # among the blocks that Photoshop puts into files
TIFF_IPTC = 33723  # tag
_COMMENTED = ("JPEG", "MPO", "GIF")  # JPEG 2000 has comments too, of those who wrote the encoder
INCH = 0.0254  # metres

_TIFF_TAGS = (  # what a TIFF file says about the picture; its other tags describe the file
    *(270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 18246, 33432),
    *(40091, 40092, 40093, 40094, 40095),  # title, comment, author, keywords, subject of Windows
)
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:=["']|>))([1-8])(?=["'<])""")


def find(image: Image.Image, info: Mapping[Any, Any]) -> tuple[int, Metadata]:
    """EXIF's orientation, 1 to 8, of a loaded image, and its metadata as it shall be once the image is upright.

    ``info`` stands for ``image.info``. The colour profile is whatever calls itself one.
    """
    icc = info.get("icc_profile")
    orientation, exif, xmp = _upright(_exif(image, info), _xmp(image, info))
    if xmp is not None:
        xmp = without_announcements(xmp)
    density = _density(info)
    if density is not None and orientation >= 5:  # lying: across and down change places, as width and height do
        density = Density(density.y, density.x)
    about = Metadata(
        bytes(icc) if isinstance(icc, bytes | bytearray) and icc else None, exif, xmp, None,
        _iptc(image, info), _text(image, info), density,
    )  # fmt: skip
    size = image.size if orientation < 5 else image.size[::-1]
    # Whoever cut or scaled the picture before may have forgotten that EXIF says its size, and shows it.
    changed = orientation != 1 or (exif is not None and said_size(exif) not in (None, size))
    return orientation, of_size(about, *size) if changed else about


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8, of an image."""
    return find(image, image.info)[0]


def _iptc(image: Image.Image, info: Mapping[Any, Any]) -> bytes | None:
    """IPTC records of a JPEG, a TIFF, or a PNG as ImageMagick writes them."""
    data: object = None
    if isinstance(blocks := info.get("photoshop"), dict):
        data = blocks.get(PHOTOSHOP_IPTC)
    elif hasattr(image, "tag_v2"):
        data = image.tag_v2.get(TIFF_IPTC)
        data = data[0] if isinstance(data, tuple) and len(data) == 1 else data
    elif (raw := _raw_profile(info, "iptc")) is not None:
        data = raw[max(raw.find(b"\x1c"), 0) :]  # without Photoshop's block around it
    if not isinstance(data, bytes | bytearray) or not data.startswith(b"\x1c") or len(data) > MAX_METADATA:
        return None
    return bytes(data)


def _text(image: Image.Image, info: Mapping[Any, Any]) -> Text | None:
    """PNG's text, and the comment of a JPEG or GIF."""
    found: list[tuple[str, str]] = []
    texts = getattr(image, "text", None)
    if isinstance(texts, dict):
        found = [
            (str(key), str(value))
            for key, value in texts.items()
            if key != "XML:com.adobe.xmp" and not key.startswith("Raw profile type ")
        ]
    comment = info.get("comment")
    if image.format in _COMMENTED and isinstance(comment, bytes | bytearray) and comment.strip(b"\0 "):
        found.append(("Comment", _decoded(comment.rstrip(b"\0"))))
    return read_text(write_text(tuple(found))) or None  # as it is stored: without zero bytes, for one


def _decoded(comment: bytes | bytearray) -> str:
    """UTF-8, or what programs wrote before: Latin-1."""
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _density(info: Mapping[Any, Any]) -> Density | None:
    """Pixels per metre; 72 a inch is what files say that know of none."""
    dpi = info.get("dpi")
    try:
        x, y = (float(value) for value in dpi)  # type: ignore[union-attr]
        density = Density(round(x / INCH), round(y / INCH))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    plausible = all(1 <= value < 2**32 for value in density)
    return density if plausible and (round(x), round(y)) not in ((72, 72), (1, 1)) else None


def _exif(image: Image.Image, info: Mapping[Any, Any]) -> bytes | None:
    exif = info.get("exif")
    if isinstance(exif, Image.Exif):
        exif = exif.tobytes()
    elif "exif" not in info and (raw := _raw_profile(info, "exif")) is not None:
        exif = raw
    elif "exif" not in info and hasattr(image, "tag_v2"):
        exif = _tiff_exif(image)
    if not isinstance(exif, bytes | bytearray):
        return None
    return re.sub(b"^(?:Exif\0\0)+", b"", bytes(exif)) or None


def _raw_profile(info: Mapping[Any, Any], kind: str) -> bytes | None:
    """Metadata in a PNG's text as ImageMagick writes it: the kind, the number of bytes, and hexadecimal digits."""
    raw = info.get(f"Raw profile type {kind}")
    try:
        return bytes.fromhex("".join(raw.split("\n")[3:])) if isinstance(raw, str) else None
    except ValueError:
        return None


def _xmp(image: Image.Image, info: Mapping[Any, Any]) -> bytes | None:
    xmp = info.get("xmp") or ("xmp" not in info and (info.get("XML:com.adobe.xmp") or _raw_profile(info, "xmp")))
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    if not isinstance(xmp, bytes | bytearray) or not xmp:
        return None
    if hasattr(image, "tag_v2"):
        xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)  # Pillow's TIFF reader has turned the picture already
    return bytes(xmp)


def _tiff_exif(image: Image.Image) -> bytes | None:
    """EXIF of a TIFF file, whose tags stand among those that describe the file."""
    kept = Image.Exif()
    try:
        _copy_tags(image.getexif(), kept)
        return kept.tobytes() if len(kept) else None
    except Exception:  # Pillow fails on damaged tags in many ways; the pixels are worth more than these tags
        return None


def _copy_tags(source: Image.Exif, target: Image.Exif) -> None:
    for tag in _TIFF_TAGS:
        if tag in source:
            target[tag] = source[tag]
    for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if entries := source.get_ifd(ifd):
            target.get_ifd(ifd).update(entries)  # where Pillow's TIFF writer looks, if the tag itself is there
            target[ifd] = dict(entries)


def tags_of(exif: bytes) -> Image.Exif | None:
    """The tags that a TIFF file takes from EXIF; None if Pillow cannot take it apart."""
    source, kept = Image.Exif(), Image.Exif()
    try:
        source.load(exif)
        _copy_tags(source, kept)
    except Exception:  # as above
        return None
    return kept


def _orientation_field(exif: bytes) -> tuple[int, int, str] | None:
    """Value, position and struct format of the orientation in a TIFF structure."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if tag == ExifTags.Base.Orientation:
                form = order + {1: "B", 3: "H", 4: "I"}[kind]
                return int(struct.unpack_from(form, exif, entry + 8)[0]), entry + 8, form
    except (struct.error, KeyError):
        pass
    return None


def _upright(exif: bytes | None, xmp: bytes | None) -> tuple[int, bytes | None, bytes | None]:
    """The orientation (1 to 8) that the metadata asks for, and the metadata for the upright picture.

    The number is replaced in place: writing the EXIF anew would break the offsets inside makers' notes.
    """
    orientation = 0
    if exif is not None and (field := _orientation_field(exif)) is not None:
        orientation, position, form = field
        buffer = bytearray(exif)
        struct.pack_into(form, buffer, position, 1)
        exif = bytes(buffer)
    if xmp is not None:
        if orientation == 0 and (match := _XMP_ORIENTATION.search(xmp)):
            orientation = int(match[2])
        xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    return orientation if 1 <= orientation <= 8 else 1, exif, xmp
