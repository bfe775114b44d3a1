# SPDX-License-Identifier: BSD-3-Clause
"""The symbols of a file as one hash: what must be the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from .. import container
from ..codecs import NoWeights
from ..codecs.quality import position
from ..codecs.talbot import STILLS
from ..engine import bundles
from ..engine.tiling import Rectangle, grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..container import Container
    from ..engine.bundles import Bundle


def symbols_hash(data: bytes, threads: int = 1) -> str | None:
    """SHA-256 in hexadecimal of all decoded symbols; None for a codec that has none of its own, or stills."""
    content = container.unpack(data)
    header = content.header
    if header.bundle == NoWeights.tag:
        return None
    if header.codec == STILLS:
        return None
    bundle = bundles.find(header.codec, header.bundle)
    match header.codec:
        case "talbot":
            return _talbot(content, bundle, content.tiles, 1, threads)
        case "ledig2017":  # a tile is the tag of talbot's weights, then a tile of talbot
            tiles = [tile[4:] for tile in content.tiles if tile]
            inner = bundles.find("talbot", (content.tiles[0] or b"")[:4])
            return _talbot(content, inner, tiles, int(bundle.description["configuration"]["scale"]), threads)
        case "toderici2017":
            return _toderici2017(content, bundle, threads)
        case "rippel2017":
            return _rippel2017(content, bundle, threads)
    return None


def _talbot(content: Container, bundle: Bundle, tiles: Sequence[bytes | None], scale: int, threads: int) -> str:
    from ..codecs.talbot.codec import Talbot
    from ..codecs.talbot.model import STRIDE, TILE

    prior = Talbot(bundle, threads).prior
    header = content.header
    lattice = Rectangle(0, 0, -(-header.width // scale), -(-header.height // scale)).scaled(divide=STRIDE)
    digest = hashlib.sha256()
    for payload, (_, _, tile) in zip(tiles, grid(lattice, TILE // STRIDE), strict=True):
        y_hat = prior.decode(payload or b"", tile.height, tile.width, position(header.quality))
        digest.update(np.ascontiguousarray(y_hat, "<f4").tobytes())
    return digest.hexdigest()


def _toderici2017(content: Container, bundle: Bundle, threads: int) -> str:
    from ..codecs.toderici2017.cell_errors import CELL
    from ..codecs.toderici2017.codec import TileReader, Toderici2017

    lattice = Rectangle(0, 0, content.header.width, content.header.height).scaled(divide=CELL)
    reader = TileReader(Toderici2017(bundle, threads).networks, lattice)
    reader.give(content.tiles)
    return hashlib.sha256(np.ascontiguousarray(reader.read(lattice), np.int8).tobytes()).hexdigest()


def _rippel2017(content: Container, bundle: Bundle, threads: int) -> str:
    from ..codecs.rippel2017.codec import Decoding, Rippel2017

    header = content.header
    shape = (header.height, header.width, header.channels)
    reader = Decoding(Rippel2017(bundle, threads), shape, header.depth, header.quality).reader
    reader.give(content.tiles)
    digest = hashlib.sha256()
    for meeting in reader.meeting(reader.lattice):
        known = meeting.tile.known
        digest.update(np.ascontiguousarray(known.held * known.signs, "<i2").tobytes())
    return digest.hexdigest()
