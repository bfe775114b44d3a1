# SPDX-License-Identifier: BSD-3-Clause
"""Metadata of a picture. The container, the raster and the writers of picture files share it."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import LossWarning
from .limits import MAX_TEXTS


class CodePoints(NamedTuple):
    """Colour as ITU-T H.273 numbers it: what PNG's cICP and the nclx boxes of AVIF hold."""

    primaries: int  # 1 BT.709 and sRGB, 9 BT.2020, 12 Display P3, ...
    transfer: int  # 1 BT.709, 8 linear, 13 sRGB, 16 PQ, 18 HLG, ...


class Density(NamedTuple):
    """Resolution on paper, in pixels per metre."""

    x: int
    y: int


Text = tuple[tuple[str, str], ...]  # keys, in PNG's sense, and what they say: (("Author", "N. N."), ...)


@dataclass(frozen=True)
class Metadata:
    """Metadata of one picture; None for what it does not have. Each field has a row in `boxes.TABLE`."""

    icc: bytes | None = None  # colour profile of the samples (grey or RGB like them)
    exif: bytes | None = None  # a TIFF structure, without the prefix Exif\0\0
    xmp: bytes | None = None  # a packet in UTF-8
    cicp: CodePoints | None = None  # of the samples; where there is a profile as well, they rank first
    iptc: bytes | None = None  # IPTC-IIM records
    text: Text | None = None
    density: Density | None = None


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


def plain(value: bytes) -> bytes:
    """Bytes as they are: what writes and reads boxes of bytes."""
    return value


def write_code_points(points: CodePoints) -> bytes:
    """As PNG's cICP: primaries, transfer, matrix (0: the samples are RGB, not YCbCr), full range (1)."""
    return bytes([*points, 0, 1])


def read_code_points(data: bytes) -> CodePoints:
    """Inverse of :func:`write_code_points`; ValueError for other bytes."""
    if len(data) != 4 or data[2:] != b"\0\1":
        raise ValueError("it is not primaries, transfer, 0 and 1")
    return CodePoints(data[0], data[1])


def write_density(density: Density) -> bytes:
    """Two u32."""
    return struct.pack("<II", *density)


def read_density(data: bytes) -> Density:
    """Inverse of :func:`write_density`; ValueError for other bytes."""
    if len(data) != 8 or not all(found := struct.unpack("<II", data)):
        raise ValueError("it is not two positive numbers of 4 bytes")
    return Density(*found)


def write_text(text: Text) -> bytes:
    """Keys and values in UTF-8, a zero byte behind each of them."""
    parts = [part for key, value in text for part in (key, value)]
    return b"".join(part.encode("utf-8", "replace").replace(b"\0", b"") + b"\0" for part in parts)


def read_text(data: bytes) -> Text:
    """Inverse of :func:`write_text`; ValueError for other bytes. Keys above MAX_TEXTS are left out: LossWarning."""
    count, odd = divmod(data.count(b"\0"), 2)
    if odd or (data and data[-1]):
        raise ValueError("it is not keys and values, with a zero byte behind each")
    if count > MAX_TEXTS:
        warnings.warn(f"of its text, the first {MAX_TEXTS:,} of {count:,} keys are kept", LossWarning, stacklevel=2)
    parts = data.decode("utf-8").split("\0", 2 * min(count, MAX_TEXTS))[:-1]
    return tuple(zip(parts[::2], parts[1::2], strict=True))
