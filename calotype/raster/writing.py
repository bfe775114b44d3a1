# SPDX-License-Identifier: BSD-3-Clause
"""What Pillow's writers are told, so that metadata comes along, and what is said of metadata that does not."""

from __future__ import annotations

import struct
import warnings
from dataclasses import fields, replace
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from ..container import Metadata
from ..container.boxes import METADATA
from ..container.metadata import Text
from ..errors import DamageWarning, LossWarning, PictureError
from . import colour, png16
from .metadata import EXIF_PREFIX, INCH, PHOTOSHOP_IPTC, TIFF_IPTC, tags_of
from .picture import Raster

HOLDS = {  # Pillow's name of a format: fields of Metadata that can be written into it
    "PNG": {"icc", "exif", "xmp", "cicp", "iptc", "text", "density"},
    "JPEG": {"icc", "exif", "xmp", "iptc", "text", "density"},
    "TIFF": {"icc", "exif", "xmp", "iptc", "density"},
    "WEBP": {"icc", "exif", "xmp"},
    "AVIF": {"icc", "exif", "xmp"},
    "BMP": {"density"},
}
_JPEG_MARKER = 65533  # bytes of content that one marker of a JPEG file holds


def that_fits(raster: Raster, kind: str, name: str) -> Metadata:
    """The metadata of a picture that a format holds, code points as a profile where needed.

    What does not fit is told in a LossWarning.
    """
    about, holds = raster.metadata, HOLDS.get(kind, set())
    if about.cicp is not None and "cicp" not in holds and "icc" in holds:
        made = about.icc or colour.profile(about.cicp, raster.channels)
        if made is not None:
            about = replace(about, icc=made, cicp=None)
    if about.exif is not None and "exif" in holds and "density" not in holds:
        about = replace(about, density=None)  # EXIF says it
    left = [row.name for row in METADATA if row.field not in holds and getattr(about, row.field or "") is not None]
    if left:
        hint = "; colours will look wrong" if about.cicp is not None or (about.icc and "icc" not in holds) else ""
        sentence = f"{name} does not hold the {' and the '.join(left)}: {kind} has no place for it{hint}"
        warnings.warn(sentence, LossWarning, stacklevel=4)
    return replace(about, **{field.name: None for field in fields(Metadata) if field.name not in holds})


def writer_options(about: Metadata, kind: str, name: str) -> dict[str, Any]:
    """Arguments with which Pillow's writer of this format stores what :func:`that_fits` left."""
    options: dict[str, Any] = {}
    if about.icc is not None:
        options["icc_profile"] = about.icc
    if about.density is not None:
        options["dpi"] = (about.density.x * INCH, about.density.y * INCH)
    exif = about.exif
    tags = Image.Exif()
    if kind in ("TIFF", "AVIF") and exif is not None:  # their writers take it apart
        found = tags_of(exif)
        if found is None:
            warnings.warn(f"the EXIF cannot be read, and is left out of {name}", DamageWarning, stacklevel=2)
            exif = None
        else:
            tags = found
    if kind == "TIFF":
        if ExifTags.IFD.Exif in tags or ExifTags.IFD.GPSInfo in tags:
            options["compression"] = None  # Pillow writes nested tags into uncompressed files only
        if about.xmp is not None:
            tags[ExifTags.Base.XMLPacket] = about.xmp
        if about.iptc is not None:
            tags[TIFF_IPTC] = about.iptc
        return options | {"exif": tags} if len(tags) else options
    exif = None if exif is None else EXIF_PREFIX + exif
    if kind == "JPEG":
        options |= _jpeg_options(about, exif, name)
    if exif is not None:
        options["exif"] = exif
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        for chunk, data in png16.chunks(replace(about, icc=None, exif=None, density=None)):
            options["pnginfo"].add(chunk, data)
    elif about.xmp is not None:
        options["xmp"] = about.xmp
    return options


def _jpeg_options(about: Metadata, exif: bytes | None, name: str) -> dict[str, Any]:
    """IPTC and text; PictureError if a marker cannot hold its content."""
    options: dict[str, Any] = {}
    iptc = None if about.iptc is None else _photoshop(about.iptc)
    comment = None if about.text is None else _comment(about.text)
    room = {  # 29: the name of the XMP marker
        "EXIF": (exif, _JPEG_MARKER), "XMP": (about.xmp, _JPEG_MARKER - 29), "IPTC": (iptc, _JPEG_MARKER),
        "text": (comment, _JPEG_MARKER),
    }  # fmt: skip
    for what, (data, limit) in room.items():
        if data is not None and len(data) > limit:
            raise PictureError(
                f"cannot write {name}: JPEG holds at most {limit} bytes of {what}, not {len(data)}; "
                "strip the metadata or write .png"
            )
    if iptc is not None:
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    if comment is not None:
        options["comment"] = comment
    return options


def _photoshop(iptc: bytes) -> bytes:
    """IPTC as JPEG holds it, in one of Photoshop's blocks."""
    block = b"8BIM" + struct.pack(">HHI", PHOTOSHOP_IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
    return b"Photoshop 3.0\0" + block


def _comment(text: Text) -> bytes:
    """All of a text as one comment."""
    if len(text) == 1 and text[0][0] == "Comment":
        return text[0][1].encode()
    return "\n".join(f"{key}: {value}" for key, value in text).encode()
