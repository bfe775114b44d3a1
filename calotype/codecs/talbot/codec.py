# SPDX-License-Identifier: BSD-3-Clause
"""``talbot``: the flagship codec, at one quality out of a continuum, on pictures of any size.

What a file stores: for each tile (1024 x 1024 pixels, 64 x 64 latents) the latents' symbols, see
:mod:`calotype.codecs.talbot.prior`. How it comes back: latents of a region and its halo through the synthesis, strip by
strip, while the tiles below are decoded. Windows of a strip and tiles are shared among threads.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from copy import copy
from dataclasses import dataclass
from typing import cast

import numpy as np

from ...arrays import Array, Floats, Progress, Samples, from_planes, to_planes
from ...container import Header
from ...engine import bundles
from ...engine.bfloat16 import check_openvino
from ...engine.tiles import Tiles
from ...engine.tiling import Rectangle, grid, pad_to
from ...engine.workers import Workers
from ...errors import DamageWarning, FormatError
from ..quality import from_header, position
from . import ENTRY, FIRST_REFINEMENT, TUNINGS, Options
from .effort import Search, check_needs
from .model import STRIDE, Model
from .prior import Coded

HALO = 9  # latents: the receptive field of analysis and synthesis (three 5x5 layers at 1/16, three at 1/8)
TILE = 1024  # pixels
SIDE = TILE // STRIDE  # of a tile, in latents
BAND = 16384  # pixels of a picture's width that go through a transform at once, in at most 500 MB
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

    def with_engine(self, engine: str) -> Talbot:
        """This codec with a synthesis in bfloat16, the one engine that there is besides the usual one.

        Raises:
            DependencyError: OpenVINO is not installed, or the processor does not compute in bfloat16.
        """
        check_openvino()
        other = copy(self)  # shares the weights
        other.bfloat16 = True
        return other

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE:
            raise FormatError(f"the header names tiles of {header.tile} pixels; {header.codec} has tiles of {TILE}")
        from_header(header.quality)

    def analyse(self, samples: Samples, workers: Workers) -> Iterator[tuple[int, Floats]]:
        """Index in raster order and latents ``(M, h, w)`` of each tile; a view that keeps those of its row in memory.

        Args:
            samples: ``(H, W, 1 or 3)``.
            workers: that windows are shared among.
        """
        height, width = samples.shape[:2]
        lattice = Rectangle(0, 0, width, height).scaled(divide=STRIDE)
        across = -(-width // TILE)
        for left in range(0, lattice.width, BAND // STRIDE):
            band = Rectangle(left, 0, min(left + BAND // STRIDE, lattice.width), lattice.height)
            seen = band.grown(HALO, lattice)
            g_a = self.analysis(seen.width)
            rows = _LatentRows(len(self.prior.steps[0]), band, seen)
            area = seen.scaled(STRIDE)
            steps = g_a.run(area.height, area.width, _pixels(samples, area.left), rows.write, workers)
            done = 0
            for count in steps:
                while done < band.height and count >= min(done + SIDE, band.height):
                    latents = rows.take(done)
                    for column in range(band.left // SIDE, -(-band.right // SIDE)):
                        x = column * SIDE - band.left
                        yield done // SIDE * across + column, latents[:, :, x : x + SIDE]
                    done += SIDE

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads of a picture in raster order."""
        with self.workers() as workers:
            return self.code(self.analyse(samples, workers), samples, stored_quality, workers, progress)

    def predicted_bits(self, samples: Samples, stored_quality: int) -> float:
        """Size of the tiles of :meth:`encode` by the probability tables, in bits; for benchmarks."""
        with self.workers() as workers:
            tiles = self.analyse(samples, workers)
            return sum(coded.bits for _, coded in self.coded(tiles, samples, stored_quality, workers))

    def latents(self, samples: Samples) -> Latents:
        """All latents at once, for coding at several qualities."""
        with self.workers() as workers:
            tiles = {index: y.copy() for index, y in self.analyse(samples, workers)}
        return Latents([tiles[i] for i in range(len(tiles))], samples)

    def encode_latents(self, latents: Latents, stored_quality: int) -> list[bytes]:
        """Like :meth:`encode`, from latents at hand."""
        with self.workers() as workers:
            return self.code(enumerate(latents.tiles), latents.samples, stored_quality, workers)

    def code(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int, workers: Workers,
        progress: Progress | None = None,
    ) -> list[bytes]:  # fmt: skip
        """Entropy-code the tiles of a picture, which come in any order."""
        payloads: dict[int, bytes] = {}
        for index, coded in self.coded(tiles, samples, stored_quality, workers):
            payloads[index] = coded.data
            if progress:
                progress(len(payloads), tile_count(samples))
        return [payloads[index] for index in range(len(payloads))]

    def coded(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int, workers: Workers
    ) -> Iterator[tuple[int, Coded]]:
        """Index and code of each tile, as they come; a few more than there are workers wait for their turn."""
        gain = self.gain("encoder", stored_quality)
        search = Search(self, self.effort, stored_quality)
        if self.effort >= FIRST_REFINEMENT:  # PyTorch has threads of its own
            workers = Workers(1)
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        places = [place for _, _, place in grid(picture, TILE)]
        waiting: deque[tuple[int, Future[Coded]]] = deque()
        for index, y in tiles:
            waiting.append((index, workers.submit(search, y * gain, samples[places[index].slices])))
            while waiting and (waiting[0][1].done() or len(waiting) > 3 * workers.count):
                first, coded = waiting.popleft()
                yield first, coded.result()
        for index, coded in waiting:
            yield index, coded.result()

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
            progress: called with rows of tiles done and in total.
            salvage: take a tile that does not decode for lost, with a DamageWarning, instead of raising FormatError;
                it is one all the same if no tile decodes.
        """
        height, width, channels = shape
        picture = Rectangle(0, 0, width, height)
        region = region or picture
        space = (region.height, region.width, channels)
        samples: Samples = np.empty(space, np.uint8) if depth == 8 else np.empty(space, np.uint16)
        bands = [
            Rectangle(left, region.top, min(left + BAND, region.right), region.bottom)
            for left in range(region.left, region.right, BAND)
        ]
        lattice = picture.scaled(divide=STRIDE)
        with self.workers() as workers:
            reader = TileReader(self, tiles, lattice, stored_quality, salvage, workers)
            for number, band in enumerate(bands):
                seen = band.scaled(divide=STRIDE).grown(HALO, lattice)
                area = seen.scaled(STRIDE)

                def store(place: Rectangle, values: Array, band: Rectangle = band, area: Rectangle = area) -> None:
                    there = Rectangle(
                        place.left + area.left, place.top + area.top, place.right + area.left, place.bottom + area.top
                    )
                    kept = there.intersection(band)
                    if kept.width > 0 and kept.height > 0:
                        target = samples[kept.relative_to(region).slices]
                        inner = kept.relative_to(there).slices
                        if channels == 1:  # the mean of the planes
                            from_planes(values[:, *inner], target)
                        else:
                            target[...] = values[inner]

                source, before = reader.windows(seen)
                g_s = self.synthesis(seen.width)
                kind = None if channels == 1 else depth
                for rows in g_s.run(seen.height, seen.width, source, store, workers, before, kind):
                    if progress:
                        total = -(-area.height // TILE) * len(bands)
                        progress(min(number * (total // len(bands)) + rows // TILE, total - 1), total)
        if progress:
            progress(total, total)
        if reader.lost and not reader.whole:
            raise FormatError("nothing can be saved: no tile of the picture is whole")
        return samples


class _LatentRows:
    """Rows of latents that the analysis has made: those of a row of tiles, and what came after them.

    Args:
        channels: M.
        band: of the lattice, whose latents are kept.
        seen: the band and its halo, which the analysis runs on.
    """

    def __init__(self, channels: int, band: Rectangle, seen: Rectangle) -> None:
        self.channels, self.band, self.left = channels, band, seen.left
        self.rows: dict[int, Floats] = {}  # by the first row of latents of a row of tiles

    def write(self, place: Rectangle, y: Floats) -> None:
        """Keep what lies within the band. Called from workers."""
        place = Rectangle(place.left + self.left, place.top, place.right + self.left, place.bottom)
        kept = place.intersection(self.band)
        if kept.width <= 0:
            return
        top = kept.top // SIDE * SIDE  # a window's rows lie within one row of tiles
        if top not in self.rows:
            count = min(SIDE, self.band.height - top)
            self.rows.setdefault(top, np.empty((self.channels, count, self.band.width), np.float32))
        inner = kept.relative_to(place)
        target = self.rows[top]
        target[:, kept.top - top : kept.bottom - top, kept.left - self.band.left : kept.right - self.band.left] = y[
            :, *inner.slices
        ]

    def take(self, top: int) -> Floats:
        """The row of tiles that begins there, which is complete."""
        return self.rows.pop(top)


def _pixels(samples: Samples, left: int) -> Callable[[Rectangle, Floats], None]:
    """Windows of a picture from column ``left`` on, continued by replication."""

    def window(place: Rectangle, x: Floats) -> None:
        planes = to_planes(samples[place.top : place.bottom, place.left + left : place.right + left])
        x[...] = pad_to(planes, place.height, place.width)

    return window


def tile_count(samples: Samples) -> int:
    """Number of tiles of a picture ``(H, W, ...)``."""
    height, width = samples.shape[:2]
    return int(-(-height // TILE) * -(-width // TILE))


def tuned(tune: str, threads: int) -> Talbot:
    """The codec with the weights that were trained for a metric, one of :data:`calotype.codecs.talbot.TUNINGS`."""
    bundle = bundles.find(ENTRY.id, name=TUNINGS[tune])
    return cast(Talbot, ENTRY.open(threads, bundle.tag))


class TileReader:
    """Latents of any rectangle, from tiles that workers decode and that are kept for their neighbours."""

    def __init__(
        self, codec: Talbot, tiles: Sequence[bytes | None], lattice: Rectangle, stored_quality: int, salvage: bool,
        workers: Workers,
    ) -> None:  # fmt: skip
        self.codec, self.payloads, self.quality = codec, tiles, stored_quality
        self.salvage, self.workers = salvage, workers
        self.whole, self.lost = 0, 0  # tiles that did and did not decode
        self.gain = codec.gain("decoder", stored_quality)
        self.tiles = Tiles(lattice, SIDE, self._begin, CACHED_TILES)

    def windows(self, area: Rectangle) -> tuple[Callable[[Rectangle, Floats], None], Callable[[int, int], None]]:
        """Two functions: one that fills in a window of ``area``, and one that has rows of it decoded before."""
        strip = np.zeros((len(self.gain), 0, area.width), np.float32)
        first = 0

        def before(top: int, bottom: int) -> None:
            nonlocal strip, first
            rows = Rectangle(area.left, area.top + top, area.right, area.top + bottom)
            if self.workers.count > 1:  # the next row of tiles is begun meanwhile
                ahead = Rectangle(rows.left, rows.top, rows.right, min(rows.bottom + SIDE, area.bottom))
                for index, place in self.tiles.places(ahead):
                    self.tiles.tile(index, place)
            strip, first = self.read(rows), top

        def window(place: Rectangle, x: Floats) -> None:
            x[...] = strip[:, place.top - first : place.bottom - first, place.left : place.right]

        return window, before

    def read(self, area: Rectangle) -> Floats:
        """Latents ``(M, h, w)`` for the synthesis, with the decoder's gain."""
        result = np.zeros((len(self.gain), area.height, area.width), np.float32)
        for meeting in self.tiles.meeting(area):
            y_hat = meeting.tile.latents()
            if y_hat is not None:
                result[:, *meeting.in_area.slices] = y_hat[:, *meeting.in_tile.slices]
        return result

    def _begin(self, index: int, place: Rectangle) -> Decoding:
        return Decoding(self, index, place)


class Decoding:
    """A tile whose latents are on their way."""

    def __init__(self, reader: TileReader, index: int, place: Rectangle) -> None:
        self.reader, self.index = reader, index
        self.data = reader.payloads[index]
        self.future = None if self.data is None else reader.workers.submit(self._decode, self.data, place)
        self.checked = False

    def _decode(self, data: bytes, place: Rectangle) -> Floats:
        reader = self.reader
        y_hat = reader.codec.prior.decode(data, place.height, place.width, position(reader.quality))
        return y_hat * reader.gain

    def latents(self) -> Floats | None:
        """The tile ``(M, h, w)``; None if it is lost."""
        reader = self.reader
        y_hat: Floats | None = None
        try:
            y_hat = None if self.future is None else self.future.result()
        except FormatError as error:
            sentence = f"tile {self.index + 1} of {len(reader.payloads)}: {error}"
            if not reader.salvage:
                raise FormatError(sentence) from error
            if not self.checked:
                warnings.warn(sentence, DamageWarning, stacklevel=2)
        if not self.checked:
            reader.whole, reader.lost = reader.whole + (y_hat is not None), reader.lost + (y_hat is None)
            self.checked = True
        return y_hat
