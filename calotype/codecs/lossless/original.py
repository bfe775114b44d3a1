# SPDX-License-Identifier: BSD-3-Clause
"""A JPEG that stays one: kept as JPEG XL, which gives back the same bytes, or as it is."""

from __future__ import annotations

import numpy as np

from ...arrays import Samples
from ...errors import DependencyError, FormatError
from ...raster.bands import lying
from ...raster.stills import jxl
from ..tao2017.standard import StandardFile

JPEG = b"\xff\xd8\xff"


def is_original(payload: bytes) -> bool:
    """Whether the payload of a tile is a JPEG, recompressed or not."""
    return payload.startswith(JPEG) or jxl.keeps_jpeg(payload)


def kept(jpeg: bytes) -> bytes:
    """The payload of a JPEG: the smaller of the two, and the JPEG itself where imagecodecs is not installed."""
    try:
        small = jxl.from_jpeg(jpeg)
    except DependencyError:
        return jpeg
    return jpeg if small is None or len(small) >= len(jpeg) else small


def jpeg_of(payload: bytes, width: int, height: int) -> bytes:
    """The JPEG in a payload.

    Args:
        payload: for which :func:`is_original` is true.
        width, height: of the upright picture; the JPEG may lie on its side.

    Raises:
        FormatError: it is damaged, or of another size; that is found before it is decoded.
        DependencyError: imagecodecs is needed, and not installed.
    """
    if payload.startswith(JPEG):
        return payload
    return jxl.to_jpeg(payload, width, height)


def read(payload: bytes, shape: tuple[int, int, int], depth: int) -> Samples:
    """Samples ``(H, W, channels)``, upright. Raises as :func:`jpeg_of`."""
    height, width, channels = shape
    file = StandardFile(jpeg_of(payload, width, height))
    turned = file.orientation >= 5
    if (file.width, file.height) != ((height, width) if turned else (width, height)) or depth != 8:
        raise FormatError(
            f"the JPEG inside has {file.width} x {file.height} pixels of 8 bits, the picture {width} x {height} of "
            f"{depth}"
        )
    samples = file.samples(channels, 8)
    if file.orientation == 1:
        return samples
    upright: Samples = np.empty(shape, np.uint8)
    lying(upright, file.orientation)[...] = samples
    return upright
