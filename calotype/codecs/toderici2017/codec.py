# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``toderici2017``: progressive. Iteration by iteration the picture becomes better, place by place.

A file is layered: layer t holds the bits of iteration t, in tiles of 32x32 cells of 16x16 pixels
(:mod:`calotype.codecs.toderici2017.payload`), so that each prefix of a file is a picture. Each cell stops where its
next bits are not worth their price (:mod:`calotype.codecs.toderici2017.stopping`); the quality is that price. Bits
are found once, with all cells going on: at each quality a cell has the same bits, more or fewer of them.

G. Toderici et al., "Full resolution image compression with recurrent neural networks", 2017 (arXiv 1608.05148).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ...arrays import Floats, Progress, Samples, to_planes
from ...container import Header
from ...engine.bundles import Bundle
from ...engine.tiling import Rectangle, grid, pad_to
from ...errors import FormatError, PictureError
from ..layers import LayerReader, decoded, windows
from ..quality import from_header, position
from . import Options
from .bits import Bits
from .cell_errors import CELL, JUDGES
from .payload import TileDecoder, encode_tile
from .recurrence import Analysis, Networks, Window
from .stopping import choose, settled

TILE = 512  # pixels
WINDOW = 1024  # pixels: what the networks work on at once
SURROUNDINGS = 6  # cells around a window that the encoder sees: the decoder's halo, and some of its own
CACHED_TILES = 400  # decoded tiles kept for their neighbours, 0.5 MB each
KEPT_PIXELS = 2**23  # the largest picture whose states are kept while it arrives: 300 MB
PRICES = {"ms-ssim": (300.0, 0.2), "psnr": (20000.0, 5.0)}  # of a bit at quality 1 and 100, in units of the errors
BITS = 31.5  # that an iteration takes of a cell, about, after entropy coding


def price(tune: str, stored_quality: int) -> float:
    """Of a bit, in units of the errors of a tuning, at a stored quality."""
    highest, lowest = PRICES[tune]
    share = position(stored_quality)
    return math.exp(math.log(highest) * (1 - share) + math.log(lowest) * share)


@dataclass(frozen=True)
class Latents:
    """A picture after the analysis, before any quality is chosen.

    Attributes:
        bits: ``(T, C, h, w)`` of -1 and 1.
        errors: ``(T + 1, h, w)`` of each cell before the first and after each iteration, as the tuning judges it;
            infinite where an iteration was not tried.
    """

    bits: Bits
    errors: Floats


@dataclass
class Toderici2017:
    """The codec with the weights of one bundle.

    Attributes:
        bundle: the weights.
        threads: of the computation.
        iterations: the most that a file gets.
        tune: by which errors cells stop, a key of :data:`calotype.codecs.toderici2017.cell_errors.JUDGES`.
        layers: as the header says it.
    """

    bundle: Bundle
    threads: int
    iterations: int = 0
    tune: str = Options.tune
    tile: int = TILE
    networks: Networks = field(init=False)

    def __post_init__(self) -> None:
        self.networks = Networks(self.bundle, self.threads)
        self.iterations = self.iterations or self.networks.iterations

    @property
    def layers(self) -> int:
        """The most layers of a file."""
        return self.iterations

    def with_options(self, options: Options) -> Toderici2017:
        """This codec with fewer iterations or another tuning; PictureError for more than its weights have."""
        most = self.networks.iterations
        wanted = most if options.iterations is None else options.iterations
        if wanted > most:
            raise PictureError(f"iterations of codec '{self.bundle.codec}' should be at most {most}, not {wanted}")
        return replace(self, iterations=wanted, tune=options.tune)

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE:
            raise FormatError(f"the header names tiles of {header.tile} pixels; {header.codec} has tiles of {TILE}")
        if not 1 <= header.layers <= self.networks.iterations:
            raise FormatError(
                f"the header names {header.layers} layers; {header.codec} has 1 to {self.networks.iterations}"
            )
        from_header(header.quality)

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Payloads of a picture ``(H, W, 1 or 3)``, layer by layer, in each the tiles in raster order."""
        return self.encode_latents(self.analyse(samples, price(self.tune, stored_quality), progress), stored_quality)

    def latents(self, samples: Samples) -> Latents:
        """All bits, for coding at several qualities."""
        return self.analyse(samples)

    def analyse(self, samples: Samples, at: float = 0.0, progress: Progress | None = None) -> Latents:
        """Bits and errors of all iterations that could be worth ``at``, the price of a bit."""
        height, width = samples.shape[:2]
        picture = Rectangle(0, 0, width, height)
        lattice = picture.scaled(divide=CELL)
        channels = self.networks.codes.channels
        space = (self.iterations, channels, lattice.height, lattice.width)
        bits: Bits = np.zeros(space, np.int8)
        errors: Floats = np.full((self.iterations + 1, *space[2:]), np.inf, np.float32)
        windows = list(grid(lattice, WINDOW // CELL))
        for done, (_, _, cells) in enumerate(windows, 1):
            seen = cells.grown(SURROUNDINGS, lattice)
            x = to_planes(samples[seen.scaled(CELL).grown(0, picture).slices])
            inner, place = cells.relative_to(seen).slices, cells.slices
            judge = JUDGES[self.tune](x)
            analysis = Analysis(self.networks, pad_to(x, seen.height * CELL, seen.width * CELL))
            errors[0, *place] = judge(analysis.x_hat)[inner]
            for t in range(self.iterations):
                bits[t, :, *place] = analysis.step()[:, *inner]
                errors[t + 1, *place] = judge(analysis.x_hat)[inner]
                if settled(errors[: t + 2, *place], BITS, at):
                    break
            if progress:
                progress(done, len(windows))
        return Latents(bits, errors)

    def encode_latents(self, latents: Latents, stored_quality: int) -> list[bytes]:
        """:meth:`encode` from there."""
        until = choose(latents.errors, np.full(len(latents.bits), BITS), price(self.tune, stored_quality))
        return self.code(latents.bits, until)

    def code(self, bits: Bits, until: npt.NDArray[np.intp]) -> list[bytes]:
        """Payloads of ``bits`` of which each cell keeps those of the first ``until (h, w)`` iterations."""
        count = int(until.max())
        tiles = [place.slices for _, _, place in grid(Rectangle(0, 0, until.shape[1], until.shape[0]), TILE // CELL)]
        ranks = np.arange(count)[:, None, None, None]
        columns = [
            list(encode_tile(self.networks.codes, bits[:count, :, *place] * (ranks < until[place]).astype(np.int8)))
            for place in tiles
        ]
        payloads = [payload for layer in zip(*columns, strict=True) for payload in layer]
        while len(payloads) > 1 and not payloads[-1]:  # what is not there has stopped
            payloads.pop()
        return payloads

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
        return decoded(Decoding(self.networks, shape, depth, region, salvage), tiles, progress, salvage)

    def growing(self, shape: tuple[int, int, int], depth: int, stored_quality: int) -> Decoding:
        """For a picture of which more and more arrives: called with the payloads that are there, as :meth:`decode`."""
        return Decoding(self.networks, shape, depth, keep=shape[0] * shape[1] <= KEPT_PIXELS)


class Decoding:
    """Decodes a picture, or a region of it, from the payloads that are there; again when there are more.

    Args:
        networks: of the bundle.
        shape: height, width, channels of the whole picture.
        depth: 8 or 16 bits.
        region: in pixels, within the picture.
        salvage: see :meth:`Toderici2017.decode`.
        keep: remember the states of the networks, so that more layers take no more time than those layers do.
    """

    def __init__(
        self, networks: Networks, shape: tuple[int, int, int], depth: int, region: Rectangle | None = None,
        salvage: bool = False, keep: bool = False,
    ) -> None:  # fmt: skip
        picture = Rectangle(0, 0, shape[1], shape[0])
        self.networks, self.region, self.depth, self.channels = networks, region or picture, depth, shape[2]
        self.reader = TileReader(networks, picture.scaled(divide=CELL), salvage)
        self.keep = keep
        self.windows: dict[Rectangle, Window] = {}

    def __call__(self, tiles: Sequence[bytes | None], progress: Progress | None = None) -> Samples:
        """Samples of what ``tiles`` hold: those of the last time, and perhaps more."""
        self.reader.give(tiles)
        return windows(self.region, self.depth, self.channels, WINDOW, self.planes, progress)

    def planes(self, place: Rectangle) -> Floats:
        """A window of the picture, as planes."""
        seen = place.scaled(divide=CELL).grown(self.networks.halo, self.reader.lattice)
        window = self.windows.get(place) or Window(self.networks, seen.height, seen.width)
        for bits in self.reader.read(seen)[window.iteration :]:
            window.update(bits.astype(np.float32))
        if self.keep:
            self.windows[place] = window
        return window.picture()[:, *place.relative_to(seen.scaled(CELL)).slices]


class TileLayers:
    """The bits of one tile, layer by layer."""

    def __init__(self, networks: Networks, place: Rectangle) -> None:
        self.decoder = TileDecoder(networks.codes, place.height, place.width)
        self.bits: list[Bits] = []

    def __call__(self, payload: bytes) -> None:
        """Take the next layer; FormatError if it does not come out whole."""
        self.bits.append(self.decoder(payload))


class TileReader(LayerReader[TileLayers]):
    """Bits of any rectangle of cells, from tiles that are decoded when first needed and kept for their neighbours."""

    def __init__(self, networks: Networks, lattice: Rectangle, salvage: bool = False) -> None:
        self.channels = networks.codes.channels
        super().__init__(lattice, TILE // CELL, lambda place: TileLayers(networks, place), CACHED_TILES, salvage)

    def read(self, area: Rectangle) -> Bits:
        """Bits ``(T, C, h, w)`` of all layers that there are."""
        result: Bits = np.zeros((self.layers, self.channels, area.height, area.width), np.int8)
        for meeting in self.meeting(area):
            for layer, bits in enumerate(meeting.tile.bits):
                result[layer, :, *meeting.in_area.slices] = bits[:, *meeting.in_tile.slices]
        return result
