# SPDX-License-Identifier: BSD-3-Clause
"""The ``.calo`` file, version 1: bytes only. Nothing here knows of pictures or networks.

All integers are little-endian. ``docs/format.md`` is the full specification.

File
    ======  =====  ==========================================================================
    offset  bytes
    ======  =====  ==========================================================================
    0       7      signature 89 43 41 4C 4F 0D 0A (``\\x89CALO\\r\\n``)
    7       1      version, 01
    8       ...    boxes: H [metadata] [A] T...T E, and nothing after E
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
    e     at most once            EXIF, a zlib stream                   |
    x     at most once            XMP, a zlib stream                    > in any order
    n     at most once            colour code points                    |
    i     at most once            IPTC, a zlib stream                   |
    t     at most once            text, a zlib stream                   |
    d     at most once            resolution                           /
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
    >>> data = pack(Container(header, Metadata(icc=profile), tiles=payloads))
    >>> read_header(data[:HEADER_BYTES]).width
    >>> read_front(data).exif                     # header and metadata alone, in no time
    >>> container = unpack(data)                  # every byte is checked; damage is a FormatError
    >>> container = unpack(data, salvage=True)    # lost tiles are None, see container.warnings
    >>> container = unpack(prefix)                # of a layered file: what is there, container.truncated

    A writer that must not hold everything at once joins ``head(...)``, ``tile(payload, index)`` for each tile,
    and ``END``.

The limits are in ``limits.py``, the table of boxes and a single one in ``boxes.py``, the header in ``header.py``, a
file as its parts in ``content.py`` and ``metadata.py``, the rules of their order in ``parts.py``; ``write.py`` and
``read.py`` do what they say, and ``salvage.py`` finds the way through damage.
"""

from __future__ import annotations

from .content import Container
from .header import HEADER_BYTES, Header, header_for, parse_header
from .limits import (
    EXTENSION,
    LARGEST_TILE,
    MAX_BOX,
    MAX_LAYERS,
    MAX_METADATA,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_TEXTS,
    MAX_TILES,
    MAX_UNKNOWN_BOXES,
    SIGNATURE,
    SMALLEST_TILE,
    VERSION,
)
from .metadata import CodePoints, Density, Metadata
from .parts import Parts
from .read import read_front, read_header, unpack
from .write import END, head, pack, tile

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
    "MAX_TEXTS",
    "MAX_TILES",
    "MAX_UNKNOWN_BOXES",
    "SIGNATURE",
    "SMALLEST_TILE",
    "VERSION",
    "CodePoints",
    "Container",
    "Density",
    "Header",
    "Metadata",
    "Parts",
    "head",
    "header_for",
    "pack",
    "parse_header",
    "read_front",
    "read_header",
    "tile",
    "unpack",
]
