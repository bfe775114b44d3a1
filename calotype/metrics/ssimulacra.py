# SPDX-License-Identifier: BSD-3-Clause
"""SSIMULACRA 2, by the ``ssimulacra2`` package where it is installed.

J. Sneyers, "SSIMULACRA 2", Cloudinary 2022: in the colour space XYB, over six scales, similarity and two kinds of
change at edges, weighed to agree with the opinions of people about compressed photographs. The package is a port of
the reference implementation in libjxl to NumPy and SciPy, whose blur differs at the borders: take its digits after the
first decimal with a grain of salt.
"""

from __future__ import annotations

import importlib.util
import io

import numpy as np

from ..arrays import Samples
from ..errors import DependencyError, PictureError
from .pair import checked_pair, size_of

SMALLEST_SIDE = 225  # pixels: below it there are fewer than the six scales that the published weights belong to
MOST_PIXELS = 8_000_000  # the package holds the whole picture many times, about 0.5 GB a megapixel
ADVICE = "SSIMULACRA 2 needs the package ssimulacra2: pip install calotype[metrics]"


def has_ssimulacra2() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("ssimulacra2") is not None


def ssimulacra2(a: Samples, b: Samples) -> float:
    """The score of ``b`` as a copy of ``a``: 100 is equal, 90 cannot be told apart, 70 good, 50 medium, below 0 awful.

    Grey or RGB, taken as sRGB; 16-bit samples are rounded to 8. Not symmetrical: ``a`` is the original.

    Raises:
        PictureError: the pictures cannot be compared, have a side below 225 pixels, or have more than 8 megapixels.
        DependencyError: the package is not installed.
    """
    a, b, _ = checked_pair(a, b, luma=True)
    if min(a.shape[:2]) < SMALLEST_SIDE:
        raise PictureError(
            f"SSIMULACRA 2 needs sides of at least {SMALLEST_SIDE} pixels, and the picture is {size_of(a)}"
        )
    if a.shape[0] * a.shape[1] > MOST_PIXELS:
        raise PictureError(
            f"SSIMULACRA 2 would need too much memory above {MOST_PIXELS // 10**6} megapixels: compare a part"
        )
    try:
        from ssimulacra2 import compute_ssimulacra2
    except ImportError as error:
        raise DependencyError(ADVICE) from error
    return float(compute_ssimulacra2(_file(a), _file(b)))


def _file(samples: Samples) -> io.BytesIO:
    """An uncompressed picture file in memory: the package reads nothing else."""
    from PIL import Image

    if samples.dtype == np.uint16:
        samples = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(np.broadcast_to(samples, (*samples.shape[:2], 3)))).save(file, "PPM")
    file.seek(0)
    return file
