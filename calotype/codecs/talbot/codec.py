# SPDX-License-Identifier: BSD-3-Clause
"""``talbot``: the flagship codec, at one quality out of a continuum, on pictures of any size.

What a file stores: for each tile (1024 x 1024 pixels, 64 x 64 latents) the latents' symbols, see
:mod:`calotype.codecs.talbot.prior`. How it comes back: latents of a window of tiles and its halo through the synthesis.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import cast

import numpy as np

from ...arrays import Floats, Progress, Samples, from_planes, to_planes
from ...container import Header
from ...engine import bundles
from ...engine.tiling import Rectangle, grid, pad_to
from ...errors import DamageWarning, FormatError
from ..quality import from_header, position
from . import ENTRY, TUNINGS, Options
from .effort import Search, check_needs
from .model import Model
from .prior import Coded

STRIDE = 16  # pixels a latent
HALO = 9  # latents: the receptive field of analysis and synthesis (three 5x5 layers at 1/16, three at 1/8)
TILE = 1024  # pixels
WINDOW = 2048  # pixels: what a transform works on at once, about 350 MB
CACHED_TILES = 56  # decoded tiles kept for their neighbours, 5 MB each


@dataclass(frozen=True)
class Latents:
    """A picture after the analysis, before any quality is chosen: tiles in raster order."""

    tiles: list[Floats]  # (M, h, w)
    samples: Samples  # of the picture: what high efforts compare with


@dataclass
class Talbot(Model):
    """The codec with the weights of one bundle."""

    tile: int = TILE
    layers: int = 0
    effort: int = Options.effort

    def with_options(self, options: Options) -> Talbot:
        """This codec with another effort (:mod:`calotype.codecs.talbot.effort`), or with the weights of a tuning.

        Raises:
            DependencyError: an effort that needs PyTorch, which is not installed.
            BundleError: the weights of the tuning are not installed.
        """
        check_needs(options.effort)
        other = copy(self if options.tune is None else tuned(options.tune, self.threads))  # shares the weights
        other.effort = options.effort
        return other

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE:
            raise FormatError(f"the header names tiles of {header.tile} pixels; {header.codec} has tiles of {TILE}")
        from_header(header.quality)

    def analyse(self, samples: Samples) -> Iterator[tuple[int, Floats]]:
        """Index in raster order and latents ``(M, h, w)`` of each tile, window by window.

        Args:
            samples: ``(H, W, 1 or 3)``.
        """
        g_a = self.graph("g_a")
        height, width = samples.shape[:2]
        picture = Rectangle(0, 0, width, height)
        across = -(-width // TILE)
        for _, _, window in grid(picture, WINDOW):
            latents = window.scaled(divide=STRIDE)
            seen = window.grown(HALO * STRIDE, picture)
            x = to_planes(samples[seen.slices])
            x = pad_to(x, -(-x.shape[1] // STRIDE) * STRIDE, -(-x.shape[2] // STRIDE) * STRIDE)
            y = g_a(x[None])[0][0]
            corner = seen.scaled(divide=STRIDE)
            for row, column, tile in grid(latents, TILE // STRIDE):
                yield row * across + column, y[:, *tile.relative_to(corner).slices]

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads of a picture in raster order."""
        return self.code(self.analyse(samples), samples, stored_quality, progress)

    def predicted_bits(self, samples: Samples, stored_quality: int) -> float:
        """Size of the tiles of :meth:`encode` by the probability tables, in bits; for benchmarks."""
        return sum(coded.bits for _, coded in self.coded(self.analyse(samples), samples, stored_quality))

    def latents(self, samples: Samples) -> Latents:
        """All latents at once, for coding at several qualities."""
        tiles = dict(self.analyse(samples))
        return Latents([np.ascontiguousarray(tiles[i]) for i in range(len(tiles))], samples)

    def encode_latents(self, latents: Latents, stored_quality: int) -> list[bytes]:
        """Like :meth:`encode`, from latents at hand."""
        return self.code(enumerate(latents.tiles), latents.samples, stored_quality)

    def code(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int,
        progress: Progress | None = None,
    ) -> list[bytes]:  # fmt: skip
        """Entropy-code the tiles of a picture, which come in any order."""
        payloads: dict[int, bytes] = {}
        for index, coded in self.coded(tiles, samples, stored_quality):
            payloads[index] = coded.data
            if progress:
                progress(len(payloads), tile_count(samples))
        return [payloads[index] for index in range(len(payloads))]

    def coded(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int
    ) -> Iterator[tuple[int, Coded]]:
        """Index and code of each tile, as they come."""
        gain = self.gain("encoder", stored_quality)
        search = Search(self, self.effort, stored_quality)
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        places = [place for _, _, place in grid(picture, TILE)]
        for index, y in tiles:
            yield index, search(y * gain, samples[places[index].slices])

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Samples:  # fmt: skip
        """Samples of a picture or of a region of it; only the tiles that it needs are read.

        Args:
            tiles: payloads in raster order; None for a tile that is lost (it comes back grey).
            shape: height, width, channels of the whole picture.
            depth: 8 or 16 bits.
            stored_quality: of the header.
            region: in pixels, within the picture.
            progress: called with windows done and windows in total.
            salvage: take a tile that does not decode for lost, with a DamageWarning, instead of raising FormatError;
                it is one all the same if no tile decodes.
        """
        g_s = self.graph("g_s")
        height, width, channels = shape
        picture = Rectangle(0, 0, width, height)
        region = region or picture
        reader = TileReader(self, tiles, picture.scaled(divide=STRIDE), stored_quality, salvage)
        space = (region.height, region.width, channels)
        samples: Samples = np.empty(space, np.uint8) if depth == 8 else np.empty(space, np.uint16)
        windows = list(grid(region, WINDOW))
        for done, (_, _, window) in enumerate(windows, 1):
            seen = window.scaled(divide=STRIDE).grown(HALO, reader.lattice)
            x = g_s(reader.read(seen)[None])[0][0]
            inner = window.relative_to(seen.scaled(STRIDE))
            from_planes(x[:, *inner.slices], samples[window.relative_to(region).slices])
            if progress:
                progress(done, len(windows))
        if reader.lost and not reader.whole:
            raise FormatError("nothing can be saved: no tile of the picture is whole")
        return samples


def tile_count(samples: Samples) -> int:
    """Number of tiles of a picture ``(H, W, ...)``."""
    height, width = samples.shape[:2]
    return int(-(-height // TILE) * -(-width // TILE))


def tuned(tune: str, threads: int) -> Talbot:
    """The codec with the weights that were trained for a metric, one of :data:`calotype.codecs.talbot.TUNINGS`."""
    bundle = bundles.find(ENTRY.id, name=TUNINGS[tune])
    return cast(Talbot, ENTRY.open(threads, bundle.tag))


class TileReader:
    """Latents of any rectangle, from tiles that are decoded when first needed and kept for their neighbours."""

    def __init__(
        self, codec: Talbot, tiles: Sequence[bytes | None], lattice: Rectangle, stored_quality: int, salvage: bool
    ) -> None:
        self.codec, self.tiles, self.lattice, self.quality = codec, tiles, lattice, stored_quality
        self.salvage = salvage
        self.whole, self.lost = 0, 0  # tiles that did and did not decode
        self.gain = codec.gain("decoder", stored_quality)
        self.across = -(-lattice.width // (TILE // STRIDE))
        self.cache: OrderedDict[int, Floats] = OrderedDict()

    def read(self, area: Rectangle) -> Floats:
        """Latents ``(M, h, w)`` for the synthesis, with the decoder's gain."""
        result = np.zeros((len(self.gain), area.height, area.width), np.float32)
        for row, column, part in grid(area, TILE // STRIDE):
            side = TILE // STRIDE
            tile = Rectangle(column * side, row * side, (column + 1) * side, (row + 1) * side)
            tile = tile.intersection(self.lattice)
            y_hat = self.tile(row * self.across + column, tile)
            result[:, *part.relative_to(area).slices] = y_hat[:, *part.relative_to(tile).slices]
        return result

    def tile(self, index: int, place: Rectangle) -> Floats:
        """One tile's latents, from the cache if they are there."""
        if index in self.cache:
            self.cache.move_to_end(index)
            return self.cache[index]
        data = self.tiles[index]
        y_hat: Floats | None = None
        if data is not None:
            try:
                y_hat = self.codec.prior.decode(data, place.height, place.width, position(self.quality)) * self.gain
            except FormatError as error:
                sentence = f"tile {index + 1} of {len(self.tiles)}: {error}"
                if not self.salvage:
                    raise FormatError(sentence) from error
                warnings.warn(sentence, DamageWarning, stacklevel=2)
        self.whole, self.lost = self.whole + (y_hat is not None), self.lost + (y_hat is None)
        if y_hat is None:
            y_hat = np.zeros((len(self.gain), place.height, place.width), np.float32)
        self.cache[index] = y_hat
        if len(self.cache) > CACHED_TILES:
            self.cache.popitem(last=False)
        return y_hat
