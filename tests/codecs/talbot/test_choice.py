# SPDX-License-Identifier: BSD-3-Clause
"""What tiles are stored as: a look at pixels, and a choice by cost."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

import calotype
from calotype import container
from calotype.arrays import Samples8
from calotype.codecs.talbot import STILLS
from calotype.codecs.talbot.choice import filled, lossless
from calotype.codecs.talbot.look import look
from tests.make_golden import drawing

pytestmark = pytest.mark.usefixtures("golden_weights")


def page(height: int = 192, width: int = 256) -> Samples8:
    image = Image.new("RGB", (width, height), (250, 250, 245))
    pen = ImageDraw.Draw(image)
    for row in range(0, height, 20):
        pen.text((4, row), "Smaller pages, the same letters", (20, 20, 30), font_size=15)
    return np.asarray(image)


def photograph(height: int = 192, width: int = 256) -> Samples8:
    y, x = np.mgrid[:height, :width]
    grain = np.random.default_rng(3).normal(0, 3, (height, width, 3))
    planes = [120 + 60 * np.sin(x / (31 + c)) * np.cos(y / 47) for c in range(3)]
    return (np.stack(planes, 2) + grain).clip(0, 255).astype(np.uint8)


def test_pages_look_drawn_and_photographs_do_not() -> None:
    assert look(page()).drawn and look(page()).cells.all()
    assert not look(photograph()).drawn and not look(photograph()).cells.any()
    assert look(page()[..., :1]).drawn and look(page().astype(np.uint16) * 257).drawn
    both = np.concatenate((page(192, 256), photograph(192, 256)), 1)
    assert look(both).drawn
    assert np.array_equal(look(both).cells, np.arange(8)[None].repeat(3, 0) < 4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (9, 65), (64, 64), (130, 8)])
def test_any_size_can_be_looked_at(shape: tuple[int, int]) -> None:
    assert look(np.zeros((*shape, 3), np.uint8)).cells.all()
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 1), np.uint8)
    assert look(noise).cells.shape == (-(-shape[0] // 64), -(-shape[1] // 64))


def test_a_page_is_stored_without_a_loss_and_a_photograph_as_ever() -> None:
    data = calotype.encode(page(), quality=60)
    assert container.read_header(data).codec == STILLS and calotype.probe(data).kinds == ("WebP",)
    assert np.array_equal(calotype.decode(data, as_array=True), page())
    assert len(data) < len(calotype.encode(page(), lossless=True)) + 32
    assert calotype.encode(photograph(), quality=60) == calotype.encode(photograph(), quality=60, tiles="network")
    assert container.read_header(calotype.encode(page(), tiles="network")).codec == "talbot"
    with pytest.raises(calotype.PictureError, match="tiles of codec 'talbot' should be any or network"):
        calotype.encode(page(), tiles="paper")


def test_deep_pages_are_exact() -> None:
    deep = page()[..., :1].astype(np.uint16) * 257
    data = calotype.encode(deep, quality=60)
    assert calotype.probe(data).kinds == ("PNG",)
    assert np.array_equal(calotype.decode(data, as_array=True), deep[..., 0])


def patterns() -> dict[str, Samples8]:
    y, x = np.mgrid[:120, :150]
    rng = np.random.default_rng(5)
    return {
        "checkerboard": ((x + y) % 2 * 255).astype(np.uint8),
        "stripes": (x % 2 * 255).astype(np.uint8),
        "noise": rng.integers(0, 256, (120, 150, 3), np.uint8),
        "grey noise": rng.integers(0, 256, (120, 150), np.uint8),
        "flat": np.full((120, 150, 3), (12, 200, 77), np.uint8),
        "gradient": np.stack((x, y, x + y), 2).astype(np.uint8),
        "pixel": np.array([[[3, 99, 200]]], np.uint8),
        "grey pixel": np.array([[77]], np.uint8),
    }


@pytest.mark.parametrize("name", patterns())
def test_patterns_are_right_at_the_highest_quality_and_smaller_than_png(name: str) -> None:
    picture = patterns()[name]
    data = calotype.encode(picture, quality=100)
    found = calotype.decode(data, as_array=True)
    assert np.abs(found.astype(int) - picture).max() <= 1
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG", optimize=True)
    assert len(data) < len(png.getvalue())


def test_the_highest_quality_looks_lossless() -> None:
    from calotype.metrics.ssimulacra2 import ssimulacra2

    picture = photograph(226, 230)
    data = calotype.encode(picture, quality=100)
    assert ssimulacra2(picture, calotype.decode(data, as_array=True)) >= 90
    assert calotype.probe(data).kinds == ("AVIF",)  # the networks of these tests are random
    assert len(data) < len(calotype.encode(picture, lossless=True))


def test_tiles_are_tried_side_by_side_to_the_same_file() -> None:
    picture = photograph(24, 1100)
    assert len({calotype.encode(picture, quality=100, threads=threads) for threads in (1, 4)}) == 1


def test_targets_hold_with_stills() -> None:
    limit = 4000
    assert len(calotype.encode(page(), target_size=limit)) <= limit
    data = calotype.encode(page(), target_psnr=50)
    assert np.array_equal(calotype.decode(data, as_array=True), page())


def test_high_efforts_try_everywhere() -> None:
    """Waves with hard edges, which random networks cannot code, do not look drawn."""
    picture = drawing(60, 80, 3, 8)
    assert not look(picture).drawn
    assert container.read_header(calotype.encode(picture, quality=90)).codec == "talbot"
    assert container.read_header(calotype.encode(picture, quality=90, effort=5)).codec == STILLS


def test_what_is_left_out_has_one_colour() -> None:
    samples = photograph(130, 70)
    cells = np.zeros((3, 2), bool)
    cells[1, 0] = True
    found = filled(samples, cells)
    assert np.array_equal(found[64:128, :64], samples[64:128, :64])
    assert (found[:64] == samples[64, 0]).all()
    assert lossless(samples[:1, :1]).raw == samples[0, 0].tobytes()
