# SPDX-License-Identifier: BSD-3-Clause
"""The boxes of a ``.calo`` file: which there are (:data:`TABLE`), and one of them as type, length, payload, CRC-32.

A new box is a row here and, for metadata, a field of :class:`calotype.container.metadata.Metadata` of the same name.
Reading, writing, salvaging, ``info`` and the table in ``docs/format.md`` follow.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import FormatError, PictureError
from . import metadata
from .limits import MAX_BOX, MAX_METADATA


class BoxKind(NamedTuple):
    """One type of box."""

    letter: str  # upper case: critical, a reader that does not know it must refuse the file
    name: str  # in messages
    payload: str  # in the documentation
    order: int  # in the file; those of the same order stand in any
    limit: int  # bytes of payload
    field: str | None = None  # of Metadata
    write: Callable[[Any], bytes] = metadata.plain  # the field as bytes
    read: Callable[[bytes], Any] = metadata.plain  # and back; ValueError for bytes that mean nothing
    deflated: bool = True  # whether these bytes are the payload as a zlib stream, or as they are

    @property
    def critical(self) -> bool:
        """Whether a reader must know it."""
        return self.letter.isupper()


TABLE = (
    BoxKind("H", "header", "see below", 0, 28),
    BoxKind("c", "colour profile", "ICC profile, a zlib stream", 1, MAX_METADATA, "icc"),
    BoxKind("e", "EXIF data", "EXIF, a TIFF structure, a zlib stream", 1, MAX_METADATA, "exif"),
    BoxKind("x", "XMP data", "XMP packet, a zlib stream", 1, MAX_METADATA, "xmp"),
    BoxKind(
        "n", "colour code points", "4 bytes: primaries and transfer by H.273, 00, 01", 1, 4, "cicp",
        metadata.write_code_points, metadata.read_code_points, deflated=False,
    ),
    BoxKind("i", "IPTC data", "IPTC-IIM records, a zlib stream", 1, MAX_METADATA, "iptc"),
    BoxKind(
        "t", "text", "keys and values in turn, UTF-8, 00 behind each, a zlib stream", 1, MAX_METADATA, "text",
        metadata.write_text, metadata.read_text,
    ),
    BoxKind(
        "d", "resolution", "pixels per metre across and down, each u32 and not 0", 1, 8, "density",
        metadata.write_density, metadata.read_density, deflated=False,
    ),
    BoxKind(
        "A", "alpha channel",
        "a PNG file: greyscale, of the width, height and depth of the picture; 0 is transparent", 2, MAX_BOX,
    ),
    BoxKind("T", "tile", "one tile, as the codec made it", 3, MAX_BOX),
    BoxKind("E", "end box", "empty", 4, 0),
)  # fmt: skip
KINDS = {kind.letter: kind for kind in TABLE}
METADATA = tuple(kind for kind in TABLE if kind.field)
FOLLOWING = "".join(kind.letter for kind in TABLE if kind.letter != "H")  # what can stand behind the header

_FRAME = re.compile(rb"([A-Za-z])([\x00-\x7f]|[\x80-\xff]{1,3}[\x01-\x7f])")  # canonical: no zero byte at the end

Bytes = bytes | bytearray | memoryview


class Box(NamedTuple):
    """Position of a box in the file, all in bytes from its beginning."""

    kind: str
    offset: int  # of the type
    start: int  # of the payload
    stop: int  # of the payload

    @property
    def end(self) -> int:
        """Offset of what follows the box."""
        return self.stop + 4


def box(kind: str, payload: Bytes, crc: int = 0) -> bytes:
    """A box as it stands in the file.

    Args:
        kind: type, one ASCII letter.
        payload: at most MAX_BOX bytes.
        crc: value at which zlib's crc32 starts: `seed` of the index for a tile, 0 for all others.

    Raises:
        PictureError: the payload exceeds MAX_BOX bytes.

    """
    length = len(payload)
    if length > MAX_BOX:
        name = "tile" if kind == "T" else f"content of box {kind!r}"
        raise PictureError(f"the {name} has {length} bytes, the limit of a box is {MAX_BOX}")
    start = kind.encode("ascii") + _leb128(length)
    return b"".join((start, payload, struct.pack("<I", zlib.crc32(payload, zlib.crc32(start, crc)))))


def size(length: int) -> int:
    """Bytes that a box with a payload of ``length`` bytes takes in the file."""
    return 1 + len(_leb128(length)) + length + 4


def _leb128(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def seed(index: int) -> int:
    """Value at which zlib's crc32 starts for the tile of this index.

    zlib inverts it, so that the register starts at the index itself. A value of `index` instead would make tile 1
    with a flipped bit in its type (T becomes U) look like a sound box of type U, and so on for other tiles.
    """
    return index ^ 0xFFFFFFFF


def frame(view: memoryview, offset: int) -> Box | None:
    """Parse type and length at `offset`; the payload may lie outside the file. None if they are not valid."""
    match = _FRAME.match(view, offset)
    if match is None:
        return None
    length = 0
    for byte in reversed(match[2]):
        length = length << 7 | byte & 0x7F
    return Box(match[1].decode(), offset, match.end(), match.end() + length)


def ends_within(view: memoryview, offset: int) -> bool:
    """Whether a known or optional box could begin at `offset` and the file ends before it does, or right there."""
    if offset >= len(view):
        return True
    kind = chr(view[offset])
    if kind not in "TE" and not ("a" <= kind <= "z"):
        return False
    found = frame(view, offset)
    if found is not None:
        return found.end > len(view)
    return len(view) - offset < 5 and all(byte & 0x80 for byte in view[offset + 1 :])


def crc_error(view: memoryview, found: Box, crc: int) -> int:
    """Exclusive or of the CRC of a box within the file, begun at `crc`, and the one stored in it: 0 if it is right."""
    stored = int.from_bytes(view[found.stop : found.end], "little")
    return zlib.crc32(view[found.offset : found.stop], crc) ^ stored


def sound_box(view: memoryview, offset: int, name: str, expected: str, crc: int = 0) -> Box:
    """Find the box at `offset` and check its CRC.

    Args:
        view: the file.
        offset: where the box begins.
        name: what to call it, judging by its type.
        expected: what to call the box that should stand there.
        crc: as for `box`.

    Raises:
        FormatError: no box stands there, or a truncated or damaged one, or another tile than `crc` belongs to.

    """
    available = len(view)
    found = frame(view, offset)
    if found is not None:
        if found.end > available:
            raise FormatError(f"truncated: {name} ends at byte {found.end} but the file has {available} bytes")
        if not crc_error(view, found, crc):
            return found
        if found.kind == "T":
            raise FormatError(f"{name} at byte {offset} is damaged or out of place: its CRC-32 does not match")
        raise FormatError(f"damaged: {name} (bytes {offset} to {found.end - 1}) does not match its CRC-32")
    if offset >= available:
        raise FormatError(f"truncated: {expected} is missing, the file ends at byte {available}")
    if not bytes(view[offset : offset + 1]).isalpha():
        raise FormatError(f"damaged: byte {offset} should begin a box ({expected}) but is 0x{view[offset]:02x}")
    if available - offset < 5 and all(byte & 0x80 for byte in view[offset + 1 :]):
        raise FormatError(f"truncated: the file ends at byte {available}, within the length of a box")
    raise FormatError(f"damaged: the length of the box at byte {offset} ({expected}) is not valid")
