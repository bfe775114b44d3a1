# SPDX-License-Identifier: BSD-3-Clause
"""Rate control: the stored quality that meets a target.

Bytes and fidelity rise with quality, so a bracket around the target is narrowed by linear interpolation (false
position), and by bisection where that would creep. Small ripples do no harm: only results that were seen to meet the
target are returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..arrays import Progress
from ..codecs.quality import QUALITY_MAX, QUALITY_MIN, to_header

T = TypeVar("T")

LOWEST, HIGHEST = to_header(QUALITY_MIN), to_header(QUALITY_MAX)
HIGH = to_header(90)  # is tried before the highest, which can take many times as long
LEVEL = 3  # steps that lead nowhere, after which the search ends
STEPS = 12  # evaluations at most; six are usual


@dataclass(frozen=True)
class Found(Generic[T]):
    """A result, the stored quality that gave it, and its value."""

    result: T
    quality: int
    value: float


def search(
    evaluate: Callable[[int], tuple[T, float]],
    wanted: float,
    *,
    at_most: bool,
    tolerance: float,
    progress: Progress | None = None,
) -> tuple[Found[T], bool]:
    """The best result that meets a target.

    Args:
        evaluate: stored quality -> result and its value, which rises with the quality, about linearly.
        wanted: the target value.
        at_most: True for the largest value that is not above ``wanted``; False for the smallest not below it.
        tolerance: stop at a value that meets the target and is so near to it.
        progress: called with steps done and steps in total.

    Returns:
        what was found, and whether it meets the target; if not, it is the extreme that comes nearest.
    """

    def attempt(quality: int) -> Found[T]:
        result, value = evaluate(quality)
        found = Found(result, quality, value)
        attempts.append(found)
        if progress:
            progress(min(len(attempts), STEPS), STEPS)
        return found

    def meets(found: Found[T]) -> bool:
        return found.value <= wanted if at_most else found.value >= wanted

    def done() -> bool:
        return any(meets(a) and abs(a.value - wanted) <= tolerance for a in attempts)

    attempts: list[Found[T]] = []
    first = attempt((LOWEST + HIGHEST) // 2)
    if not done():
        other = attempt(LOWEST if first.value > wanted else HIGH)
        if other.quality == HIGH and other.value < wanted and not done():
            first, other = other, attempt(HIGHEST)
        low, high = sorted((first, other), key=lambda f: f.quality)
        if low.value <= wanted <= high.value:
            moved: list[bool] = []  # which end each step has moved
            level, stairs = 0, False  # steps in a row to the value of an end, and whether there were any
            while not done() and level < LEVEL and len(attempts) < STEPS and high.quality - low.quality > 1:
                span = high.value - low.value
                creeps = len(moved) >= 2 and moved[-1] == moved[-2]
                share = 0.5 if span <= 0 or creeps or stairs else (wanted - low.value) / span
                # Aim a little to the side that meets the target, and always inside.
                share = min(max(share + (-0.01 if at_most else 0.01), 0.02), 0.98)
                middle = low.quality + round(share * (high.quality - low.quality))
                found = attempt(min(max(middle, low.quality + 1), high.quality - 1))
                level = level + 1 if found.value in (low.value, high.value) else 0
                stairs = stairs or level > 0
                moved.append(found.value <= wanted)
                low, high = (found, high) if moved[-1] else (low, found)
                if creeps:
                    moved.clear()
    if progress:
        progress(STEPS, STEPS)
    good = [a for a in attempts if meets(a)]
    if good:
        return min(good, key=lambda a: abs(a.value - wanted)), True
    return min(attempts, key=lambda a: abs(a.value - wanted)), False
