"""Checks of what callers pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from calotype.checks import is_number, is_whole


@pytest.mark.parametrize("value", [0, -3, 10**30, np.int64(5), np.uint8(7)])
def test_whole_numbers(value: Any) -> None:
    assert is_whole(value) and is_number(value)


@pytest.mark.parametrize("value", [1.5, 2.0, np.float32(0.5), float("nan")])
def test_other_numbers(value: Any) -> None:
    assert is_number(value) and not is_whole(value)


@pytest.mark.parametrize("value", [True, np.bool_(True), "1", None, 1j, [1]])
def test_what_is_no_number(value: Any) -> None:
    assert not is_number(value) and not is_whole(value)
