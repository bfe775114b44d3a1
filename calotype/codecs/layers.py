# SPDX-License-Identifier: BSD-3-Clause
"""Tiles of layered files: their payloads are decoded when an area needs them, and only those that are new."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from ..arrays import Floats, Progress, Samples, from_planes
from ..engine.tiles import Meeting, Tiles
from ..engine.tiling import Rectangle, grid
from ..errors import DamageWarning, FormatError


class TileDecoder(Protocol):
    """Takes the payloads of one tile, layer by layer; FormatError for one that does not come out whole."""

    def __call__(self, payload: bytes, /) -> Any:
        """The next layer."""
        ...


T = TypeVar("T", bound=TileDecoder)


class Arrived(Generic[T]):
    """One tile: what has taken its layers so far, and how many those are."""

    def __init__(self, index: int, decoder: T) -> None:
        self.index, self.decoder = index, decoder
        self.layers = 0
        self.lost = False  # a layer, and with it all later ones


class LayerReader(Generic[T]):
    """The tiles of a picture, decoded as far as their payloads are there.

    Args:
        lattice: of the picture.
        side: of a tile, on the lattice.
        make: place of a tile -> what decodes it.
        kept: so many tiles are remembered for their neighbours.
        salvage: keep the layers of a tile up to one that does not decode, with a DamageWarning, instead of raising
            FormatError.

    Attributes:
        layers: as many as there are, at least of some tiles.
        found: layers of tiles that did decode.
    """

    def __init__(
        self, lattice: Rectangle, side: int, make: Callable[[Rectangle], T], kept: int, salvage: bool = False
    ) -> None:
        self.lattice, self.salvage = lattice, salvage
        self.tiles = Tiles(lattice, side, lambda index, place: Arrived(index, make(place)), kept)
        self.payloads: Sequence[bytes | None] = ()
        self.layers = self.found = 0

    def give(self, payloads: Sequence[bytes | None]) -> None:
        """The payloads that there are, layer by layer."""
        self.payloads, self.layers = payloads, -(-len(payloads) // self.tiles.count)

    def meeting(self, area: Rectangle) -> Iterator[Meeting[T]]:
        """The tiles that meet ``area``, with all layers that there are."""
        for meeting in self.tiles.meeting(area):
            self.advance(meeting.tile)
            yield Meeting(meeting.tile.decoder, meeting.in_tile, meeting.in_area)

    def advance(self, tile: Arrived[T]) -> None:
        """Decode what has arrived of a tile."""
        count = self.tiles.count
        for data in self.payloads[tile.index :: count][tile.layers :]:
            if data is None or tile.lost:
                break
            try:
                tile.decoder(data)
            except FormatError as error:
                sentence = f"layer {tile.layers + 1}, tile {tile.index + 1} of {count}: {error}"
                if not self.salvage:
                    raise FormatError(sentence) from error
                warnings.warn(sentence, DamageWarning, stacklevel=2)
                tile.lost = True
            else:
                tile.layers += 1
                self.found += 1


class LayeredDecoding(Protocol):
    """Decodes a picture, or a region of it, from the payloads that are there; again when there are more."""

    @property
    def reader(self) -> LayerReader[Any]:
        """What it reads them with."""
        ...

    def __call__(self, tiles: Sequence[bytes | None], progress: Progress | None = None, /) -> Samples:
        """Samples of what ``tiles`` hold."""
        ...


def decoded(
    decoding: LayeredDecoding, tiles: Sequence[bytes | None], progress: Progress | None, salvage: bool
) -> Samples:
    """Samples of a whole file; where damage is put up with, FormatError if no tile has a layer."""
    nothing = FormatError("nothing can be saved: no tile of the picture has a whole layer")
    if salvage and all(data is None for data in tiles):  # a header alone must not cost what it claims
        raise nothing
    samples = decoding(tiles, progress)
    if salvage and not decoding.reader.found:
        raise nothing
    return samples


def windows(
    region: Rectangle, depth: int, channels: int, side: int, planes: Callable[[Rectangle], Floats],
    progress: Progress | None = None,
) -> Samples:  # fmt: skip
    """Samples ``(H, W, channels)`` of a region, put together window by window.

    Args:
        region: in pixels.
        depth: 8 or 16 bits.
        channels: 1 or 3.
        side: of a window, in pixels.
        planes: of a window in the picture, ``(3, h, w)``, about 0..1.
        progress: called with windows done and windows in total.
    """
    space = (region.height, region.width, channels)
    samples: Samples = np.empty(space, np.uint8) if depth == 8 else np.empty(space, np.uint16)
    places = [place for _, _, place in grid(region, side)]
    for done, place in enumerate(places, 1):
        from_planes(np.clip(planes(place), 0, 1), samples[place.relative_to(region).slices])
        if progress:
            progress(done, len(places))
    return samples
