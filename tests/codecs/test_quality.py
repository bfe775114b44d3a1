# SPDX-License-Identifier: BSD-3-Clause
"""The scale of qualities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.codecs.quality import QUALITY_MAX, QUALITY_MIN, QUALITY_STEPS, from_header, position, to_header
from calotype.errors import FormatError, PictureError


@given(st.floats(QUALITY_MIN, QUALITY_MAX))
def test_what_is_stored_is_near(quality: float) -> None:
    assert abs(from_header(to_header(quality)) - quality) <= 0.5 / QUALITY_STEPS


@pytest.mark.parametrize("quality", [0.99, 100.01, -5, float("nan"), float("inf")])
def test_outside_of_the_range(quality: float) -> None:
    with pytest.raises(PictureError, match="outside 1 to 100"):
        to_header(quality)


@pytest.mark.parametrize("stored", [0, 255, 25601, 65535])
def test_headers_outside_of_the_range(stored: int) -> None:
    with pytest.raises(FormatError, match="outside 1 to 100"):
        from_header(stored)


def test_positions_span_the_range() -> None:
    assert [position(to_header(quality)) for quality in (QUALITY_MIN, 50.5, QUALITY_MAX)] == [0, 0.5, 1]
