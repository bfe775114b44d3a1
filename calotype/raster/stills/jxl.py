# SPDX-License-Identifier: BSD-3-Clause
"""JPEG XL by the package ``imagecodecs``: lossless stills of 8 and 16 bits, and JPEGs made smaller without a loss.

A file is a code stream, or a container of boxes with one. Before anything is decoded, its header must name the size and
the depth that are expected, one frame's worth of channels, no preview and no animation (ISO/IEC 18181-1, annexes A
and D; 18181-2 for the boxes). In a container with a box ``jbrd`` a JPEG is kept.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from ...arrays import Samples
from ...errors import DependencyError, FormatError
from .reading import Size, guarded

CODESTREAM = b"\xff\x0a"
BOXES = b"\0\0\0\x0cJXL \r\n\x87\n"  # the first box of a container
JPEG_BOX = b"jbrd"
EFFORT = 7  # libjxl's default
_STILL = {b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp"}
_JPEG = {*_STILL, JPEG_BOX, b"Exif", b"xml ", b"jumb", b"brob"}
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height, by number from 1 on
_LONG_HEADER = 64  # bytes of a code stream that surely hold what is looked at


def library() -> ModuleType:
    """The package; a DependencyError that says how to get it where it is missing."""
    try:
        import imagecodecs

        if not imagecodecs.JPEGXL.available:
            raise ImportError("imagecodecs was built without JPEG XL")
    except ImportError as error:
        raise DependencyError("JPEG XL inside a .calo file needs imagecodecs: pip install 'calotype[jxl]'") from error
    module: ModuleType = imagecodecs
    return module


def needs() -> None:
    """DependencyError if imagecodecs is missing."""
    library()


def write(samples: Samples) -> bytes:
    """A file of samples ``(H, W, 1 or 3)``."""
    array = samples[..., 0] if samples.shape[2] == 1 else samples
    return bytes(library().jpegxl_encode(array, lossless=True, effort=EFFORT, usecontainer=False, numthreads=1))


def check(data: bytes, size: Size) -> None:
    """FormatError unless the file is a plain still of that size; nothing is decoded for it."""
    _check(data, _STILL, size)


def read(data: bytes, size: Size) -> Samples:
    """Samples ``(H, W, channels)`` of a file that was checked."""
    with guarded("JPEG XL"):
        found: Samples = np.asarray(library().jpegxl_decode(data, numthreads=1))
    return found[..., None] if found.ndim == 2 else found


def keeps_jpeg(data: bytes) -> bool:
    """Whether a file is a JPEG that was made smaller."""
    return data.startswith(BOXES) and any(kind == JPEG_BOX for kind, _, _ in _boxes(data))


def from_jpeg(jpeg: bytes) -> bytes | None:
    """A JPEG made smaller; None if it is of a kind that does not come back byte for byte. DependencyError."""
    module = library()
    try:
        small = bytes(module.jpegxl_encode_jpeg(jpeg, usecontainer=True, numthreads=1))
        return small if bytes(module.jpegxl_decode_jpeg(small, numthreads=1)) == jpeg else None
    except Exception:  # CMYK, arithmetic coding, 12 bits, odd profiles: it stays as it is
        return None


def to_jpeg(data: bytes, width: int, height: int) -> bytes:
    """The JPEG that :func:`from_jpeg` was given; FormatError if it is damaged, or not of that size, either way up."""
    _check(data, _JPEG, Size(width, height, 3, 8), Size(height, width, 3, 8))
    with guarded("JPEG XL"):
        return bytes(library().jpegxl_decode_jpeg(data, numthreads=1))


def _boxes(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start and end of the contents of each box of a container; FormatError if they do not fill it."""
    found: list[tuple[bytes, int, int]] = []
    offset = 0
    while offset < len(data):
        length, kind, start = (
            int.from_bytes(data[offset : offset + 4], "big"),
            data[offset + 4 : offset + 8],
            offset + 8,
        )
        if length == 1:
            length, start = int.from_bytes(data[offset + 8 : offset + 16], "big"), offset + 16
        end = len(data) if length == 0 else offset + length
        if not start <= end <= len(data) or len(found) == 1024:
            raise FormatError("the JPEG XL inside is damaged: a box does not fit")
        found.append((kind, start, end))
        offset = end
    return found


def _check(data: bytes, allowed: set[bytes], *sizes: Size) -> None:
    stream = data[:_LONG_HEADER]
    if data.startswith(BOXES):
        stream = b""
        for kind, start, end in _boxes(data):
            if kind not in allowed:
                raise FormatError(f"the JPEG XL inside has a box {kind!r}, which does not belong there")
            if kind in (b"jxlc", b"jxlp"):
                stream += data[start + 4 * (kind == b"jxlp") : end][:_LONG_HEADER]
    if not stream.startswith(CODESTREAM):
        raise FormatError("the JPEG XL inside has no picture")
    width, height, depth = _header(stream[2:])
    if (width, height, depth) not in ((size.width, size.height, size.depth) for size in sizes):
        raise FormatError(f"the JPEG XL inside is {width} x {height} pixels of {depth} bits, not {sizes[0]}")


class _Bits:
    """Bits of a code stream, the least significant of each byte first; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        self.rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self.rest & ((1 << count) - 1)
        self.rest >>= count
        return value

    def side(self) -> int:
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])


def _header(stream: bytes) -> tuple[int, int, int]:
    """Width, height and bits a sample of a plain still; FormatError if it is more than that."""
    bits = _Bits(stream[:_LONG_HEADER])
    eights = bits.take(1)
    height = 8 * (1 + bits.take(5)) if eights else bits.side()
    ratio = bits.take(3)
    if ratio:
        above, below = _RATIOS[ratio - 1]
        width = height * above // below
    else:
        width = 8 * (1 + bits.take(5)) if eights else bits.side()
    if bits.take(1):  # all defaults
        return width, height, 8
    if bits.take(1):
        bits.take(3)  # orientation
        if bits.take(3):  # another size to show, a preview, an animation
            raise FormatError("the JPEG XL inside is more than a single picture")
    if bits.take(1):
        raise FormatError("the JPEG XL inside has samples of floating point")
    selector = bits.take(2)
    depth = (8, 10, 12)[selector] if selector < 3 else 1 + bits.take(6)
    bits.take(1)  # whether 16 bits suffice inside
    if bits.take(2):
        raise FormatError("the JPEG XL inside has more channels than colours")
    return width, height, depth
