# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image
from ssimulacra2 import ssimulacra2 as package

from calotype.errors import PictureError
from calotype.metrics import ssimulacra2
from calotype.metrics.ssimulacra2 import SMALLEST_SIDE, WEIGHTS, blur_taps, score

from .copies import PHOTOGRAPH, deep, jpeg_copy

Samples = Any


def file(samples: Samples) -> io.BytesIO:
    stream = io.BytesIO()
    Image.fromarray(samples).save(stream, "PPM")
    stream.seek(0)
    return stream


def theirs(a: Samples, b: Samples) -> float:
    return float(package.compute_ssimulacra2(file(a), file(b)))


def webp_copy(samples: Samples, quality: int) -> Samples:
    stream = io.BytesIO()
    Image.fromarray(samples).save(stream, "WEBP", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_agrees_with_the_package(name: str) -> None:
    original = np.ascontiguousarray(getattr(skimage.data, name)()[:300, :330])
    noise = np.random.default_rng(3).normal(0, 6, original.shape)
    copies = [jpeg_copy(original, 8), jpeg_copy(original, 90), webp_copy(original, 40)]
    copies.append(np.clip(original + noise, 0, 255).astype(np.uint8))
    for copy in copies:
        assert ssimulacra2(original, copy) == pytest.approx(theirs(original, copy), abs=0.003)


def test_agrees_on_odd_sides_and_many_strips() -> None:
    tall = np.ascontiguousarray(np.tile(PHOTOGRAPH[:301, :229], (3, 1, 1)))
    copy = jpeg_copy(tall, 30)
    assert ssimulacra2(tall, copy) == pytest.approx(theirs(tall, copy), abs=0.003)


def test_orders_copies() -> None:
    scores = [ssimulacra2(PHOTOGRAPH, jpeg_copy(PHOTOGRAPH, quality)) for quality in (5, 20, 50, 80, 95)]
    assert scores == sorted(scores) and scores[-1] < 100
    assert ssimulacra2(PHOTOGRAPH, PHOTOGRAPH) == 100


def test_sixteen_bits_at_full_depth() -> None:
    original, copy = deep(PHOTOGRAPH), deep(jpeg_copy(PHOTOGRAPH, 60))
    assert ssimulacra2(original, copy) == pytest.approx(ssimulacra2(PHOTOGRAPH, jpeg_copy(PHOTOGRAPH, 60)), abs=1e-3)
    moved = original + np.uint16(40) * (original < 60_000)  # a sixth of a step of 8 bits: rounding would hide it
    assert 99 < ssimulacra2(original, moved) < 100


def test_grey_is_rgb_with_equal_channels() -> None:
    grey = np.ascontiguousarray(PHOTOGRAPH[..., 1])
    copy = jpeg_copy(grey, 30)
    as_rgb = [np.repeat(one[..., None], 3, axis=2) for one in (grey, copy)]
    assert ssimulacra2(grey, copy) == pytest.approx(ssimulacra2(*as_rgb), abs=1e-6)


def test_sizes() -> None:
    with pytest.raises(PictureError, match="at least 225 pixels"):
        ssimulacra2(PHOTOGRAPH[: SMALLEST_SIDE - 1], PHOTOGRAPH[: SMALLEST_SIDE - 1])
    least = PHOTOGRAPH[:SMALLEST_SIDE, :SMALLEST_SIDE]
    copy = jpeg_copy(least, 50)
    assert ssimulacra2(least, copy) == pytest.approx(theirs(np.ascontiguousarray(least), copy), abs=0.003)


def test_memory_does_not_grow_with_the_height() -> None:
    peaks = []
    for height in (256, 2048):
        original = np.broadcast_to(PHOTOGRAPH[:1], (height, 512, 3))
        tracemalloc.start()
        ssimulacra2(original, original)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 100e6


def test_tables() -> None:
    assert WEIGHTS.shape == (3, 6, 2, 3) and (WEIGHTS.ravel() == package.weights).all()
    assert sum(blur_taps()) == pytest.approx(1)
    assert score(0) == 100 and score(-1) == 100 and score(6.4) == pytest.approx(47.5, abs=0.1)
