# SPDX-License-Identifier: BSD-3-Clause
"""``ledig2017``: a picture scaled down, coded by ``talbot``, and scaled up by a super-resolution network.

What a file stores: for each tile of 1024 s x 1024 s pixels, s = 2 or 4, the tile of 1024 x 1024 that ``talbot`` makes
of the picture scaled down by s. Tiles correspond one to one, so that a damaged one costs itself alone, and a region
reads only those that it needs. The quality is that of ``talbot`` for the small picture.

Payload of a tile
    ======  =====  ==========================================================================
    offset  bytes
    ======  =====  ==========================================================================
    0       4      the first bytes of the SHA-256 of talbot's weights; the same in all tiles
    4       ...    payload of talbot's tile
    ======  =====  ==========================================================================

The header names the weights of the super-resolution network, which know their scale. How it comes back: the small
picture, and a halo around the region, through the network; of what comes out the picture's size is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...arrays import Progress, Samples
from ...container import Header
from ...engine.bundles import Bundle
from ...engine.tiling import Rectangle, pad_to
from ...engine.windows import PictureNetwork
from ...errors import DamageWarning, FormatError
from ...raster.resampling import BICUBIC, Filter, resize
from ..base import Codec
from ..quality import from_header
from ..talbot import ENTRY as TALBOT
from ..talbot.model import TILE
from . import Options
from .enlarger import enlarger, model_bundle

TAG_BYTES = 4


@dataclass
class Ledig2017:
    """The codec with the super-resolution network of one bundle; talbot's weights are those for PSNR, or a file's."""

    bundle: Bundle
    threads: int
    kernel: Filter = BICUBIC  # scales down; what the networks were trained to undo
    network: PictureNetwork = field(init=False)
    scale: int = field(init=False)  # by which the stored picture is smaller
    tile: int = field(init=False)  # pixels, a side
    layers: int = 0

    def __post_init__(self) -> None:
        self.network = enlarger(self.bundle, self.threads)
        self.scale = self.network.scale
        self.tile = TILE * self.scale

    def with_options(self, options: Options) -> Ledig2017:
        """This codec with the weights for a scale and a model; BundleError if they are not installed."""
        return replace(self, bundle=model_bundle(options.model, options.scale))

    def inner(self, tag: bytes | None = None) -> Codec:
        """The codec of the small picture, ``talbot``."""
        return TALBOT.open(self.threads, tag, prefer="talbot")  # small pictures should be what the large one was

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != self.tile:
            raise FormatError(
                f"the header names tiles of {header.tile} pixels; {header.codec} at scale {self.scale} has tiles of "
                f"{self.tile}"
            )
        from_header(header.quality)

    def scaled_down(self, samples: Samples) -> Samples:
        """The picture to store, ``ceil(H / scale)`` by ``ceil(W / scale)``; borders are continued by replication."""
        height, width = samples.shape[:2]
        rows, columns = -(-height // self.scale), -(-width // self.scale)
        whole = pad_to(np.moveaxis(samples, 2, 0), rows * self.scale, columns * self.scale)
        return resize(np.moveaxis(whole, 0, 2), rows, columns, self.kernel)

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """Tile payloads in raster order."""
        inner = self.inner()
        return [inner.bundle.tag + tile for tile in inner.encode(self.scaled_down(samples), stored_quality, progress)]

    def latents(self, samples: Samples) -> object:
        """Those of the small picture, for coding at several qualities."""
        return self.inner().latents(self.scaled_down(samples))

    def encode_latents(self, latents: object, stored_quality: int) -> list[bytes]:
        """Like :meth:`encode`, from latents at hand."""
        inner = self.inner()
        return [inner.bundle.tag + tile for tile in inner.encode_latents(latents, stored_quality)]

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Samples:  # fmt: skip
        """Samples of a picture or of a region of it; only the tiles that it needs are decoded.

        Args:
            tiles: payloads in raster order; None for a tile that is lost.
            shape: height, width, channels of the whole picture.
            depth: 8 or 16 bits.
            stored_quality: of the header.
            region: in pixels, within the picture.
            progress: called with windows done and windows in total.
            salvage: take a tile that does not decode for lost, with a DamageWarning, instead of raising FormatError.
        """
        height, width, channels = shape
        region = region or Rectangle(0, 0, width, height)
        small = Rectangle(0, 0, width, height).scaled(divide=self.scale)
        wanted = region.scaled(divide=self.scale)
        # The network's windows begin at multiples of its stride, in the picture as in a region of it.
        stride = self.network.stride
        seen = wanted.scaled(divide=stride).scaled(stride).grown(self.network.halo, small).intersection(small)
        tag, payloads = _split(tiles, salvage)
        samples: Samples = self.inner(tag).decode(
            payloads, (small.height, small.width, channels), depth, stored_quality, seen, salvage=salvage
        )
        large = self.network(samples, region=wanted.relative_to(seen), progress=progress)
        inside = region.relative_to(wanted.scaled(self.scale))
        return large[inside.slices].copy()


def _split(tiles: Sequence[bytes | None], salvage: bool) -> tuple[bytes, list[bytes | None]]:
    """The tag of talbot's weights and the payloads for it. A tile that has none, or another, is damaged."""
    tag: bytes | None = None
    payloads: list[bytes | None] = []
    for index, tile in enumerate(tiles, 1):
        problem = None
        if tile is not None and len(tile) < TAG_BYTES:
            problem = f"it has {len(tile)} bytes, too few to name the weights"
        elif tile is not None and tag not in (None, tile[:TAG_BYTES]):
            problem = f"it names other weights ({tile[:TAG_BYTES].hex()}) than the tiles before it ({tag.hex()})"
        if problem is not None:
            sentence = f"tile {index} of {len(tiles)}: {problem}"
            if not salvage:
                raise FormatError(sentence)
            warnings.warn(sentence, DamageWarning, stacklevel=3)
            tile = None
        if tile is not None:
            tag = tile[:TAG_BYTES]
        payloads.append(None if tile is None else tile[TAG_BYTES:])
    if tag is None:
        raise FormatError("nothing can be saved: no tile of the picture is whole")
    return tag, payloads
