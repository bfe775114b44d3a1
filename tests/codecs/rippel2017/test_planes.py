# SPDX-License-Identifier: BSD-3-Clause
"""The plan of layers at every quality, and what planes tell of latents."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calotype.codecs.quality import QUALITY_MAX, QUALITY_MIN, QUALITY_STEPS
from calotype.codecs.rippel2017.planes import (
    CENTRE,
    COARSEST,
    FIRST,
    GROUPS,
    MOST_LAYERS,
    OCTAVE,
    TOP,
    finest,
    layers,
    moduli,
    values,
)

STORED = st.integers(round(QUALITY_MIN * QUALITY_STEPS), round(QUALITY_MAX * QUALITY_STEPS))


@given(STORED)
def test_layers_go_from_coarse_to_fine_and_miss_nothing(stored: int) -> None:
    plan = layers(stored)
    steps = [step for layer in plan for step in layer]
    last = finest(stored)
    assert steps == [(e, g) for e in sorted({e for e, _ in steps}, reverse=True) for g in range(GROUPS)]
    assert steps[-1] == (last, GROUPS - 1) and TOP - OCTAVE <= steps[0][0] < TOP
    assert {a - b for (a, _), (b, _) in zip(steps[::GROUPS], steps[GROUPS::GROUPS], strict=False)} == {OCTAVE}
    assert all(e >= FIRST for e, _ in plan[0]) and all(len(layer) == 1 for layer in plan[1:])
    assert 1 < len(plan) <= MOST_LAYERS


def test_the_ends_of_the_scale() -> None:
    assert finest(round(QUALITY_MAX * QUALITY_STEPS)) == 0
    assert finest(round(QUALITY_MIN * QUALITY_STEPS)) == COARSEST
    assert len(layers(round(QUALITY_MAX * QUALITY_STEPS))) == MOST_LAYERS


@given(STORED, st.integers(0, 10**6))
def test_latents_come_back_within_a_threshold(stored: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.standard_normal((4, 3, 5)) * 10 ** rng.uniform(0, 2.5)).astype(np.float32)
    limits, exponent = np.full(4, TOP // OCTAVE), finest(stored)
    held = moduli(y, limits, exponent)
    coarser = moduli(y, limits, exponent + OCTAVE)
    assert (held >> 1 == coarser).all()  # planes are digits of one number
    inside = np.abs(y) < 2.0 ** (TOP / OCTAVE) - 1
    error = np.abs(values(held, np.sign(y).astype(np.int8), [exponent] * GROUPS) - y) / 2 ** (exponent / OCTAVE)
    assert (error[inside & (held > 0)] < 1 - CENTRE + 1e-3).all() and (error[held == 0] < 1 + 1e-3).all()
