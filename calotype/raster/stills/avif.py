# SPDX-License-Identifier: BSD-3-Clause
"""AVIF as a still of 8 bits inside a tile: 4:4:4, or 4:0:0 for grey; libaom tells screens by itself.

A file is taken only if it is a single plain picture: boxes ``ftyp``, ``meta`` and ``mdat`` with one item, whose
properties are ``ispe``, ``pixi``, ``av1C`` and ``colr``. Its AV1 stream has one sequence header, that of a still
picture, whose size is fixed there: so nothing larger than the tile is ever decoded (AV1, section 5.5).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, features

from ...arrays import Samples
from ...errors import DependencyError, FormatError
from .reading import Size, pixels

SPEED, HASTY = 4, 8  # of libaom: on a drawing, 4 takes 5 to 9 % fewer bytes than 6, and four times its time
_FULL = {b"meta": 4, b"iinf": 6}  # bytes before the boxes inside a box
_PROPERTIES = {b"ispe", b"pixi", b"av1C", b"colr"}
_OBU_SEQUENCE, _OBU_FRAME = 1, 6
_OBU_KINDS = {_OBU_SEQUENCE, 2, 3, 4, _OBU_FRAME, 15}  # with delimiter, frame header, tile group and padding


def available() -> bool:
    """Whether this Pillow was built with it."""
    return bool(features.check("avif"))


def needs() -> None:
    """DependencyError if this Pillow was built without it."""
    if not available():
        raise DependencyError("this Pillow was built without AVIF, which a tile is stored as: install one from a wheel")


def write(samples: Samples, quality: int, speed: int = SPEED) -> bytes:
    """A file of samples ``(H, W, 1 or 3)``, 8 bits, at libavif's quality 0..100."""
    grey = samples.shape[2] == 1
    options: dict[str, Any] = {
        "codec": "aom", "speed": speed, "max_threads": 1, "autotiling": False, "quality": quality,
        "subsampling": "4:0:0" if grey else "4:4:4",
    }  # fmt: skip
    memory = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(samples[..., 0] if grey else samples)).save(memory, "AVIF", **options)
    return memory.getvalue()


def check(data: bytes, size: Size) -> None:
    """FormatError unless the file is a plain still of that size; nothing is decoded for it."""
    try:
        found = _plain(data)
    except (IndexError, struct.error, StopIteration) as error:
        raise FormatError("the AVIF inside is damaged: it is cut short") from error
    if any(sides != (size.width, size.height) for sides in found) or size.depth != 8:
        raise FormatError(f"the AVIF inside is {found[0][0]} x {found[0][1]} pixels of 8 bits, not {size}")


def read(data: bytes, size: Size) -> Samples:
    """Samples ``(H, W, channels)`` of a file that was checked."""
    found = pixels(data, "AVIF", "RGB", size)
    if size.channels == 3:
        return found
    grey = np.ascontiguousarray(found[..., 1:2])
    if not np.array_equal(found, np.broadcast_to(grey, found.shape)):
        raise FormatError("the AVIF inside is in colour, the picture grey")
    return grey


def _plain(data: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height as the file says them, and as its stream does; FormatError if it is more than a plain still."""
    top = {kind: (start, end) for kind, start, end in _boxes(data, 0, len(data), {b"ftyp", b"meta", b"mdat"})}
    if set(top) != {b"ftyp", b"meta", b"mdat"}:
        raise FormatError("the AVIF inside is damaged: a box is missing")
    meta = {kind: (start, end) for kind, start, end in _boxes(data, *_inner(b"meta", top), _META)}
    items = [data[start + 8 : start + 12] for _, start, _ in _boxes(data, *_inner(b"iinf", meta), {b"infe"})]
    if items != [b"av01"]:
        raise FormatError("the AVIF inside is more than a single picture")
    parts = {kind: (start, end) for kind, start, end in _boxes(data, *_inner(b"iprp", meta), {b"ipco", b"ipma"})}
    properties = list(_boxes(data, *_inner(b"ipco", parts), _PROPERTIES))
    (said,) = [struct.unpack_from(">4xII", data, start) for kind, start, _ in properties if kind == b"ispe"] or [(0, 0)]
    return said, _stream(data[slice(*_extent(data, *_inner(b"iloc", meta)))])


_META = {b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp"}


def _inner(kind: bytes, boxes: dict[bytes, tuple[int, int]]) -> tuple[int, int]:
    """Where the contents of a box lie; FormatError if it is not there."""
    if kind not in boxes:
        raise FormatError("the AVIF inside is damaged: a box is missing")
    start, end = boxes[kind]
    return start + _FULL.get(kind, 0), end


def _boxes(data: bytes, offset: int, stop: int, allowed: set[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the contents of each box, all different; FormatError if they do not fill the space."""
    seen: set[bytes] = set()
    while offset < stop:
        length, kind = struct.unpack_from(">I4s", data, offset)
        if length < 8 or offset + length > stop:
            raise FormatError("the AVIF inside is damaged: a box does not fit")
        if kind not in allowed or kind in seen:
            raise FormatError(f"the AVIF inside has a box {kind!r}, which does not belong there")
        seen.add(kind)
        yield kind, offset + 8, offset + length
        offset += length


def _extent(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the only item lies, which is in one piece: fields of 4 bytes, no base offset."""
    version, sizes, items, _, _, extents, offset, length = struct.unpack_from(">B3xHHHHHII", data, start)
    if (version, sizes, items, extents) != (0, 0x4400, 1, 1) or offset + length > len(data):
        raise FormatError("the AVIF inside is not in one piece")
    return offset, offset + length


def _stream(stream: bytes) -> tuple[int, int]:
    """Width and height of an AV1 stream that is one still picture."""
    found: tuple[int, int] | None = None
    offset = 0
    while offset < len(stream):
        head = stream[offset]
        kind = head >> 3 & 15
        if head & 0x85 or not head & 2 or kind not in _OBU_KINDS:
            raise FormatError("the AVIF inside has a stream of another kind")
        offset, length, shift = offset + 1, 0, 0
        while True:  # LEB128
            byte = stream[offset]
            offset, length, shift = offset + 1, length | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
            if shift > 28:
                raise FormatError("the AVIF inside is damaged: a length is not valid")
        if offset + length > len(stream):
            raise FormatError("the AVIF inside is damaged: it is cut short")
        if kind == _OBU_SEQUENCE:
            if found:
                raise FormatError("the AVIF inside is more than a single picture")
            found = _sequence(stream[offset : offset + length])
        offset += length
    if not found:
        raise FormatError("the AVIF inside has no picture")
    return found


def _sequence(header: bytes) -> tuple[int, int]:
    """Width and height that a sequence header fixes, as the reduced one of a still picture does."""
    bits = "".join(f"{byte:08b}" for byte in header[:16])
    if bits[3:5] != "11":
        raise FormatError("the AVIF inside is more than a single picture")
    across, down = int(bits[10:14], 2) + 1, int(bits[14:18], 2) + 1
    return int(bits[18 : 18 + across], 2) + 1, int(bits[18 + across : 18 + across + down], 2) + 1
