# SPDX-License-Identifier: BSD-3-Clause
"""Rate control on functions whose answer is known."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from calotype.api.rate_control import HIGHEST, LOWEST, STEPS, search


@given(st.floats(0.5, 2.5), st.floats(0, 50), st.floats(0.001, 0.999), st.booleans())
def test_finds_the_best_that_meets_the_target(power: float, offset: float, share: float, at_most: bool) -> None:
    def value(quality: int) -> float:
        return offset + 40 * ((quality - LOWEST) / (HIGHEST - LOWEST)) ** power

    calls: list[int] = []

    def evaluate(quality: int) -> tuple[int, float]:
        assert LOWEST <= quality <= HIGHEST
        calls.append(quality)
        return quality, value(quality)

    wanted = offset + 40 * share
    found, met = search(evaluate, wanted, at_most=at_most, tolerance=0.02)
    assert met and len(calls) <= STEPS and found.result == found.quality
    assert found.value <= wanted if at_most else found.value >= wanted
    assert abs(found.value - wanted) < 0.5


@given(st.booleans())
def test_what_cannot_be_reached_gives_the_nearest(at_most: bool) -> None:
    wanted = -1.0 if at_most else 101.0
    found, met = search(lambda q: (q, 100 * q / HIGHEST), wanted, at_most=at_most, tolerance=0.02)
    assert not met and found.quality == (LOWEST if at_most else HIGHEST)


def test_ripples_and_steps_do_no_harm() -> None:
    def evaluate(quality: int) -> tuple[int, float]:
        return quality, math.floor(quality / 400) + 0.3 * math.sin(quality)

    found, met = search(evaluate, 30.0, at_most=True, tolerance=0.05)
    assert met and 28.5 < found.value <= 30.0


@given(st.floats(1.5, 24.5), st.booleans())
def test_stairs_end_the_search(wanted: float, at_most: bool) -> None:
    calls: list[int] = []

    def evaluate(quality: int) -> tuple[int, float]:
        calls.append(quality)
        return quality, float(quality // 1000)

    found, met = search(evaluate, wanted, at_most=at_most, tolerance=0.01)
    assert met and found.value == (math.floor(wanted) if at_most else math.ceil(wanted))
    assert len(calls) <= STEPS


def test_progress_ends_full() -> None:
    seen: list[tuple[int, int]] = []
    search(lambda q: (q, float(q)), 9000.0, at_most=True, tolerance=1.0, progress=lambda *step: seen.append(step))
    assert seen[-1] == (STEPS, STEPS) and [s for s, _ in seen] == sorted(s for s, _ in seen)
