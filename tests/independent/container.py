# SPDX-License-Identifier: BSD-3-Clause
"""Container of a ``.calo`` file: header, boxes and tiles."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

SIGNATURE = b"\x89CALO\r\n\x01"  # and the version
END = b"E\0" + struct.pack("<I", zlib.crc32(b"E\0"))


class DamageError(Exception):
    """The file breaks a rule of the page."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise DamageError(what)


@dataclass
class File:
    width: int
    height: int
    colour: bool
    deep: bool
    alpha: bool
    layers: int  # 0: the file is not layered
    side: int  # of a tile
    quality: int
    bundle: bytes
    codec: str
    boxes: dict[str, bytes] = field(default_factory=dict)  # metadata and alpha channel
    tiles: list[bytes] = field(default_factory=list)  # over all layers

    def places(self) -> list[tuple[slice, slice]]:
        """Rows and columns of each tile."""
        return places(self.height, self.width, self.side)


def places(height: int, width: int, side: int) -> list[tuple[slice, slice]]:
    return [
        (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


def read(data: bytes) -> File:
    need(data.startswith(SIGNATURE), "signature and version")
    kind, payload, at = read_box(data, len(SIGNATURE), 0)
    need(kind == "H", "the first box is the header")
    file = read_header(payload)
    count = len(file.places())
    stops = file.layers and not data.endswith(END)
    while True:
        try:
            kind, payload, at = read_box(data, at, len(file.tiles))
        except EOFError:
            need(
                stops and file.tiles and (at == len(data) or chr(data[at]) in "TE" or data[at] > 96), "end of the file"
            )
            break
        if kind == "E":
            need(at == len(data) and not payload, "end box")
            break
        if kind == "T":
            file.tiles.append(payload)
        elif kind in "cexitdnA":
            need(kind not in file.boxes and not file.tiles, "order of the boxes")
            file.boxes[kind] = zlib.decompress(payload) if kind in "cexit" else payload
        else:
            need(kind.islower(), "unknown critical box")
    need(("A" in file.boxes) == file.alpha, "alpha channel")
    need(1 <= len(file.tiles) <= count * file.layers if file.layers else len(file.tiles) == count, "tiles")
    return file


def read_box(data: bytes, start: int, tile: int) -> tuple[str, bytes, int]:
    """Type, payload and the place behind the box; EOFError if the file ends within it."""
    length, at = 0, start + 1
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            raise EOFError
        length |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            break
    need(data[at - 1] < 128 and (data[at - 1] or at == start + 2), "length of a box")
    end = at + length + 4
    if end > len(data):
        raise EOFError
    kind = chr(data[start])
    crc = zlib.crc32(data[start : end - 4], 0xFFFFFFFF - tile if kind == "T" else 0)
    need(data[end - 4 : end] == struct.pack("<I", crc), f"CRC of the box {kind} at byte {start}")
    return kind, data[at : end - 4], end


def read_header(payload: bytes) -> File:
    width, height, form, quality, bundle = struct.unpack_from("<HHBH4s", payload)
    layered = form >> 3 & 1
    codec = payload[11 + layered :].decode("ascii")
    need(width and height and width * height <= 1 << 28 and form >> 4 < 10, "size")
    return File(
        width, height, bool(form & 1), bool(form & 2), bool(form & 4), payload[11] if layered else 0,
        64 << (form >> 4), quality, bundle, codec,
    )  # fmt: skip
