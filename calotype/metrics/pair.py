# SPDX-License-Identifier: BSD-3-Clause
"""Two pictures that may be compared: the checks that every metric makes first."""

from __future__ import annotations

import numpy as np

from ..arrays import Samples
from ..errors import PictureError

STRIP_SAMPLES = 1 << 17  # samples a strip: 1 MB as float64, so that a strip's arrays stay in the processor's cache


def checked_pair(a: Samples, b: Samples, *, luma: bool = False) -> tuple[Samples, Samples, float]:
    """Return both pictures as (H, W, C) and their peak (255 or 65535); raise PictureError if they do not match.

    With ``luma`` only grey and RGB will do.
    """
    for name, samples in (("first", a), ("second", b)):
        if samples.dtype not in (np.uint8, np.uint16):
            raise PictureError(f"the {name} picture holds {samples.dtype} samples; metrics take uint8 or uint16")
        if samples.ndim not in (2, 3) or samples.size == 0:
            raise PictureError(f"the {name} picture is shaped {samples.shape}; metrics take (H, W) or (H, W, C)")
    if a.shape != b.shape:
        raise PictureError(f"the pictures differ in size: {size_of(a)} and {size_of(b)}; metrics compare equal sizes")
    if a.dtype != b.dtype:
        raise PictureError(f"the pictures differ in depth: {a.dtype} and {b.dtype}; convert one of them first")
    if a.ndim == 2:
        a, b = a[:, :, None], b[:, :, None]
    if luma and a.shape[2] not in (1, 3):
        raise PictureError(f"the pictures have {a.shape[2]} channels; luma is that of grey (1) or RGB (3)")
    return a, b, float(np.iinfo(a.dtype).max)


def size_of(samples: Samples) -> str:
    """Say the size in words: "768 x 512, 3 channels"."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    return f"{samples.shape[1]} x {samples.shape[0]}, {channels} channel{'s' if channels != 1 else ''}"


def strips(height: int, row_samples: int) -> list[tuple[int, int]]:
    """Cut ``height`` rows into runs (start, stop) of about STRIP_SAMPLES samples."""
    step = max(1, STRIP_SAMPLES // max(1, row_samples))
    return [(start, min(start + step, height)) for start in range(0, height, step)]
