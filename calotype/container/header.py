# SPDX-License-Identifier: BSD-3-Clause
"""Start of a ``.calo`` file: signature, version, header box. The byte table is in `container`."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Protocol

from ..errors import FormatError, PictureError
from .boxes import box, sound_box
from .limits import (
    EXTENSION,
    LARGEST_TILE,
    MAX_LAYERS,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_TILES,
    SIGNATURE,
    SMALLEST_TILE,
    VERSION,
)

_HEADER = struct.Struct("<HHBH4s")
HEADER_BYTES = len(SIGNATURE) + 1 + 1 + 1 + _HEADER.size + 1 + 16 + 4  # a prefix this long always holds the header


@dataclass(frozen=True)
class Header:
    """Header of a file."""

    codec: str  # 1 to 16 of [a-z0-9-]
    bundle: bytes  # the first 4 bytes of the SHA-256 of the codec's weights
    width: int  # pixels, 1 to MAX_SIDE
    height: int  # pixels, 1 to MAX_SIDE
    channels: int  # 1 grey, 3 RGB
    depth: int  # bits of a sample, 8 or 16
    alpha: bool
    quality: int  # 0 to 65535; its meaning belongs to the codec
    tile: int  # side of a tile in pixels, a power of two, SMALLEST_TILE to LARGEST_TILE
    layers: int = 0  # most layers that a layered file can have, 1 to MAX_LAYERS; 0 if it is not layered

    @property
    def tiles_across(self) -> int:
        """Number of tiles in a row, at least 1."""
        return -(-self.width // self.tile)

    @property
    def tiles_down(self) -> int:
        """Number of rows of tiles, at least 1."""
        return -(-self.height // self.tile)

    @property
    def tile_count(self) -> int:
        """Number of tiles, 1 to MAX_TILES."""
        return self.tiles_across * self.tiles_down

    @property
    def box_count(self) -> int:
        """Number of boxes T, 1 to MAX_TILES: exactly of a file that is not layered, at most of one that is."""
        return self.tile_count * max(self.layers, 1)


class Pictured(Protocol):
    """Facts about a picture in a header; a :class:`calotype.raster.Raster` is one."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...

    @property
    def channels(self) -> int:
        """1 or 3."""
        ...

    @property
    def depth(self) -> int:
        """Bits a sample."""
        ...

    @property
    def alpha(self) -> object:
        """None without an alpha channel."""
        ...


class WeightsId(Protocol):
    """Facts about the weights in a header; a :class:`calotype.engine.bundles.Bundle` is one."""

    @property
    def codec(self) -> str:
        """Id of the codec."""
        ...

    @property
    def tag(self) -> bytes:
        """The first 4 bytes of their SHA-256."""
        ...


def header_for(picture: Pictured, bundle: WeightsId, quality: int, tile: int, layers: int = 0) -> Header:
    """The header of a picture that was encoded with these weights, at this stored quality, in tiles of this side."""
    return Header(
        codec=bundle.codec, bundle=bundle.tag, width=picture.width, height=picture.height, channels=picture.channels,
        depth=picture.depth, alpha=picture.alpha is not None, quality=quality, tile=tile, layers=layers,
    )  # fmt: skip


def write_header(header: Header) -> bytes:
    """Signature, version and header box. Raises PictureError if a value is outside the limits."""
    complaint = _complaint(header)
    if complaint is not None:
        raise PictureError(complaint)
    layout = (
        (header.channels == 3)
        | (header.depth == 16) << 1
        | header.alpha << 2
        | bool(header.layers) << 3
        | (header.tile.bit_length() - 7) << 4
    )
    fields = _HEADER.pack(header.width, header.height, layout, header.quality, header.bundle)
    layers = bytes([header.layers] if header.layers else [])
    return SIGNATURE + bytes([VERSION]) + box("H", fields + layers + header.codec.encode())


def parse_header(view: memoryview) -> tuple[Header, int]:
    """Check all of it; returns the header and the offset behind it. Raises FormatError."""
    start = bytes(view[: len(SIGNATURE) + 1])
    if start[:-1] != SIGNATURE or len(start) <= len(SIGNATURE):
        raise FormatError(_wrong_signature(bytes(view[:12])))
    version = start[-1]
    if version > VERSION:
        raise FormatError(
            f"format version {version} (byte {len(SIGNATURE)}) is newer than {VERSION}, "
            "the newest that this Calotype reads: upgrade"
        )
    if version < VERSION:
        raise FormatError(f"damaged: there is no format version {version} (byte {len(SIGNATURE)})")
    offset = len(start)
    if len(view) > offset and view[offset] != ord("H"):
        raise FormatError(f"damaged: byte {offset} should begin the header ('H') but is 0x{view[offset]:02x}")
    found = sound_box(view, offset, "the header", "the header")
    payload = bytes(view[found.start : min(found.stop, found.start + _HEADER.size + 18)])
    if len(payload) <= _HEADER.size:
        raise FormatError(f"damaged: the header at byte {offset} has only {len(payload)} bytes")
    width, height, layout, quality, bundle = _HEADER.unpack_from(payload)
    rest, layers = payload[_HEADER.size :], 0
    if layout & 8:
        layers, rest = rest[0], rest[1:]
        if not layers:
            raise FormatError(f"the header at byte {offset} is not valid: a layered file of 0 layers")
    header = Header(
        codec=rest.decode("latin-1"),
        bundle=bundle,
        width=width,
        height=height,
        channels=3 if layout & 1 else 1,
        depth=16 if layout & 2 else 8,
        alpha=bool(layout & 4),
        quality=quality,
        tile=SMALLEST_TILE << (layout >> 4),
        layers=layers,
    )
    complaint = _complaint(header)
    if complaint is not None:
        raise FormatError(f"the header at byte {offset} is not valid: {complaint}")
    return header, found.end


def _wrong_signature(start: bytes) -> str:
    """Say what the first bytes, which are not the signature, look like."""
    if not start:
        return "the file is empty"
    if (SIGNATURE + bytes([VERSION])).startswith(start):
        return f"truncated: the file has {len(start)} bytes, its signature alone takes {len(SIGNATURE) + 1}"
    seen, wanted = start[: len(SIGNATURE)].hex(" "), SIGNATURE.hex(" ")
    # CR LF became LF or CR, LF became CR LF, eight bits became seven, or bytes were taken for Latin-1 or UTF-8 text.
    if re.match(rb"\x89CALO(\n|\r\r|\r\x01)|(\x09|\?|\xc2\x89|\xef\xbf\xbd)CALO", start):
        return (
            f"damaged by a transfer in text mode: the file begins with {seen} instead of {wanted}; "
            "transfer the original again in binary mode"
        )
    if b"CALO" in start or start[5:7] == SIGNATURE[5:7]:
        return f"damaged: the file begins with {seen} instead of the signature {wanted}"
    return f"not a {EXTENSION} file: it begins with {seen} instead of {wanted}"


def _complaint(header: Header) -> str | None:
    """Say which limit of the format a header breaks, if any: the same rules for writing and for reading."""
    width, height = header.width, header.height
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        return f"the picture is {width} x {height} pixels, a side must have 1 to {MAX_SIDE}"
    if width * height > MAX_PIXELS:
        return f"the picture has {width} x {height} = {width * height} pixels, the limit is {MAX_PIXELS}"
    if header.channels not in (1, 3) or header.depth not in (8, 16):
        return f"{header.channels} channels of {header.depth} bits are not 1 or 3 channels of 8 or 16 bits"
    if not SMALLEST_TILE <= header.tile <= LARGEST_TILE or header.tile.bit_count() != 1:
        return f"a tile of {header.tile} pixels is not a power of two from {SMALLEST_TILE} to {LARGEST_TILE}"
    if not 0 <= header.quality <= 0xFFFF:
        return f"quality {header.quality} is not between 0 and 65535"
    if len(header.bundle) != 4:
        return f"a bundle is named by 4 bytes, not by {len(header.bundle)}"
    if not 0 <= header.layers <= MAX_LAYERS:
        return f"{header.layers} layers are not 1 to {MAX_LAYERS}"
    if header.box_count > MAX_TILES:
        return f"{header.layers} layers of {header.tile_count} tiles are more than {MAX_TILES} boxes"
    if not re.fullmatch(r"[a-z0-9-]{1,16}", header.codec):
        return f"codec id {header.codec!r} is not 1 to 16 of the characters a-z, 0-9 and -"
    return None
