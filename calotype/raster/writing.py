# SPDX-License-Identifier: BSD-3-Clause
"""Options for Pillow's writers, so that colour profile, EXIF and XMP come along."""

from __future__ import annotations

import warnings
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from ..errors import DamageWarning, PictureError
from .metadata import EXIF_PREFIX, tags_of
from .picture import Raster
from .png16 import XMP_KEYWORD

_JPEG_MARKER = 65533  # bytes of content that one marker of a JPEG file holds


def writer_options(raster: Raster, kind: str, name: str) -> dict[str, Any]:
    """Arguments with which Pillow's writer of this format stores profile, EXIF and XMP; none where it cannot."""
    options: dict[str, Any] = {}
    if kind not in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF"):
        return options
    if raster.icc is not None:
        options["icc_profile"] = raster.icc
    exif = raster.exif
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
        if raster.xmp is not None:
            tags[ExifTags.Base.XMLPacket] = raster.xmp
        return options | {"exif": tags} if len(tags) else options
    exif = None if exif is None else EXIF_PREFIX + exif
    if kind == "JPEG":
        room = {"EXIF": (exif, _JPEG_MARKER), "XMP": (raster.xmp, _JPEG_MARKER - 29)}  # 29: the name of the XMP marker
        for what, (data, limit) in room.items():
            if data is not None and len(data) > limit:
                raise PictureError(
                    f"cannot write {name}: JPEG holds at most {limit} bytes of {what}, not {len(data)}; "
                    "strip the metadata or write .png"
                )
    if exif is not None:
        options["exif"] = exif
    if raster.xmp is not None and kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add(b"iTXt", XMP_KEYWORD + raster.xmp)
    elif raster.xmp is not None:
        options["xmp"] = raster.xmp
    return options
