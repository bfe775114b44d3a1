# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``tao2017``: a standard file inside, networks around it.

    scale 2    picture -> com -> half the size -> JPEG, JPEG 2000, WebP or AVIF -> rec2 -> picture
    scale 1    picture -----------------------> JPEG, JPEG 2000, WebP or AVIF -> rec1 -> picture

F. Jiang, W. Tao et al., "An end-to-end compression framework based on convolutional neural networks", 2017
(arXiv 1708.00838). The payload of the only tile *is* the standard file, byte for byte. Its format shows in its first
bytes, the scale in its size: that of the picture (1), or half of either side, rounded up (2). A picture of one pixel
has scale 1.

``rec1`` and ``rec2`` are told how hard the file was compressed, see :mod:`calotype.codecs.tao2017.strength`. They and
``com`` run in windows, so that memory is bounded; pictures from the standard file and to it pass through memory
whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...arrays import Progress, Samples
from ...container import Header
from ...engine.bundles import Bundle
from ...engine.tiling import Rectangle
from ...engine.windows import PictureNetwork
from ...errors import FormatError, PictureError
from ...raster.bands import lying, to_8
from ..quality import from_header
from . import Options
from .restore import WINDOW, reach, restored
from .standard import BASES, StandardFile, write

TILE = 32768  # pixels: the longest side of a picture, for it has one tile
UNKNOWN = 0  # stored quality of a file that somebody else encoded


@dataclass
class Tao2017:
    """The codec with the weights of one bundle, and how it encodes."""

    bundle: Bundle
    threads: int
    base: str = Options.base
    scale: int = Options.scale
    tile: int = TILE
    layers: int = 0

    def with_options(self, options: Options) -> Tao2017:
        """This codec with another format inside, or another scale."""
        return replace(self, base=options.base, scale=options.scale)

    def check(self, header: Header) -> None:
        """FormatError if a header says what this codec never writes."""
        if header.tile != TILE or header.tile_count != 1:
            raise FormatError(
                f"the header names {header.tile_count} tiles of {header.tile} pixels; {header.codec} has one of {TILE}"
            )
        if header.quality != UNKNOWN:
            from_header(header.quality)

    def encode(self, samples: Samples, stored_quality: int, progress: Progress | None = None) -> list[bytes]:
        """The standard file of a picture ``(H, W, 1 or 3)``, as a list of one."""
        return self.encode_latents(self._reduced(samples, progress), stored_quality)

    def latents(self, samples: Samples) -> Samples:
        """Input of the standard codec: the picture or half of it, 8 bits."""
        return self._reduced(samples, None)

    def encode_latents(self, latents: Samples, stored_quality: int) -> list[bytes]:
        """:meth:`encode` from there."""
        return [write(BASES[self.base], latents, from_header(stored_quality))]

    def _reduced(self, samples: Samples, progress: Progress | None) -> Samples:
        height, width = samples.shape[:2]
        if max(height, width) > TILE:
            raise PictureError(
                f"codec '{self.bundle.codec}' stores at most {TILE} pixels a side, not {width} x {height}: "
                "choose another codec"
            )
        if self.scale == 1 or (height, width) == (1, 1):
            eight: Samples = to_8(samples)
            return eight
        return self._compact(samples, progress)

    def _compact(self, samples: Samples, progress: Progress | None) -> Samples:
        """Half of either side, rounded up, ``(ceil(H / 2), ceil(W / 2), C)``, 8 bits: the network ``com``."""
        stride, halo = reach(self.bundle, "com")
        stride, halo = max(stride, 2), halo + halo % 2  # windows begin at even pixels
        window = WINDOW // stride * stride
        return PictureNetwork(self.bundle.path / "com.onnx", 1, stride, halo, window, self.threads, shrink=2)(
            samples, depth=8, progress=progress
        )

    def decode(
        self, tiles: Sequence[bytes | None], shape: tuple[int, int, int], depth: int, stored_quality: int,
        region: Rectangle | None = None, progress: Progress | None = None, salvage: bool = False,
    ) -> Samples:  # fmt: skip
        """Samples of a picture or of a region of it.

        The standard file is decoded whole, the network runs where it is needed. There is one tile: if it is lost, all
        is, with or without ``salvage``.
        """
        payload = tiles[0]
        if payload is None:
            raise FormatError("nothing can be saved: the picture is one file inside, and that is damaged")
        file = StandardFile(payload)
        height, width, channels = shape
        turned = file.orientation >= 5
        # As the file stores it: a wrapped one may lie on its side.
        whole = Rectangle(0, 0, height, width) if turned else Rectangle(0, 0, width, height)
        scale = _scale(file, whole)
        samples = file.samples(channels, depth)
        wanted = _as_stored(region or Rectangle(0, 0, width, height), (height, width), file.orientation)
        place = wanted.scaled(divide=scale)
        result = restored(self.bundle, scale, self.threads, samples, file.tables, place, progress)
        result = result[wanted.relative_to(place.scaled(scale)).slices]
        if file.orientation == 1:
            return result
        rows, columns = result.shape[1::-1] if turned else result.shape[:2]
        upright: Samples = np.empty((rows, columns, channels), result.dtype)
        lying(upright, file.orientation)[...] = result
        return upright


def _scale(file: StandardFile, whole: Rectangle) -> int:
    """1 or 2, by the size of the standard file in a picture of that size; FormatError if it fits neither."""
    for scale in (1, 2):
        half = whole.scaled(divide=scale)
        if (file.width, file.height) == (half.width, half.height):
            return scale
    raise FormatError(
        f"the {file.base.title} inside has {file.width} x {file.height} pixels, which is neither all nor half of "
        f"{whole.width} x {whole.height}"
    )


def _as_stored(region: Rectangle, shape: tuple[int, int], orientation: int) -> Rectangle:
    """A region of an upright picture ``(H, W)``, in the rows and columns of a file of this EXIF orientation."""
    height, width = shape
    left, top, right, bottom = region.left, region.top, region.right, region.bottom
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return Rectangle(top, left, bottom, right) if orientation >= 5 else Rectangle(left, top, right, bottom)
