# SPDX-License-Identifier: BSD-3-Clause
"""Metadata of a picture. The container, the raster and the writers of picture files share it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metadata:
    """Metadata of one picture; None for what it does not have. Each field has a row in `boxes.TABLE`."""

    icc: bytes | None = None  # colour profile of the samples (grey or RGB like them)
    exif: bytes | None = None  # a TIFF structure, without the prefix Exif\0\0
    xmp: bytes | None = None  # a packet in UTF-8


NOTHING = Metadata()


class Described:
    """Short names for what is asked for most, where ``metadata`` is a field."""

    metadata: Metadata

    @property
    def icc(self) -> bytes | None:
        """Colour profile; None means sRGB, unless there are code points."""
        return self.metadata.icc

    @property
    def exif(self) -> bytes | None:
        """EXIF, a TIFF structure."""
        return self.metadata.exif

    @property
    def xmp(self) -> bytes | None:
        """XMP, a packet in UTF-8."""
        return self.metadata.xmp
