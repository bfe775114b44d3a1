# SPDX-License-Identifier: BSD-3-Clause
"""The stills inside tiles: AVIF, and the lossless formats of the codec ``lossless``; and samples as they are."""

from __future__ import annotations

import numpy as np

from ...arrays import Samples
from ...errors import FormatError
from ...raster.stills import avif, lossless
from ...raster.stills.reading import Size
from .tiles import Payload


def read(payload: Payload, size: Size) -> Samples:
    """Samples ``(H, W, channels)`` of a tile's still; FormatError unless it is one of just that size."""
    if payload.raw is not None:
        return _samples(payload.raw, size)
    data = payload.still or b""
    if data[4:8] != b"ftyp":
        return lossless.read(data, size, "AVIF, WebP, PNG or JPEG XL")
    avif.check(data, size)
    avif.needs()
    samples = avif.read(data, size)
    if samples.shape != (size.height, size.width, size.channels):
        raise FormatError(f"the AVIF inside is {samples.shape}, not {size}")
    return samples


def raw(samples: Samples) -> bytes:
    """Samples as they are, row by row, those of a pixel side by side; 16 bits with the low byte first."""
    return np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()


def _samples(data: bytes, size: Size) -> Samples:
    wanted = size.height * size.width * size.channels * size.depth // 8
    if len(data) != wanted:
        raise FormatError(f"the tile has {len(data)} bytes of samples, not the {wanted} of {size}")
    shape = (size.height, size.width, size.channels)
    if size.depth == 16:
        return np.frombuffer(data, "<u2").astype(np.uint16).reshape(shape)
    return np.frombuffer(data, np.uint8).reshape(shape)
