# SPDX-License-Identifier: BSD-3-Clause
"""The ``.calo`` file, version 1: bytes only. Nothing here knows of pictures or networks.

All integers are little-endian. ``docs/format.md`` is the full specification.

File
    ======  =====  ==========================================================================
    offset  bytes
    ======  =====  ==========================================================================
    0       7      signature 89 43 41 4C 4F 0D 0A (``\\x89CALO\\r\\n``)
    7       1      version, 01
    8       ...    boxes: H [c] [e] [x] [A] T...T E, and nothing after E
    ======  =====  ==========================================================================

Box
    ======  ==========================================================================
    bytes
    ======  ==========================================================================
    1       type, an ASCII letter. Upper case: critical, a reader that does not know it
            must refuse the file. Lower case: optional, a reader may skip it.
    1...4   n, length of the payload: LEB128, in as few bytes as possible
    n       payload
    4       CRC-32 (zlib's) of type, length bytes and payload; in a tile its register begins at the
            index of the tile (0, 1, 2, ...) instead of 0xFFFFFFFF, which ties the tile to its place
    ======  ==========================================================================

Boxes, in this order
    ====  ======================  ===========================================================
    H     once, first             header
    c     at most once            colour profile (ICC), a zlib stream  \\
    e     at most once            EXIF, a zlib stream                   > in any order
    x     at most once            XMP, a zlib stream                   /
    A     if the header says so   alpha channel, a PNG
    T     one a tile              tiles in raster order; the codec knows what is inside
    E     once, last              end; no payload
    ====  ======================  ===========================================================
    A *layered* file has the boxes T layer by layer, in each of them the tiles in raster order; the index
    of a box is layer x tiles + tile. It may end after any of them, so that dropping boxes T from the end
    makes it smaller, and a sound file.
    Unknown optional boxes, at most 1024, may stand anywhere between H and E.

Payload of H
    ======  =====  ==========================================================================
    0       2      width, 1...65535
    2       2      height, 1...65535; width x height at most 2^28
    4       1      format: bit 0 grey (0) or RGB (1), bit 1 8 (0) or 16 (1) bits a sample,
                   bit 2 alpha, bit 3 layered, bits 4-7 log2(side of a tile) - 6, 0...9
    5       2      quality; the codec gives it its meaning
    7       4      bundle: the first bytes of the SHA-256 of the weights
    11      0-1    if layered: the most layers that there can be, 1...255; times tiles at most 66560
    ...     1-16   codec id, [a-z0-9-], to the end of the payload
    ======  =====  ==========================================================================

Synopsis
    >>> data = pack(Container(header, icc=profile, tiles=payloads))
    >>> read_header(data[:HEADER_BYTES]).width
    >>> read_front(data).exif                     # header and metadata alone, in no time
    >>> container = unpack(data)                  # every byte is checked; damage is a FormatError
    >>> container = unpack(data, salvage=True)    # lost tiles are None, see container.warnings
    >>> container = unpack(prefix)                # of a layered file: what is there, container.truncated

    A writer that must not hold everything at once joins ``head(...)``, ``tile(payload, index)`` for each tile,
    and ``END``.

The header is in ``header.py``, a single box in ``boxes.py``, the way through damage in ``salvage.py``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from .boxes import MAX_BOX, Box, Bytes, box, ends_within, frame, seed, sound_box
from .errors import FormatError, PictureError
from .header import (
    EXTENSION,
    HEADER_BYTES,
    LARGEST_TILE,
    MAX_LAYERS,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_TILES,
    SIGNATURE,
    SMALLEST_TILE,
    VERSION,
    Header,
    parse_header,
    write_header,
)

__all__ = [
    "END",
    "EXTENSION",
    "HEADER_BYTES",
    "LARGEST_TILE",
    "MAX_BOX",
    "MAX_LAYERS",
    "MAX_METADATA",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MAX_TILES",
    "MAX_UNKNOWN_BOXES",
    "SIGNATURE",
    "SMALLEST_TILE",
    "VERSION",
    "Container",
    "Header",
    "head",
    "pack",
    "read_front",
    "read_header",
    "tile",
    "unpack",
]

MAX_METADATA = 2**24  # bytes of one profile, EXIF or XMP, deflated as well as inflated
MAX_UNKNOWN_BOXES = 1024  # in a file: nobody needs more, and skipping them takes time

_METADATA = {"c": "colour profile", "e": "EXIF data", "x": "XMP data"}
_NAMES = {"H": "header", **_METADATA, "A": "alpha channel", "T": "tile", "E": "end box"}


@dataclass(frozen=True)
class Container:
    """A whole file, unpacked. After salvaging, lost tiles are None, and so is a lost alpha channel."""

    header: Header
    icc: bytes | None = None  # colour profile
    exif: bytes | None = None
    xmp: bytes | None = None
    alpha: bytes | None = None  # a PNG
    tiles: tuple[bytes | None, ...] = ()  # raster order; of a layered file layer by layer, as many as there are
    warnings: tuple[str, ...] = ()  # what salvaging found, in sentences; never packed
    truncated: bool = False  # a layered file stops without an end box; never packed


# ---------------------------------------------------------------------------------------------------------- writing


def pack(container: Container) -> bytes:
    """Write a file.

    Raises:
        PictureError: the size of the picture, a piece of metadata or a tile exceeds the limits of the format.
        FormatError: the parts contradict each other (a lost tile, a wrong number of tiles, alpha without saying so).

    """
    header, tiles = container.header, container.tiles
    opening = head(header, icc=container.icc, exif=container.exif, xmp=container.xmp, alpha=container.alpha)
    if header.layers:
        if not 1 <= len(tiles) <= header.box_count:
            raise FormatError(f"{len(tiles)} parts are not 1 to {header.box_count}, {header.tile_count} in a layer")
    elif len(tiles) != header.tile_count:
        raise FormatError(f"{len(tiles)} tiles do not make a picture of {header.tile_count}")
    pieces = [opening]
    for index, payload in enumerate(tiles):
        if payload is None:
            raise FormatError(f"tile {index + 1} of {len(tiles)} is lost: only a whole picture can be packed")
        pieces.append(tile(payload, index))
    return b"".join([*pieces, END])


def head(
    header: Header,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    alpha: bytes | None = None,
) -> bytes:
    """Everything that stands before the first tile. Raises as `pack` does."""
    if header.alpha != (alpha is not None):
        raise FormatError("the header and the presence of an alpha channel contradict each other")
    pieces = [write_header(header)]
    for kind, raw in (("c", icc), ("e", exif), ("x", xmp)):
        if raw is not None:
            payload = zlib.compress(raw, 9)
            if max(len(raw), len(payload)) > MAX_METADATA:
                raise PictureError(f"the {_NAMES[kind]} has {len(raw)} bytes, the limit is {MAX_METADATA}: strip it")
            pieces.append(box(kind, payload))
    if alpha is not None:
        pieces.append(box("A", alpha))
    return b"".join(pieces)


def tile(payload: Bytes, index: int) -> bytes:
    """One tile (index from 0, of a layered file over all layers) as it stands. Raises PictureError above MAX_BOX."""
    return box("T", payload, seed(index))


END = box("E", b"")  # what stands after the last tile


# ---------------------------------------------------------------------------------------------------------- reading


def read_header(data: Bytes) -> Header:
    """Read the header from a file or from its first HEADER_BYTES (42) bytes. Raises FormatError."""
    return parse_header(memoryview(data).cast("B"))[0]


def read_front(data: Bytes) -> Container:
    """Read what stands ahead of alpha and tiles: the header and, as far as they are whole, profile, EXIF and XMP.

    Nothing behind that is looked at. Damage behind the header is no error: it ends the search. Raises FormatError.
    """
    view = memoryview(data).cast("B")
    header, offset = parse_header(view)
    parts = Parts(header)
    while bytes(view[offset : offset + 1]) not in (b"A", b"T", b"E", b""):
        try:
            found = parts.follow(view, offset)
            parts.take(view, found, 0)
        except FormatError:
            break
        offset = found.end
    return Container(header, *parts.front())


def unpack(data: Bytes, *, salvage: bool = False) -> Container:
    """Read a file and check all of it; time and memory are linear in its size, whatever it claims.

    With `salvage`, damage behind the header costs what is damaged and no more: lost tiles are None, a lost alpha
    channel or piece of metadata is None, and `Container.warnings` says so.

    A layered file that just stops, after its first box T at the earliest, is `Container.truncated` and no error.

    Raises:
        FormatError: not a ``.calo`` file, a newer one, or (without `salvage`) a truncated, damaged or inconsistent one.

    """
    view = memoryview(data).cast("B")
    header, offset = parse_header(view)
    try:
        return _unpack(view, offset, Parts(header))
    except TooNewError:
        raise
    except FormatError:
        if not salvage:
            raise
    from .salvage import collect  # the exception, which needs the rules of this file

    parts = Parts(header)
    return parts.container(collect(view, offset, parts))


def _unpack(view: memoryview, offset: int, parts: Parts) -> Container:
    """Read the boxes from `offset` on into `parts`. Raises FormatError at the first that is not what should follow."""
    while not parts.ended:
        if parts.stops(view, offset):
            return parts.container([parts.prefix(len(view))], truncated=True)
        found = parts.follow(view, offset)
        parts.take(view, found, parts.next)
        offset = found.end
    parts.finish(offset)
    if offset < len(view):
        raise FormatError(f"{len(view) - offset} bytes follow the end of the picture at byte {offset}")
    return parts.container()


class TooNewError(FormatError):
    """Not damage but a critical box of the future: salvaging must refuse it as well."""


class Parts:
    """What has been read so far, and the rules for what may follow."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.seen: set[str] = set()  # types of metadata and alpha, so that a thousand bombs are inflated once
        self.metadata: dict[str, bytes] = {}
        self.alpha: bytes | None = None
        self.tiles: dict[int, bytes] = {}  # by index; never allocated by what the header claims
        self.next = 0  # index of the tile that should follow
        self.unknown = 0  # number of unknown boxes
        self.ended = False

    def name(self, kind: str) -> str:
        """What to call a box of this type, were it the next one."""
        if kind == "T":
            return self.tile(self.next)
        return f"the {_NAMES[kind]}" if kind in _NAMES else f"box {kind!r}"

    def tile(self, index: int) -> str:
        """What to call the tile of this index."""
        layer, index = divmod(index, self.header.tile_count)
        name = f"tile {index + 1} of {self.header.tile_count}"
        return f"layer {layer + 1}, {name}" if self.header.layers else name

    def stops(self, view: memoryview, offset: int) -> bool:
        """Whether a layered file that holds something to show ends before `offset` or in the box there.

        One that has its end box did not just stop: a length in it is damaged.
        """
        return bool(self.header.layers and self.next) and ends_within(view, offset) and bytes(view[-len(END) :]) != END

    def arrived(self, view: memoryview, offset: int) -> Box | None:
        """The box at `offset`, or None if more has to come first. Raises FormatError as :meth:`follow` does."""
        found = frame(view, offset)
        whole = found is not None and found.end <= len(view)
        if not whole and (found is not None or len(view) - offset < 5):
            return None
        return self.follow(view, offset)

    def prefix(self, size: int) -> str:
        """What to say of a layered file that stops. Raises FormatError if its alpha channel is missing."""
        self._check_alpha(size)
        whole, more = divmod(self.next, self.header.tile_count)
        more_text = f" and {more} of {self.header.tile_count} tiles of the next one" if more else ""
        return (
            f"the file is truncated: it ends at byte {size}, after {whole} of at most {self.header.layers} layers"
            f"{more_text}: the picture is as good as so many bytes allow"
        )

    def follow(self, view: memoryview, offset: int) -> Box:
        """Find the box at `offset` and check its CRC. Raises FormatError if it is damaged or not the next tile."""
        kind = chr(view[offset]) if offset < len(view) else ""
        if kind == "T" and self.next == self.header.box_count:
            raise FormatError(f"damaged: the tile at byte {offset} is one more than the {self.next} of the picture")
        return sound_box(view, offset, self.name(kind), self.expected(), seed(self.next) if kind == "T" else 0)

    def expected(self) -> str:
        """What to call the box that should follow, or is missing if the file ends here."""
        if self.header.alpha and self.alpha is None and not self.next:
            return self.name("A")
        return self.name("T" if self.next < self.header.box_count else "E")

    def take(self, view: memoryview, found: Box, index: int) -> None:
        """Add a box whose CRC is right, that of a tile for this index. Raises FormatError if it may not stand here."""
        kind = found.kind
        if kind == "T":
            if index in self.tiles:
                raise FormatError(f"damaged: {self.tile(index)} stands a second time at byte {found.offset}")
            self.tiles[index] = bytes(view[found.start : found.stop])
            self.next = index + 1
            while self.next in self.tiles:  # out of order: only salvaging gets here
                self.next += 1
        elif kind == "E":
            if found.stop > found.start:
                raise FormatError(f"damaged: the end box at byte {found.offset} must be empty")
            self.ended = True
        elif kind == "H":
            raise FormatError(f"damaged: a second header stands at byte {found.offset}")
        elif kind in _NAMES:
            if kind in self.seen:
                raise FormatError(f"damaged: {self.name(kind)} stands a second time at byte {found.offset}")
            if self.tiles or "A" in self.seen:
                raise FormatError(f"damaged: {self.name(kind)} at byte {found.offset} must stand further ahead")
            self.seen.add(kind)
            if kind != "A":
                self.metadata[kind] = _inflate(view, found, self.name(kind))
            elif self.header.alpha:
                self.alpha = bytes(view[found.start : found.stop])
            else:
                raise FormatError(f"damaged: an alpha channel stands at byte {found.offset}, the header knows of none")
        elif kind.isupper():
            raise TooNewError(
                f"box {kind!r} at byte {found.offset} is unknown and critical: "
                "a newer Calotype wrote this file, upgrade to read it"
            )
        else:
            self.unknown += 1
            if self.unknown > MAX_UNKNOWN_BOXES:
                raise FormatError(
                    f"box {kind!r} at byte {found.offset} is one more than the limit of "
                    f"{MAX_UNKNOWN_BOXES} unknown boxes"
                )

    def finish(self, offset: int) -> None:
        """Check the whole when the end box has ended at `offset`. Raises FormatError."""
        if self.next < (1 if self.header.layers else self.header.tile_count):
            raise FormatError(f"damaged: {self.expected()} is missing, the end box stands before byte {offset}")
        self._check_alpha(offset)

    def _check_alpha(self, end: int) -> None:
        """Raises FormatError if the picture ends, at byte `end`, without the alpha channel that the header names."""
        if self.header.alpha and self.alpha is None:
            raise FormatError(f"damaged: the alpha channel is missing, the picture ends at byte {end} without it")

    @property
    def count(self) -> int:
        """How many tiles there should be, over all layers; of a layered file, as far as the last one that is there."""
        return max(self.tiles, default=-1) + 1 if self.header.layers else self.header.tile_count

    def container(self, warnings: Iterable[str] = (), truncated: bool = False) -> Container:
        """All that was read; None for each tile that was not."""
        tiles = tuple(self.tiles.get(index) for index in range(self.count))
        return Container(self.header, *self.front(), self.alpha, tiles, tuple(warnings), truncated)

    def front(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Profile, EXIF and XMP."""
        return self.metadata.get("c"), self.metadata.get("e"), self.metadata.get("x")


def _inflate(view: memoryview, found: Box, name: str) -> bytes:
    """Inflate metadata without ever holding more than MAX_METADATA + 1 bytes of it. Raises FormatError."""
    inflater = zlib.decompressobj()
    if found.stop - found.start > MAX_METADATA:
        raise FormatError(f"{name} at byte {found.offset} exceeds the limit of {MAX_METADATA} bytes")
    try:
        raw = inflater.decompress(view[found.start : found.stop], MAX_METADATA + 1)
    except zlib.error:
        raise FormatError(f"damaged: {name} at byte {found.offset} is not a zlib stream") from None
    if len(raw) > MAX_METADATA:
        raise FormatError(f"{name} at byte {found.offset} inflates to more than the limit of {MAX_METADATA} bytes")
    if not inflater.eof or inflater.unused_data:
        raise FormatError(f"damaged: {name} at byte {found.offset} is not exactly one zlib stream")
    return raw
