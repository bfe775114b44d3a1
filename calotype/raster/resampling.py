# SPDX-License-Identifier: BSD-3-Clause
"""Ordinary resampling, antialiased, of 8 and 16 bits, in bands of rows so that memory stays bounded."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from ..arrays import Samples

Filter = Image.Resampling
BICUBIC, LANCZOS, BOX = Filter.BICUBIC, Filter.LANCZOS, Filter.BOX
REACH = 3  # samples to each side that the widest filter (Lanczos) sees, of the coarser of the two grids
BAND_PIXELS = 2**22  # of the larger of the two pictures: 16 MB a channel in float32


def resize(samples: Samples, height: int, width: int, kernel: Filter = BICUBIC) -> Samples:
    """Samples ``(H, W)`` or ``(H, W, 1 or 3)`` at another size; the filter widens where the picture shrinks.

    Both depths are filtered in floating point, rounded and clipped: Pillow's 8-bit filter clips between its two passes
    as well, whose order depends on the size of the band.
    """
    rows, columns = samples.shape[:2]
    out: Samples = np.empty((height, width, *samples.shape[2:]), samples.dtype)
    peak = np.iinfo(samples.dtype).max
    step = rows / height  # rows of the source for one of the result
    margin = math.ceil(REACH * max(1.0, step)) + 1
    band = max(1, int(BAND_PIXELS / max(columns * step, width)))
    for top in range(0, height, band):
        bottom = min(top + band, height)
        start, stop = top * step, bottom * step
        above, below = max(0, math.floor(start) - margin), min(rows, math.ceil(stop) + margin)
        box = (0.0, start - above, float(columns), min(stop, rows) - above)  # what lies around it is seen all the same
        for channel in np.ndindex(samples.shape[2:]):
            image = Image.fromarray(samples[above:below, :, *channel].astype(np.float32))
            resized = np.asarray(image.resize((width, bottom - top), kernel, box=box))
            out[top:bottom, :, *channel] = np.clip(np.rint(resized), 0, peak).astype(samples.dtype)
    return out
