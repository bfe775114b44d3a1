# SPDX-License-Identifier: BSD-3-Clause
"""Writing a file."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from ..errors import FormatError, PictureError
from .boxes import METADATA, BoxKind, Bytes, box, seed
from .content import Container
from .header import Header, write_header
from .metadata import NOTHING, Metadata


def pack(container: Container) -> bytes:
    """Write a file.

    Raises:
        PictureError: the size of the picture, a piece of metadata or a tile exceeds the limits of the format.
        FormatError: the parts contradict each other (a lost tile, a wrong number of tiles, alpha without saying so).

    """
    header, tiles = container.header, container.tiles
    opening = head(header, container.metadata, container.alpha)
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


def head(header: Header, metadata: Metadata = NOTHING, alpha: bytes | None = None) -> bytes:
    """Everything that stands before the first tile. Raises as `pack` does."""
    if header.alpha != (alpha is not None):
        raise FormatError("the header and the presence of an alpha channel contradict each other")
    pieces = [write_header(header)]
    for kind in METADATA:
        value = getattr(metadata, kind.field or "")
        if value is not None:
            raw = _bytes(kind, value)
            payload = zlib.compress(raw, 9) if kind.deflated else raw
            if max(len(raw), len(payload)) > kind.limit:
                raise PictureError(f"the {kind.name} has {len(raw)} bytes, the limit is {kind.limit}: strip it")
            pieces.append(box(kind.letter, payload))
    if alpha is not None:
        pieces.append(box("A", alpha))
    return b"".join(pieces)


def _bytes(kind: BoxKind, value: Any) -> bytes:
    """A field of the metadata as bytes from which it can be read; PictureError for what is no such field."""
    try:
        raw = memoryview(kind.write(value)).tobytes()
        kind.read(raw)
    except (TypeError, ValueError, AttributeError, struct.error) as error:
        raise PictureError(f"the {kind.name} of the picture cannot be stored: {error}") from error
    return raw


def tile(payload: Bytes, index: int) -> bytes:
    """One tile (index from 0, of a layered file over all layers) as it stands. Raises PictureError above MAX_BOX."""
    return box("T", payload, seed(index))


END = box("E", b"")  # what stands after the last tile
