# SPDX-License-Identifier: BSD-3-Clause
"""``toy``: each tile of 64 x 64 pixels is its samples divided by a step, in zlib's format.

A byte says the order of samples, the rest is one stream. Its weights are a dictionary for zlib.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from calotype.codecs.quality import QUALITY_MAX, QUALITY_STEPS, from_header
from calotype.container import Header
from calotype.engine.bundles import Bundle
from calotype.engine.tiling import Rectangle, grid
from calotype.errors import DamageWarning, FormatError

from . import Options

TILE = 64
ORDERS = ("planes", "pixels")


def step(stored_quality: int, depth: int) -> int:
    """By which samples are divided: 1 at quality 100, 50 (of 8 bits) at 1."""
    lost = 1 + round((QUALITY_MAX - stored_quality / QUALITY_STEPS) / 2)
    return lost if depth == 8 else lost * 257


@dataclass
class Toy:
    """The codec with its dictionary."""

    bundle: Bundle
    threads: int
    options: Options = field(default_factory=Options)
    tile: int = TILE
    layers: int = 0

    def with_options(self, options: Options) -> Toy:
        return replace(self, options=options)

    def check(self, header: Header) -> None:
        if header.tile != TILE:
            raise FormatError(f"the header names tiles of {header.tile} pixels; toy has tiles of {TILE}")
        from_header(header.quality)

    @property
    def dictionary(self) -> bytes:
        return (self.bundle.path / "dictionary.txt").read_bytes()

    def latents(self, samples: Any) -> Any:
        return samples

    def encode_latents(self, latents: Any, stored_quality: int) -> list[bytes]:
        return self.encode(latents, stored_quality)

    def encode(
        self, samples: Any, stored_quality: int, progress: Callable[[int, int], None] | None = None
    ) -> list[bytes]:
        size = step(stored_quality, 8 * samples.itemsize)
        places = [place for _, _, place in grid(Rectangle(0, 0, samples.shape[1], samples.shape[0]), TILE)]
        payloads = []
        for place in places:
            coarse = samples[place.slices] // size
            coarse = np.moveaxis(coarse, 2, 0) if self.options.order == "planes" else coarse
            stream = zlib.compressobj(self.options.level, zdict=self.dictionary)
            data = stream.compress(np.ascontiguousarray(coarse).tobytes()) + stream.flush()
            payloads.append(bytes([ORDERS.index(self.options.order)]) + data)
            if progress:
                progress(len(payloads), len(places))
        return payloads

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Callable[[int, int], None] | None = None, salvage: bool = False,
    ) -> Any:  # fmt: skip
        height, width, channels = shape
        region = region or Rectangle(0, 0, width, height)
        type_ = np.dtype(np.uint8 if depth == 8 else np.uint16)
        result = np.full((region.height, region.width, channels), np.iinfo(type_).max // 2, type_)
        size, found = step(stored_quality, depth), 0
        wanted = [
            (data, place, shared)
            for data, (_, _, place) in zip(tiles, grid(Rectangle(0, 0, width, height), TILE), strict=True)
            if (shared := place.intersection(region)).width > 0 and shared.height > 0
        ]
        for done, (data, place, shared) in enumerate(wanted, 1):
            try:
                coarse = self._coarse(data, (place.height, place.width, channels), type_)
            except FormatError as error:
                if not salvage:
                    raise
                if data is not None:
                    warnings.warn(str(error), DamageWarning, stacklevel=2)
                continue
            found += 1
            samples = np.minimum(coarse.astype(np.int64) * size + size // 2, np.iinfo(type_).max)
            result[shared.relative_to(region).slices] = samples[shared.relative_to(place).slices]
            if progress:
                progress(done, len(wanted))
        if not found:
            raise FormatError("nothing can be saved: no tile of the picture is whole")
        return result

    def _coarse(self, data: bytes | None, shape: tuple[int, int, int], type_: np.dtype[Any]) -> Any:
        length = int(np.prod(shape)) * type_.itemsize
        try:
            stream = zlib.decompressobj(zdict=self.dictionary)
            plain = stream.decompress((data or b"")[1:], length)  # never more than the tile takes
        except zlib.error as error:
            raise FormatError(f"a tile is damaged: {error}") from error
        if len(plain) != length or not stream.eof or not data or data[0] >= len(ORDERS):
            raise FormatError("a tile is damaged: it does not hold what the header says")
        samples = np.frombuffer(plain, type_)
        if ORDERS[data[0]] == "pixels":
            return samples.reshape(shape)
        return np.moveaxis(samples.reshape(shape[2], shape[0], shape[1]), 0, 2)
