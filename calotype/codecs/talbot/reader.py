# SPDX-License-Identifier: BSD-3-Clause
"""Tiles of a file, read: latents of any rectangle for the synthesis, and the stills that take the place of pixels."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from ...arrays import Floats, Samples
from ...engine.presence import Mask
from ...engine.tiles import Tiles
from ...engine.tiling import Rectangle
from ...engine.workers import Workers
from ...errors import DamageWarning, FormatError
from ...raster.stills.reading import Size
from ..quality import position
from . import stills
from .model import SIDE, STRIDE, Model
from .tiles import CELL, Cells, Payload, is_network, parse

CACHED_TILES = 56  # decoded tiles kept for their neighbours, 5 MB each


def latents_kept(cells: Cells, height: int, width: int) -> Mask:
    """The latents ``(h, w)`` of a tile that the network codes, by the cells that it leaves out."""
    kept: Mask = ~cells.repeat(CELL // STRIDE, 0).repeat(CELL // STRIDE, 1)[:height, :width]
    return kept


class TileReader:
    """Latents of any rectangle, from tiles that workers decode and that are kept for their neighbours; and stills."""

    def __init__(
        self, codec: Model, tiles: Sequence[bytes | None], picture: Rectangle, stored_quality: int, salvage: bool,
        workers: Workers,
    ) -> None:  # fmt: skip
        self.codec, self.payloads, self.picture, self.quality = codec, tiles, picture, stored_quality
        self.salvage, self.workers = salvage, workers
        self.whole, self.lost = 0, 0  # tiles that did and did not decode
        self.gain = codec.gain("decoder", stored_quality)
        self.tiles = Tiles(picture.scaled(divide=STRIDE), SIDE, self._begin, CACHED_TILES)
        self.parsed: dict[int, Payload | None] = {}

    def payload(self, index: int, place: Rectangle) -> Payload | None:
        """The parts of a tile, whose place is in latents; None if it is lost."""
        data = self.payloads[index]
        if data is None or is_network(data):
            return None if data is None else Payload(network=data)
        if index not in self.parsed:
            area = place.scaled(STRIDE).intersection(self.picture)
            self.parsed[index] = None
            try:
                self.parsed[index] = parse(data, area.height, area.width)
            except FormatError as error:
                self.complain(index, error)
        return self.parsed[index]

    def complain(self, index: int, error: FormatError) -> None:
        """Say that a tile is damaged: with a warning if it may be lost."""
        sentence = f"tile {index + 1} of {len(self.payloads)}: {error}"
        if not self.salvage:
            raise FormatError(sentence) from error
        warnings.warn(sentence, DamageWarning, stacklevel=2)

    def mask(self, area: Rectangle) -> Mask | None:
        """The latents ``(h, w)`` of an area that are the network's; None if all are."""
        mask = np.ones((area.height, area.width), bool)
        for index, place in self.tiles.places(area):
            payload = self.payload(index, place)
            if payload and payload.cells is not None:
                kept = latents_kept(payload.cells, place.height, place.width)
                common = area.intersection(place)
                mask[common.relative_to(area).slices] = kept[common.relative_to(place).slices]
        return None if mask.all() else mask

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

    def place_stills(self, samples: Samples, region: Rectangle, depth: int) -> None:
        """Put the stills of the tiles that meet a region of the picture into its samples ``(H, W, channels)``."""
        channels = samples.shape[2]
        waiting: deque[tuple[int, Rectangle, Payload, Future[Samples]]] = deque()

        def store() -> None:
            index, tile, payload, future = waiting.popleft()
            assert payload.cells is not None
            try:
                found: Samples = future.result()
            except FormatError as error:
                self.lost += 1
                self.complain(index, error)
                found = np.full((tile.height, tile.width, channels), 1 << (depth - 1), samples.dtype)
            else:
                self.whole += 1
            common = tile.intersection(region)
            target, inner = samples[common.relative_to(region).slices], common.relative_to(tile)
            if payload.network is None:
                target[...] = found[inner.slices]
            else:
                fine = payload.cells.repeat(CELL, 0).repeat(CELL, 1)[: tile.height, : tile.width]
                np.copyto(target, found[inner.slices], where=fine[inner.slices][..., None])

        for index, place in self.tiles.places(region.scaled(divide=STRIDE)):
            payload = self.payload(index, place)
            if payload is None or payload.cells is None:
                continue
            tile = place.scaled(STRIDE).intersection(self.picture)
            size = Size(tile.width, tile.height, channels, depth)
            waiting.append((index, tile, payload, self.workers.submit(stills.read, payload, size)))
            while waiting and (self.workers.count == 1 or len(waiting) > 2 * self.workers.count):
                store()
        while waiting:
            store()


class Decoding:
    """A tile whose latents are on their way."""

    def __init__(self, reader: TileReader, index: int, place: Rectangle) -> None:
        self.reader, self.index = reader, index
        payload = reader.payload(index, place)
        self.still = payload is not None and payload.network is None
        self.future: Future[Floats] | None = None
        if payload is not None and payload.network is not None:
            kept = None if payload.cells is None else latents_kept(payload.cells, place.height, place.width)
            self.future = reader.workers.submit(self._decode, payload.network, place, kept)
        self.checked = False

    def _decode(self, data: bytes, place: Rectangle, kept: Mask | None) -> Floats:
        reader = self.reader
        y_hat = reader.codec.prior.decode(data, place.height, place.width, position(reader.quality), kept)
        scaled: Floats = y_hat * reader.gain
        return scaled

    def latents(self) -> Floats | None:
        """The tile ``(M, h, w)``; None if it is lost, or a still."""
        reader = self.reader
        y_hat: Floats | None = None
        try:
            y_hat = None if self.future is None else self.future.result()
        except FormatError as error:
            if not reader.salvage or not self.checked:
                reader.complain(self.index, error)
        if not self.checked and not self.still:
            reader.whole, reader.lost = reader.whole + (y_hat is not None), reader.lost + (y_hat is None)
        self.checked = True
        return y_hat
