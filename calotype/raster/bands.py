# SPDX-License-Identifier: BSD-3-Clause
"""Pixels a band of rows at a time, so that no step needs memory for a second whole picture; turning on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND_PIXELS = 2**18  # pixels that are converted at once: what fits the cache is twice as fast as 2**22

Band: TypeAlias = tuple[NDArray[Any], NDArray[Any] | None]  # samples (h, w) or (h, w, c), alpha (h, w)


def blank(size: tuple[int, int], orientation: int, depth: int, channels: int, alpha: bool) -> Band:
    """Arrays for the upright samples (H, W, channels) and alpha (H, W) of an image of this Pillow size, to be filled.

    ``orientation`` is EXIF's, 1 to 8; ``depth`` is 8 or 16.
    """
    width, height = size if orientation < 5 else size[::-1]
    dtype = np.uint8 if depth == 8 else np.uint16
    return np.empty((height, width, channels), dtype), np.empty((height, width), dtype) if alpha else None


def fill(
    image: Image.Image,
    orientation: int,
    read: Callable[[Image.Image], Band],
    samples: NDArray[Any],
    alpha: NDArray[Any] | None,
) -> None:
    """Write what ``read`` makes of each band of the image into the upright arrays."""
    width, height = image.size
    lying_samples = lying(samples, orientation)
    lying_alpha = None if alpha is None else lying(alpha, orientation)
    for rows in _bands(height, width):
        # Pillow's crop of everything is a copy as well: do without it for a small picture.
        whole = rows.start == 0 and rows.stop == height
        band_samples, band_alpha = read(image if whole else image.crop((0, rows.start, width, rows.stop)))
        lying_samples[rows] = band_samples if band_samples.ndim == 3 else band_samples[..., None]
        if lying_alpha is not None and band_alpha is not None:
            lying_alpha[rows] = band_alpha


def to_8(array: NDArray[Any]) -> NDArray[Any]:
    """Samples (H, W, ...) of uint8 or uint16, rounded to uint8; the array itself if it is uint8."""
    if array.dtype == np.uint8:
        return array
    result = np.empty(array.shape, np.uint8)
    for rows in _bands(*array.shape[:2]):
        result[rows] = (array[rows].astype(np.uint32) + 128) // 257
    return result


def _bands(height: int, width: int) -> Iterator[slice]:
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def lying(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A view of upright pixels in the order in which a file of this EXIF orientation stores them."""
    if orientation in (2, 3):
        upright = upright[:, ::-1]
    if orientation in (3, 4):
        upright = upright[::-1]
    if orientation >= 5:
        upright = upright[:: -1 if orientation in (7, 8) else 1, :: -1 if orientation in (6, 7) else 1].swapaxes(0, 1)
    return upright
