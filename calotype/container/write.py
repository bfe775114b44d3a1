# SPDX-License-Identifier: BSD-3-Clause
"""Writing a file."""

from __future__ import annotations

import zlib

from ..errors import FormatError, PictureError
from .boxes import NAMES, Bytes, box, seed
from .content import Container
from .header import Header, write_header
from .limits import MAX_METADATA


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
                raise PictureError(f"the {NAMES[kind]} has {len(raw)} bytes, the limit is {MAX_METADATA}: strip it")
            pieces.append(box(kind, payload))
    if alpha is not None:
        pieces.append(box("A", alpha))
    return b"".join(pieces)


def tile(payload: Bytes, index: int) -> bytes:
    """One tile (index from 0, of a layered file over all layers) as it stands. Raises PictureError above MAX_BOX."""
    return box("T", payload, seed(index))


END = box("E", b"")  # what stands after the last tile
