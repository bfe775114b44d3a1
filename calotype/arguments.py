# SPDX-License-Identifier: BSD-3-Clause
"""Arguments: paths, and numbers as Python's, for NumPy's have limits of their own, and would wrap in arithmetic."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral, Real

from .errors import PictureError


def check_path(path: object, verb: str, otherwise: str) -> None:
    """PictureError, which says what to do otherwise, unless a verb was given the path of a file."""
    if not isinstance(path, str | os.PathLike):
        raise PictureError(f"{verb} takes the path of a file, not {type(path).__name__}; {otherwise}")


def whole(value: object) -> int | None:
    """A whole number, Python's or NumPy's, as int; None for anything else. True and False are no numbers."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def wholes(values: object, count: int) -> tuple[int, ...] | None:
    """So many whole numbers, also of an array, as a tuple of int; None for anything else."""
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, Sequence) or len(values) != count:
        return None
    found = tuple(n for n in map(whole, values) if n is not None)
    return found if len(found) == count else None


def number(value: object) -> float | None:
    """A real number, Python's or NumPy's, as float; None for anything else. True and False are no numbers."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return None
