# SPDX-License-Identifier: BSD-3-Clause
"""The scale of qualities: 1 to 100 for people, whole numbers of 1/256 in files. All codecs share it."""

from __future__ import annotations

from ..errors import FormatError, PictureError

QUALITY_MIN, QUALITY_MAX = 1.0, 100.0
QUALITY_STEPS = 256  # stored qualities are whole numbers of 1/256


def to_header(quality: float) -> int:
    """Quality 1..100 as it is stored; PictureError outside the range."""
    if not QUALITY_MIN <= quality <= QUALITY_MAX:
        raise PictureError(f"quality {quality:g} is outside {QUALITY_MIN:g} to {QUALITY_MAX:g}")
    return round(quality * QUALITY_STEPS)


def from_header(stored: int) -> float:
    """Inverse of :func:`to_header`; FormatError outside the range."""
    quality = stored / QUALITY_STEPS
    if not QUALITY_MIN <= quality <= QUALITY_MAX:
        raise FormatError(f"the header names quality {quality:g}, outside {QUALITY_MIN:g} to {QUALITY_MAX:g}")
    return quality


def position(stored: int) -> float:
    """A stored quality on the scale 0..1 from the lowest to the highest."""
    return (stored / QUALITY_STEPS - QUALITY_MIN) / (QUALITY_MAX - QUALITY_MIN)
