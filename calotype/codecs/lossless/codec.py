# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``lossless``: each tile is a lossless still, an ordinary file of its own; or one tile is a JPEG, kept.

    samples -> tiles of 4096 x 4096 -> WebP, PNG or JPEG XL
    JPEG    -> one tile             -> JPEG XL that gives back the same bytes, or the JPEG itself

Tiles are large because a page of text repeats itself over long distances: tiles of 2048 make it 9 % larger. At most
two are worked on at once, which bounds the memory.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np

from ...arrays import Progress, Samples
from ...container import Header
from ...engine.tiling import Rectangle, grid
from ...engine.workers import Workers
from ...errors import DamageWarning, FormatError
from ...raster.stills import lossless as stills
from ...raster.stills.reading import Size
from ..base import NoWeights
from . import Options, original

TILE = 4096  # pixels
WHOLE = 32768  # side of the only tile of a JPEG
QUALITY = 0  # as stored: it has none
AT_ONCE = 2  # tiles

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Lossless:
    """The codec, and the format that it encodes tiles in."""

    bundle: NoWeights
    threads: int
    still: str | None = None

    @property
    def tile(self) -> int:
        """Side of a tile of samples, in pixels."""
        return TILE

    @property
    def layers(self) -> int:
        """Its files have none."""
        return 0

    def with_options(self, options: Options) -> Lossless:
        """This codec with another format of tiles."""
        if options.still:
            stills.FORMATS[options.still].needs()
        return replace(self, still=options.still)

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE and (header.tile, header.tile_count) != (WHOLE, 1):
            raise FormatError(
                f"the header names {header.tile_count} tiles of {header.tile} pixels; {header.codec} has tiles of "
                f"{TILE}, or one of {WHOLE}"
            )
        if header.bundle != self.bundle.tag or header.quality != QUALITY:
            raise FormatError(f"the header names weights or a quality, and {header.codec} has neither")

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads of a picture ``(H, W, 1 or 3)`` in raster order."""
        still = stills.chosen(self.still, 8 * samples.dtype.itemsize)
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        places = [place for _, _, place in grid(picture, TILE)]

        def written(place: Rectangle) -> bytes:
            return still.write(cast(Samples, np.ascontiguousarray(samples[place.slices])))

        found = self._each(written, places)
        return list(_counted(found, len(places), progress))

    def latents(self, samples: Samples) -> Samples:
        """The samples: nothing depends on a quality."""
        return samples

    def encode_latents(self, latents: Samples, stored_quality: int) -> list[bytes]:
        """:meth:`encode`."""
        return self.encode(latents, stored_quality)

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Samples:  # fmt: skip
        """Samples of a picture or of a region of it; only the tiles that it needs are read, of a JPEG all.

        Args:
            tiles: payloads in raster order; None for a tile that is lost (it comes back grey).
            shape: height, width, channels of the whole picture.
            depth: 8 or 16 bits.
            stored_quality: of the header.
            region: in pixels, within the picture.
            progress: called with tiles done and tiles in total.
            salvage: take a tile that does not decode for lost, with a DamageWarning, instead of raising FormatError;
                it is one all the same if no tile decodes.
        """
        height, width, channels = shape
        picture = Rectangle(0, 0, width, height)
        region = region or picture
        if len(tiles) == 1 and tiles[0] is not None and original.is_original(tiles[0]):
            kept = original.read(tiles[0], shape, depth)[region.slices]
            return np.require(kept, requirements=["C", "W"])  # Pillow's array is read-only
        across = -(-width // TILE)
        if len(tiles) != across * -(-height // TILE):
            raise FormatError("the file inside is not a JPEG, and too large for another")
        space = (region.height, region.width, channels)
        samples: Samples = np.full(space, 128, np.uint8) if depth == 8 else np.full(space, 32768, np.uint16)

        def place(cell: tuple[int, int, Rectangle]) -> FormatError | None:
            row, column, part = cell
            tile = Rectangle(column * TILE, row * TILE, (column + 1) * TILE, (row + 1) * TILE).intersection(picture)
            index = row * across + column
            try:
                payload = tiles[index]
                if payload is None:
                    return FormatError("")  # the container has said so
                found = stills.read(payload, Size(tile.width, tile.height, channels, depth))
            except FormatError as error:
                sentence = FormatError(f"tile {index + 1} of {len(tiles)}: {error}")
                if not salvage:
                    raise sentence from error
                return sentence
            samples[part.relative_to(region).slices] = found[part.relative_to(tile).slices]
            return None

        cells = list(grid(region, TILE))
        lost = [error for error in _counted(self._each(place, cells), len(cells), progress) if error]
        for error in filter(str, lost):
            warnings.warn(str(error), DamageWarning, stacklevel=2)
        if len(lost) == len(cells):
            raise FormatError("nothing can be saved: no tile of the picture is whole")
        return samples

    def _each(self, work: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
        """The results of ``work``, in order, a few of them under way at once."""
        with Workers(min(self.threads, AT_ONCE)) as workers:
            waiting: deque[Future[Out]] = deque()
            for item in items:
                waiting.append(workers.submit(work, item))
                while waiting and (workers.count == 1 or waiting[0].done()):
                    yield waiting.popleft().result()
            for future in waiting:
                yield future.result()


def _counted(results: Iterable[Out], total: int, progress: Progress | None) -> Iterator[Out]:
    """The results as they come, each reported."""
    for done, result in enumerate(results, 1):
        if progress:
            progress(done, total)
        yield result
