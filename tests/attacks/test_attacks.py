# SPDX-License-Identifier: BSD-3-Clause
"""Hostile files cost little and are refused in a sentence."""

from __future__ import annotations

import contextlib
import random
import time
import tracemalloc

import pytest

from calotype.container import MAX_METADATA, MAX_TILES, unpack
from calotype.container.salvage import MAX_WARNINGS
from calotype.errors import FormatError
from tests.attacks import fuzz
from tests.attacks.hostile import HOSTILE, INNOCENT

HARMLESS = 4 * MAX_METADATA  # bytes: metadata may be inflated to its limit, and zlib's buffer doubles as it grows


def test_the_pattern_is_innocent() -> None:
    assert unpack(INNOCENT).tiles == (b"",)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_at_little_cost(name: str) -> None:
    data = HOSTILE[name]()
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(FormatError) as caught:
            unpack(data)
        with contextlib.suppress(FormatError):
            found = unpack(data, salvage=True)
            assert found.warnings
            assert len(found.warnings) <= MAX_WARNINGS + 5
            assert len(found.tiles) <= MAX_TILES
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < 20  # a generous bound: what is quadratic takes minutes
    assert peak < HARMLESS
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 250


@pytest.mark.parametrize("seed", range(100))
def test_a_little_fuzzing(seed: int) -> None:
    fuzz.one(random.Random(seed))
