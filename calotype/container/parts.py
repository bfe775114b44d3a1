# SPDX-License-Identifier: BSD-3-Clause
"""State of reading a file, and the rules for what may follow."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from ..errors import FormatError
from .boxes import KINDS, Box, ends_within, frame, seed, sound_box
from .content import Container
from .header import Header
from .limits import MAX_METADATA, MAX_UNKNOWN_BOXES
from .metadata import Metadata
from .write import END


class TooNewError(FormatError):
    """Not damage but a critical box of the future: salvaging must refuse it as well."""


class Parts:
    """State of reading, and the rules for what may follow."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.seen: set[str] = set()  # types of metadata and alpha, so that a thousand bombs are inflated once
        self.fields: dict[str, Any] = {}  # of the metadata
        self.order = 0  # of the last known box
        self.alpha: bytes | None = None
        self.tiles: dict[int, bytes] = {}  # by index; never allocated by what the header claims
        self.next = 0  # index of the tile that should follow
        self.unknown = 0  # number of unknown boxes
        self.ended = False

    def name(self, kind: str) -> str:
        """Name of a box of this type, were it the next one."""
        if kind == "T":
            return self.tile(self.next)
        return f"the {KINDS[kind].name}" if kind in KINDS else f"box {kind!r}"

    def tile(self, index: int) -> str:
        """Name of the tile of this index."""
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
        """Message about a layered file that stops. Raises FormatError if its alpha channel is missing."""
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
        """Name of the box that should follow, or is missing if the file ends here."""
        if self.header.alpha and self.alpha is None and not self.next:
            return self.name("A")
        return self.name("T" if self.next < self.header.box_count else "E")

    def take(self, view: memoryview, found: Box, index: int) -> None:
        """Add a box whose CRC is right, that of a tile for this index. Raises FormatError if it may not stand here."""
        kind = found.kind
        if kind == "T":
            if index in self.tiles:
                raise FormatError(f"damaged: {self.tile(index)} stands a second time at byte {found.offset}")
            self.tiles[index], self.order = bytes(view[found.start : found.stop]), KINDS[kind].order
            self.next = index + 1
            while self.next in self.tiles:  # out of order: only salvaging gets here
                self.next += 1
        elif kind == "E":
            if found.stop > found.start:
                raise FormatError(f"damaged: the end box at byte {found.offset} must be empty")
            self.ended = True
        elif kind == "H":
            raise FormatError(f"damaged: a second header stands at byte {found.offset}")
        elif kind in KINDS:
            if kind in self.seen:
                raise FormatError(f"damaged: {self.name(kind)} stands a second time at byte {found.offset}")
            if KINDS[kind].order < self.order:
                raise FormatError(f"damaged: {self.name(kind)} at byte {found.offset} must stand further ahead")
            self.seen.add(kind)
            self.order = KINDS[kind].order
            if KINDS[kind].field:
                self._describe(view, found)
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

    def _describe(self, view: memoryview, found: Box) -> None:
        """Read a box of metadata. Raises FormatError."""
        kind, name = KINDS[found.kind], self.name(found.kind)
        if found.stop - found.start > kind.limit:
            raise FormatError(f"{name} at byte {found.offset} exceeds the limit of {kind.limit} bytes")
        raw = _inflate(view, found, name) if kind.deflated else bytes(view[found.start : found.stop])
        try:
            self.fields[kind.field or ""] = kind.read(raw)
        except ValueError as error:
            raise FormatError(f"damaged: {name} at byte {found.offset}: {error}") from None

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
        """Number of tiles expected, over all layers; of a layered file, up to the last one that is there."""
        return max(self.tiles, default=-1) + 1 if self.header.layers else self.header.tile_count

    def container(self, warnings: Iterable[str] = (), truncated: bool = False) -> Container:
        """All that was read; None for each tile that was not."""
        tiles = tuple(self.tiles.get(index) for index in range(self.count))
        return Container(self.header, self.metadata, self.alpha, tiles, tuple(warnings), truncated)

    @property
    def metadata(self) -> Metadata:
        """The content read so far."""
        return Metadata(**self.fields)


def _inflate(view: memoryview, found: Box, name: str) -> bytes:
    """Inflate metadata without ever holding more than MAX_METADATA + 1 bytes of it. Raises FormatError."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(view[found.start : found.stop], MAX_METADATA + 1)
    except zlib.error:
        raise FormatError(f"damaged: {name} at byte {found.offset} is not a zlib stream") from None
    if len(raw) > MAX_METADATA:
        raise FormatError(f"{name} at byte {found.offset} inflates to more than the limit of {MAX_METADATA} bytes")
    if not inflater.eof or inflater.unused_data:
        raise FormatError(f"damaged: {name} at byte {found.offset} is not exactly one zlib stream")
    return raw
