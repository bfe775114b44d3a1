# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``rippel2017``: progressive, by bit planes.

A network turns a picture into latents on a lattice of cells of 16x16 pixels; their bit planes are coded, most
significant first (:mod:`calotype.codecs.rippel2017.planes`), in tiles of 32x32 cells; another network makes a picture
of however many planes there are. A file is layered, so each prefix of it is a picture. The quality names the finest
threshold.

O. Rippel and L. Bourdev, "Real-time adaptive image compression", 2017 (arXiv 1705.05823).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Floats, Progress, Samples, to_planes
from ...container import Header
from ...engine.bundles import Bundle
from ...engine.once import cached_attribute
from ...engine.runtime import graph
from ...engine.tiling import Rectangle, grid, pad_to
from ...errors import BundleError, FormatError
from ..layers import LayerReader, decoded, windows
from ..quality import from_header
from .context import Context
from .payload import TileDecoder, encode_tile
from .planes import GROUPS, MOST_LAYERS

CELL = 16  # pixels
TILE = 512  # pixels
WINDOW = 1024  # pixels: what the networks work on at once
SURROUNDINGS = 6  # cells around a window that the analysis sees
LARGEST_HALO = 32  # cells
CACHED_TILES = 300  # decoded tiles kept for their neighbours, 0.6 MB each

Latents = npt.NDArray[np.float16]


@dataclass
class Rippel2017:
    """The codec with the weights of one bundle.

    Attributes:
        bundle: the weights.
        threads: of the computation.
        layers: as the header says it.
    """

    bundle: Bundle
    threads: int
    tile: int = TILE
    layers: int = MOST_LAYERS
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = Context.of(self.bundle, self.threads)

    @cached_attribute
    def halo(self) -> int:
        """Reach of the synthesis around a place, in cells."""
        try:
            halo = int(self.bundle.description["configuration"]["halo"])
        except (KeyError, TypeError, ValueError):
            halo = -1
        if not 0 <= halo <= LARGEST_HALO:
            raise BundleError(
                f"the weights in {self.bundle.path} do not say how they run: they are for another version"
            )
        return halo

    def with_options(self, options: Any) -> Rippel2017:
        """This codec: it has no options."""
        return self

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE:
            raise FormatError(f"the header names tiles of {header.tile} pixels; {header.codec} has tiles of {TILE}")
        if header.layers != MOST_LAYERS:
            raise FormatError(f"the header names {header.layers} layers; {header.codec} has {MOST_LAYERS}")
        from_header(header.quality)

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Payloads of a picture ``(H, W, 1 or 3)``, layer by layer, in each the tiles in raster order."""
        return self.encode_latents(self.analyse(samples, progress), stored_quality)

    def latents(self, samples: Samples) -> Latents:
        """The latents ``(C, h, w)``, for coding at several qualities."""
        return self.analyse(samples)

    def analyse(self, samples: Samples, progress: Progress | None = None) -> Latents:
        """:meth:`latents`, window by window."""
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        lattice = picture.scaled(divide=CELL)
        y: Latents = np.empty((self.context.channels, lattice.height, lattice.width), np.float16)
        windows = list(grid(lattice, WINDOW // CELL))
        for done, (_, _, cells) in enumerate(windows, 1):
            seen = cells.grown(SURROUNDINGS, lattice)
            x = to_planes(samples[seen.scaled(CELL).grown(0, picture).slices])
            x = pad_to(x, seen.height * CELL, seen.width * CELL)
            found = graph(self.bundle.path / "analysis.onnx", self.threads)(x[None])[0][0]
            y[:, *cells.slices] = found[:, *cells.relative_to(seen).slices]
            if progress:
                progress(done, len(windows))
        return y

    def encode_latents(self, latents: Latents, stored_quality: int) -> list[bytes]:
        """:meth:`encode` from there."""
        lattice = Rectangle(0, 0, latents.shape[2], latents.shape[1])
        columns = [
            list(encode_tile(self.context, latents[:, *place.slices].astype(np.float32), stored_quality))
            for _, _, place in grid(lattice, TILE // CELL)
        ]
        return [payload for layer in zip(*columns, strict=True) for payload in layer]

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Samples:  # fmt: skip
        """Samples of a picture or of a region of it; only the tiles that it needs are read.

        Args:
            tiles: payloads layer by layer, as many as there are; None for one that is lost, with which all later ones
                of its tile are.
            shape: height, width, channels of the whole picture.
            depth: 8 or 16 bits.
            stored_quality: of the header.
            region: in pixels, within the picture.
            progress: called with windows done and windows in total.
            salvage: keep the layers of a tile up to one that does not decode, with a DamageWarning, instead of raising
                FormatError; it is one all the same if no tile has a layer.
        """
        return decoded(Decoding(self, shape, depth, stored_quality, region, salvage), tiles, progress, salvage)

    def growing(self, shape: tuple[int, int, int], depth: int, stored_quality: int) -> Decoding:
        """For a picture of which more and more arrives: called with the payloads that are there, as :meth:`decode`."""
        return Decoding(self, shape, depth, stored_quality)

    def synthesise(self, y_hat: Floats, thresholds: Floats) -> Floats:
        """Planes ``(3, 16 h, 16 w)``, about 0..1, of latents ``(C, h, w)`` and log2 of thresholds ``(2, h, w)``."""
        planes: Floats = graph(self.bundle.path / "synthesis.onnx", self.threads)(y_hat[None], thresholds[None])[0][0]
        return planes


class Decoding:
    """Decodes a picture, or a region of it, from the payloads that are there; again when there are more.

    Args:
        codec: with the weights.
        shape: height, width, channels of the whole picture.
        depth: 8 or 16 bits.
        stored_quality: of the header.
        region: in pixels, within the picture.
        salvage: see :meth:`Rippel2017.decode`.
    """

    def __init__(
        self, codec: Rippel2017, shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, salvage: bool = False,
    ) -> None:  # fmt: skip
        picture = Rectangle(0, 0, shape[1], shape[0])
        self.codec, self.region, self.depth, self.channels = codec, region or picture, depth, shape[2]

        def make(place: Rectangle) -> TileDecoder:
            return TileDecoder(codec.context, place.height, place.width, stored_quality)

        lattice = picture.scaled(divide=CELL)
        self.reader = LayerReader(lattice, TILE // CELL, make, CACHED_TILES, salvage)

    def __call__(self, tiles: Sequence[bytes | None], progress: Progress | None = None) -> Samples:
        """Samples of what ``tiles`` hold: those of the last time, and perhaps more."""
        self.reader.give(tiles)
        return windows(self.region, self.depth, self.channels, WINDOW, self.planes, progress)

    def planes(self, place: Rectangle) -> Floats:
        """A window of the picture, as planes."""
        seen = place.scaled(divide=CELL).grown(self.codec.halo, self.reader.lattice)
        return self.codec.synthesise(*self.latents(seen))[:, *place.relative_to(seen.scaled(CELL)).slices]

    def latents(self, area: Rectangle) -> tuple[Floats, Floats]:
        """Latents of an area of cells, and log2 of their thresholds."""
        y_hat: Floats = np.zeros((self.codec.context.channels, area.height, area.width), np.float32)
        thresholds: Floats = np.zeros((GROUPS, area.height, area.width), np.float32)
        for meeting in self.reader.meeting(area):
            there = meeting.in_area.slices
            y_hat[:, *there] = meeting.tile.known.latents()[:, *meeting.in_tile.slices]
            thresholds[:, *there] = meeting.tile.thresholds[:, None, None]
        return y_hat, thresholds
