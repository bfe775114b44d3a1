# SPDX-License-Identifier: BSD-3-Clause
"""``talbot``: the flagship codec, at one quality out of a continuum, on pictures of any size.

What a file stores: for each tile (1024 x 1024 pixels, 64 x 64 latents) the latents' symbols, see
:mod:`calotype.codecs.talbot.prior`, or a still (:mod:`calotype.codecs.talbot.tiles`). How it comes back: latents of a
region and its halo through the synthesis, strip by strip, while the tiles below are decoded. Windows of a strip and
tiles are shared among threads.
"""

from __future__ import annotations

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
from ...engine.presence import Mask
from ...engine.tiling import Rectangle, grid, pad_to
from ...engine.workers import Workers
from ...errors import BundleError, FormatError
from ..quality import from_header, position
from . import ANY_TILES, ENTRY, FIRST_REFINEMENT, STILLS, TUNINGS, Options
from .choice import FIRST_EVERYWHERE, Choice, Known
from .distortion import Distortion
from .effort import FIRST_SEARCH, Search, check_needs
from .model import SIDE, STRIDE, TILE, Model
from .plan import Plan
from .prior import Coded
from .reader import TileReader
from .tiles import Payload, is_network

HALO = 9  # latents: the receptive field of analysis and synthesis (three 5x5 layers at 1/16, three at 1/8)
TRIALS = 4  # tiles that are tried at the same time, at most: each takes 0.1 GB
BAND = 16384  # pixels of a picture's width that go through a transform at once, in at most 500 MB


@dataclass(frozen=True)
class Latents:
    """A picture after the analysis, before any quality is chosen: tiles in raster order."""

    tiles: list[Floats]  # (M, h, w)
    samples: Samples  # of the picture: what high efforts compare with
    known: dict[int, Known]  # of tiles that were tried as stills


@dataclass
class Talbot(Model):
    """The codec with the weights of one bundle."""

    tile: int = TILE
    layers: int = 0
    effort: int = Options.effort
    stills: bool = False  # tiles may be stills where that is better

    def with_options(self, options: Options) -> Talbot:
        """This codec with another effort (:mod:`calotype.codecs.talbot.effort`), or with the weights of a tuning.

        Raises:
            DependencyError: an effort that needs PyTorch, which is not installed.
            BundleError: the weights of the tuning are not installed.
        """
        check_needs(options.effort)
        other = copy(self if options.tune is None else tuned(options.tune, self.threads))  # shares the weights
        other.effort, other.stills = options.effort, options.tiles == ANY_TILES
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

    def file_id(self, payloads: Sequence[bytes]) -> str:
        """The codec id of a file with these tiles: one of its own, if there are stills among them."""
        return self.bundle.codec if all(is_network(data) or not data for data in payloads) else STILLS

    def analyse(self, samples: Samples, workers: Workers, mask: Mask | None = None) -> Iterator[tuple[int, Floats]]:
        """Index in raster order and latents ``(M, h, w)`` of each tile; a view that keeps those of its row in memory.

        Args:
            samples: ``(H, W, 1 or 3)``.
            workers: that windows are shared among.
            mask: of the latents that are the network's; the others mean nothing.
        """
        height, width = samples.shape[:2]
        lattice = Rectangle(0, 0, width, height).scaled(divide=STRIDE)
        if mask is not None and not mask.any():
            return
        across = -(-width // TILE)
        for left in range(0, lattice.width, BAND // STRIDE):
            band = Rectangle(left, 0, min(left + BAND // STRIDE, lattice.width), lattice.height)
            seen = band.grown(HALO, lattice)
            g_a = self.analysis(seen.width)
            rows = _LatentRows(len(self.prior.steps[0]), band, seen)
            area = seen.scaled(STRIDE)
            source, seen_mask = _pixels(samples, area.left), None if mask is None else mask[seen.slices]
            steps = g_a.run(area.height, area.width, source, rows.write, workers, mask=seen_mask)
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
        return self.encode_planned(samples, stored_quality, self.plan(samples, stored_quality), progress)

    def plan(self, samples: Samples, stored_quality: int, known: dict[int, Known] | None = None) -> Plan:
        """Which tiles are stills, if there may be any; see :class:`Choice`."""
        if not self.stills:
            return Plan()

        def trial(tile: Samples, planned: Payload | None) -> tuple[bytes, Samples]:
            (data,) = cheap.encode_planned(tile, stored_quality, Plan({} if planned is None else {0: planned}))
            depth = 8 * tile.dtype.itemsize
            return data, cheap.decode([data], tile.shape, depth, stored_quality)

        cheap = copy(self)
        cheap.effort = min(self.effort, FIRST_SEARCH - 1)
        together = min(self.threads, tile_count(samples), TRIALS)
        cheap.threads = self.threads // together
        try:
            distortion = Distortion.of(self.bundle, position(stored_quality))
        except BundleError:  # only what is lossless and smaller can be told better
            distortion = None
        everywhere = self.effort >= FIRST_EVERYWHERE
        with Workers(together) as workers:
            return Choice(stored_quality, everywhere, distortion, trial, known).plan(samples, workers)

    def encode_planned(
        self, samples: Samples, stored_quality: int, plan: Plan, progress: Progress | None = None
    ) -> list[bytes]:
        """:meth:`encode`, with the stills of a plan."""
        lattice = Rectangle(0, 0, samples.shape[1], samples.shape[0]).scaled(divide=STRIDE)
        with self.workers() as workers:
            tiles = self.analyse(samples, workers, plan.mask(lattice))
            return self.code(tiles, samples, stored_quality, workers, progress, plan)

    def predicted_bits(self, samples: Samples, stored_quality: int) -> float:
        """Size of the tiles of :meth:`encode` by the probability tables, in bits; for benchmarks."""
        with self.workers() as workers:
            tiles = self.analyse(samples, workers)
            return sum(coded.bits for _, coded in self.coded(tiles, samples, stored_quality, workers, Plan()))

    def latents(self, samples: Samples) -> Latents:
        """All latents at once, for coding at several qualities."""
        with self.workers() as workers:
            tiles = {index: y.copy() for index, y in self.analyse(samples, workers)}
        return Latents([tiles[i] for i in range(len(tiles))], samples, {})

    def encode_latents(self, latents: Latents, stored_quality: int) -> list[bytes]:
        """Like :meth:`encode`, from latents at hand."""
        plan = self.plan(latents.samples, stored_quality, latents.known)
        if plan.tiles:  # borders of stills change the latents beside them
            return self.encode_planned(latents.samples, stored_quality, plan)
        with self.workers() as workers:
            return self.code(enumerate(latents.tiles), latents.samples, stored_quality, workers)

    def code(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int, workers: Workers,
        progress: Progress | None = None, plan: Plan | None = None,
    ) -> list[bytes]:  # fmt: skip
        """Entropy-code the tiles of a picture, which come in any order; stills are those of the plan."""
        plan = plan or Plan()
        total = tile_count(samples)
        payloads = {index: plan.finished(index, None) for index in range(total) if plan.is_still(index)}
        for index, coded in self.coded(tiles, samples, stored_quality, workers, plan):
            payloads[index] = plan.finished(index, coded.data)
            if progress:
                progress(len(payloads), total)
        if progress and all(plan.is_still(index) for index in range(total)):
            progress(total, total)
        return [payloads[index] for index in range(total)]

    def coded(
        self, tiles: Iterable[tuple[int, Floats]], samples: Samples, stored_quality: int, workers: Workers, plan: Plan
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
            if plan.is_still(index):
                continue
            kept = plan.kept(index, places[index].scaled(divide=STRIDE))
            scaled = y * (gain if kept is None else gain * kept)
            waiting.append((index, workers.submit(search, scaled, samples[places[index].slices], kept)))
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
        seen_height = region.scaled(divide=STRIDE).grown(HALO, lattice).height * STRIDE
        total = -(-seen_height // TILE) * len(bands)
        with self.workers() as workers:
            reader = TileReader(self, tiles, picture, stored_quality, salvage, workers)
            for number, band in enumerate(bands):
                seen = band.scaled(divide=STRIDE).grown(HALO, lattice)
                area = seen.scaled(STRIDE)
                mask = reader.mask(seen)
                if mask is not None and not mask[band.scaled(divide=STRIDE).relative_to(seen).slices].any():
                    continue

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
                for rows in g_s.run(seen.height, seen.width, source, store, workers, before, kind, mask):
                    if progress:
                        progress(min(number * (total // len(bands)) + rows // TILE, total - 1), total)
            reader.place_stills(samples, region, depth)
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
