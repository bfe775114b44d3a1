# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import math

import numpy as np
import pytest

from calotype import metrics
from calotype.errors import PictureError
from calotype.metrics import catalogue
from calotype.metrics.catalogue import METRICS, NAMED, PSNR, SSIMULACRA2, TARGETS, available, measure

from .copies import PHOTOGRAPH, jpeg_copy

OURS = [metric for metric in METRICS.values() if not metric.on_request and metric.key != "butteraugli-3"]


def test_values_are_those_of_the_functions() -> None:
    original, decoded = PHOTOGRAPH[:256, :256], jpeg_copy(PHOTOGRAPH[:256, :256], 30)
    made = measure(original, decoded, OURS)
    assert made.notes == () and made.scales == 5
    expected = {
        "ssimulacra2": metrics.ssimulacra2,
        "mse-rgb": metrics.mse,
        "rmse-rgb": metrics.rmse,
        "psnr-rgb": metrics.psnr,
        "psnr-luma": metrics.psnr_luma,
        "ssim-rgb": metrics.ssim,
        "ms-ssim-rgb": metrics.ms_ssim,
        "psnr-hvs-luma": metrics.psnr_hvs,
        "psnr-hvs-m-luma": metrics.psnr_hvs_m,
    }
    for key, function in expected.items():
        assert made.values[key] == function(original, decoded), key
    assert made.values["ms-ssim-rgb-db"] == metrics.ms_ssim_db(made.values["ms-ssim-rgb"])
    assert [metric.key for metric in OURS] == list(made.values)


def test_directions_and_scales() -> None:
    original = PHOTOGRAPH[:256, :256]
    good, bad = (measure(original, jpeg_copy(original, quality), OURS) for quality in (80, 10))
    for key, value in good.values.items():
        metric = METRICS[key]
        assert (value > bad.values[key]) == metric.higher_is_better, key
        assert metric.scale(value) > metric.scale(bad.values[key]), key  # a scale always rises with quality
    same = measure(original, original, [PSNR, SSIMULACRA2])
    assert same.values == {"psnr-rgb": math.inf, "ssimulacra2": 100}


def test_ssimulacra2_is_straightened_for_the_search_of_a_quality() -> None:
    assert SSIMULACRA2.target
    scores = [14.4, 33.3, 47.6, 58.9, 68.1, 75.0, 80.5, 84.4]  # usual ones of talbot at the qualities 5, 15 to 75
    bent, straight = np.diff(scores), np.diff([SSIMULACRA2.target.straight(score) for score in scores])
    assert bent.max() / bent.min() > 4 and straight.max() / straight.min() < 1.3
    assert SSIMULACRA2.target.straight(100) == math.inf
    assert PSNR.target and PSNR.target.straight(31.5) == 31.5


@pytest.mark.parametrize(
    ("side", "scales", "missing"),
    [(1, 0, ("SSIM", "PSNR-HVS")), (9, 0, ("SSIM",)), (64, 3, ("SSIMULACRA 2",)), (160, 4, ())],
)
def test_small_pictures(side: int, scales: int, missing: tuple[str, ...]) -> None:
    picture = PHOTOGRAPH[:side, :side]
    made = measure(picture, picture, OURS)
    assert made.scales == scales and made.values["psnr-rgb"] == math.inf
    assert all(any(name in note for note in made.notes) for name in missing)
    assert ("ssim-rgb" in made.values) == (side > 10) and ("psnr-hvs-luma" in made.values) == (side >= 8)
    assert any(f"{scales} of 5 scales" in note for note in made.notes) == bool(scales)


def test_published_values() -> None:
    picture = PHOTOGRAPH[:200, :200]
    assert SSIMULACRA2.published(picture, picture) is None  # too small for six scales
    assert PSNR.published(picture, picture) is None  # infinite
    assert NAMED["ms-ssim"].published(picture[:160], picture[:160]) is None
    assert NAMED["ms-ssim"].published(picture, jpeg_copy(picture, 50)) == pytest.approx(0.98, abs=0.02)
    huge = np.broadcast_to(np.uint8(0), (20_000, 20_000, 3))
    assert NAMED["butteraugli"].published(huge, huge) is None


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "has_butteraugli", lambda: False)
    known, notes = available()
    assert not {"butteraugli-3", "cvvdp", "squeezenet"} & {metric.key for metric in known}
    assert len(notes) == 1 and "libjxl-devtools" in notes[0]


def test_names_are_unique() -> None:
    assert len(NAMED) == len(METRICS)
    assert {"psnr", "ssim", "ssimulacra2"} == set(TARGETS)


def test_sizes_differ() -> None:
    with pytest.raises(PictureError, match="differ in size"):
        measure(PHOTOGRAPH, PHOTOGRAPH[1:])
