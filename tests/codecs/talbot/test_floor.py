# SPDX-License-Identifier: BSD-3-Clause
"""The floor of the highest qualities: what it is, and the AVIF that reaches it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import features

from calotype.arrays import Samples, Samples8
from calotype.codecs.quality import to_header
from calotype.codecs.talbot.choice import QUICK, Choice, Known
from calotype.codecs.talbot.distortion import Distortion, Shares
from calotype.codecs.talbot.floor import CLOSE, TRIES, Ladder, floor, is_highest, score
from calotype.codecs.talbot.tiles import Payload
from calotype.raster.stills import avif
from calotype.raster.stills.reading import Size
from tests.codecs.talbot.test_choice import photograph as clean

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
EYE = Distortion(1.0, Shares(ssimulacra2=0.5))


def photograph(height: int, width: int) -> Samples8:
    """One with grain."""
    grain = np.random.default_rng(4).normal(0, 6, (height, width, 3))
    return (clean(height, width) + grain).clip(0, 255).astype(np.uint8)


@given(st.floats(1, 100), st.floats(1, 100))
def test_the_floor_rises_to_what_looks_lossless(one: float, other: float) -> None:
    low, high = (floor(to_header(quality)) for quality in sorted((one, other)))
    assert (low or 0) <= (high or 0)
    assert floor(to_header(95)) is None and floor(to_header(100)) == 90
    assert is_highest(to_header(100)) and not is_highest(to_header(100) - 1)


@needs_avif
def test_about_the_smallest_avif_with_a_score_is_found_in_a_few_tries() -> None:
    samples, ladder = photograph(96, 128), Ladder()
    size, tries = Size(128, 96, 3, 8), 0
    for wanted in (90.0, 80.0, 86.0, 85.0):
        data = ladder.reaching(samples, wanted, QUICK, 1e9)
        assert data is not None
        found = score(samples, avif.read(data, size))
        assert found >= wanted
        (quality,) = [quality for quality, (other, _) in ladder.tried.items() if other == data]
        assert found < wanted + CLOSE or ladder.tried[quality - 1][1] < wanted
        assert len(ladder.tried) - tries <= TRIES
        tries = len(ladder.tried)
        assert ladder.reaching(samples, wanted, QUICK, 1e9) == data and len(ladder.tried) == tries
        assert ladder.reaching(samples, wanted, QUICK, len(data)) is None


@needs_avif
def test_no_avif_looks_like_noise_for_less_than_its_samples() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    assert Ladder().reaching(noise, 99.99, QUICK, 1e9) is None
    assert Ladder().reaching(noise, 90.0, QUICK, 100) is None


def choice(quality: float, coded: Samples, distortion: Distortion | None = EYE) -> Choice:
    """One whose network makes that of a tile, in 1,000 bytes."""

    def trial(samples: Samples, planned: Payload | None) -> tuple[bytes, Samples]:
        assert planned is None
        return bytes(1000), coded

    return Choice(to_header(quality), False, distortion, trial)


@needs_avif
def test_an_avif_takes_the_place_of_a_tile_below_the_floor() -> None:
    samples = photograph(96, 128)
    blurred = samples // 16 * 16
    assert score(samples, blurred) < 80
    assert choice(95, blurred).tile(0, samples) is None
    chosen = [choice(quality, blurred).tile(0, samples) for quality in (96, 98, 100)]
    sizes = []
    for planned, wanted in zip(chosen, (82, 86, 90), strict=True):
        assert planned is not None and planned.still is not None and planned.cells is not None and planned.cells.all()
        assert score(samples, avif.read(planned.still, Size(128, 96, 3, 8))) >= wanted
        sizes.append(len(planned.still))
    assert sizes == sorted(sizes)
    assert choice(98, samples).tile(0, samples) is None is choice(100, samples).tile(0, samples)


@needs_avif
def test_what_the_network_cannot_do_is_known_at_lower_qualities() -> None:
    samples, known, asked = photograph(96, 128), dict[int, Known](), list[float]()

    def tried(quality: float) -> bytes | None:
        def trial(samples: Samples, planned: Payload | None) -> tuple[bytes, Samples]:
            asked.append(quality)
            return bytes(1000), samples // 8 * 8  # a score of 87

        planned = Choice(to_header(quality), False, EYE, trial, known).tile(0, samples)
        return None if planned is None else planned.still

    stills = [tried(quality) for quality in (100, 97, 99.5, 98)]
    assert [still is None for still in stills] == [False, True, False, True]
    assert asked == [100, 97, 98]
    assert stills == [tried(quality) for quality in (100, 97, 99.5, 98)]


def test_weights_that_were_trained_for_something_else_have_a_floor_at_the_highest_quality_alone() -> None:
    samples = photograph(32, 40)
    for distortion in (None, Distortion(1.0, Shares(ms_ssim=0.9)), Distortion(1.0)):
        assert choice(99.5, samples // 16 * 16, distortion).tile(0, samples) is None
        assert choice(100, samples // 16 * 16, distortion).tile(0, samples) is not None


def test_where_no_avif_can_be_the_network_stays_below_the_highest_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = photograph(32, 40).astype(np.uint16) * 257
    coarse = deep // 4096 * 4096
    assert choice(99, coarse).tile(0, deep) is None
    exact = choice(100, coarse).tile(0, deep)
    assert exact is not None and (exact.raw or exact.still)
    tiny = photograph(5, 7)
    assert choice(99, tiny // 16 * 16).tile(0, tiny) is None
    monkeypatch.setattr(avif, "available", lambda: False)
    samples = photograph(32, 40)
    assert choice(99, samples // 16 * 16).tile(0, samples) is None
    assert choice(100, samples // 16 * 16).tile(0, samples) is not None
