# SPDX-License-Identifier: BSD-3-Clause
"""Checks of what callers pass."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TypeGuard


def is_whole(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a whole number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a real number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)
