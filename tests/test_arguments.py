# SPDX-License-Identifier: BSD-3-Clause
"""What callers pass."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from calotype.arguments import number, whole, wholes


@pytest.mark.parametrize("value", [0, -3, 10**30, np.int64(5), np.uint8(7)])
def test_whole_numbers(value: Any) -> None:
    assert whole(value) == value and type(whole(value)) is int
    assert number(value) == float(value) and type(number(value)) is float


@pytest.mark.parametrize("value", [1.5, 2.0, np.float32(0.5), Fraction(1, 4), float("inf")])
def test_other_numbers(value: Any) -> None:
    assert number(value) == value and type(number(value)) is float
    assert whole(value) is None


@pytest.mark.parametrize("value", [True, np.bool_(True), "1", None, 1j, [1]])
def test_what_is_no_number(value: Any) -> None:
    assert number(value) is None and whole(value) is None
    assert number(10**400) is None


def test_several_whole_numbers() -> None:
    assert wholes([np.int8(1), 2], 2) == wholes((1, 2), 2) == wholes(np.array([1, 2]), 2) == (1, 2)
    arrays = np.array([1.0, 2.0]), np.array([[1], [2]]), np.array(1)
    for values in (*arrays, (1, 2, 3), (1, None), (1, True), "12", 12, None):
        assert wholes(values, 2) is None
