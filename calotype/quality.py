# SPDX-License-Identifier: BSD-3-Clause
"""The scale of qualities: 1 to 100 for people, whole numbers of 1/256 in files. All codecs share it."""

from __future__ import annotations

from .errors import FormatError, PictureError

LOWEST, HIGHEST = 1.0, 100.0
STEPS = 256  # stored qualities are whole numbers of 1/256


def to_header(quality: float) -> int:
    """Quality 1..100 as it is stored; PictureError outside of the range."""
    if not LOWEST <= quality <= HIGHEST:
        raise PictureError(f"quality {quality:g} is outside of {LOWEST:g} to {HIGHEST:g}")
    return round(quality * STEPS)


def from_header(stored: int) -> float:
    """Inverse of :func:`to_header`; FormatError outside of the range."""
    quality = stored / STEPS
    if not LOWEST <= quality <= HIGHEST:
        raise FormatError(f"the header names quality {quality:g}, outside of {LOWEST:g} to {HIGHEST:g}")
    return quality


def position(stored: int) -> float:
    """A stored quality on the scale 0..1 from the lowest to the highest."""
    return (stored / STEPS - LOWEST) / (HIGHEST - LOWEST)
