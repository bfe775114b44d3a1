# SPDX-License-Identifier: BSD-3-Clause
"""Plots of rate and quality."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from calotype.benchmark import published
from calotype.benchmark.measure import measure
from calotype.benchmark.peers import JPEG
from calotype.benchmark.pictures import Photograph
from calotype.benchmark.plots import at, limits, plot
from calotype.benchmark.run import Results
from calotype.errors import DependencyError
from calotype.metrics.catalogue import MS_SSIM, NAMED, PSNR

pytest.importorskip("matplotlib")


def texts(svg: bytes) -> str:
    return " ".join(
        "".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.tag.endswith("text")
    )


def test_a_plot_names_its_curves(outcome: Results) -> None:
    curves = list(outcome.curves.values())
    drawn = plot(PSNR, curves, outcome.plan.published, "crops")
    assert drawn
    png, svg = drawn
    found = texts(svg)
    for name in ("jpeg", "webp", "jpeg2000", "published", "vtm", "elic2022", "PSNR (dB) on crops", "bits per pixel"):
        assert name in found
    with Image.open(BytesIO(png)) as image:
        assert image.width > 1000 and np.asarray(image.convert("RGB")).std() > 5
    assert plot(PSNR, curves, outcome.plan.published, "crops") == drawn  # the same file each time
    similarity = plot(MS_SSIM, curves, outcome.plan.published, "crops")
    assert similarity and "vtm" in texts(similarity[1])
    assert "elic2022" not in texts(similarity[1])  # it has no MS-SSIM


def test_many_published_curves_get_a_legend_below(outcome: Results) -> None:
    curves = list(outcome.curves.values())
    few, many = plot(PSNR, curves, [], "crops"), plot(PSNR, curves, published.select(["all"]), "crops")
    assert few and many
    with Image.open(BytesIO(few[0])) as small, Image.open(BytesIO(many[0])) as large:
        assert large.height > small.height and large.width == small.width


def test_nothing_to_draw() -> None:
    grey = [Photograph("grey", np.full((180, 180, 3), 128, np.uint8))]
    curve = measure([JPEG], grey, {"jpeg": (50, 90)})["jpeg"]
    assert plot(NAMED["psnr"], [curve], [], "grey") is None
    assert curve.averages()[MS_SSIM.key] == [1, 1]  # whose decibels are infinite
    assert plot(MS_SSIM, [curve], [], "grey") is None


def test_curves_that_begin_beyond_the_usual_rates_are_drawn() -> None:
    noise = [Photograph("noise", np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8))]
    curve = measure([JPEG], noise, {"jpeg": (90, 95)})["jpeg"]
    drawn = plot(PSNR, [curve], [], r"$\names$")  # which is no formula
    assert drawn and r"PSNR (dB) on $\names$" in texts(drawn[1])


def test_places() -> None:
    line = [(0.5, 30.0), (1.0, 40.0), (3.0, 50.0)]
    assert at(line, 0.75) == 35 and at(line, 9) == 50 and at(line, 0.1) == 30
    assert limits([line], 1.0) == pytest.approx((29.7, 40.3))


def test_without_matplotlib(outcome: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"pip install 'calotype\[bench\]'"):
        plot(PSNR, list(outcome.curves.values()), [], "crops")
