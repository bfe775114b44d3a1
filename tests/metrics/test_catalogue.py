# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import math

import pytest

from calotype import metrics
from calotype.errors import PictureError
from calotype.metrics import catalogue
from calotype.metrics.catalogue import METRICS, available, measure

from .copies import PHOTOGRAPH, jpeg_copy


def test_values_are_those_of_the_functions() -> None:
    decoded = jpeg_copy(PHOTOGRAPH, 30)
    made = measure(PHOTOGRAPH, decoded)
    assert made.notes == () and made.scales == 5
    expected = {
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
        assert made.values[key] == function(PHOTOGRAPH, decoded), key
    assert made.values["ms-ssim-rgb-db"] == metrics.ms_ssim_db(made.values["ms-ssim-rgb"])
    assert [key for key in METRICS if key in made.values] == list(made.values)


def test_equal_pictures_and_directions() -> None:
    same, other = measure(PHOTOGRAPH, PHOTOGRAPH), measure(PHOTOGRAPH, jpeg_copy(PHOTOGRAPH, 10))
    assert same.values["psnr-hvs-m-luma"] == math.inf and same.values["mse-rgb"] == 0
    for key, value in same.values.items():
        assert (value > other.values[key]) == METRICS[key].higher_is_better, key


@pytest.mark.parametrize(
    ("side", "scales", "missing"), [(1, 0, ("SSIM", "PSNR-HVS")), (9, 0, ("SSIM",)), (64, 3, ()), (160, 4, ())]
)
def test_small_pictures(side: int, scales: int, missing: tuple[str, ...]) -> None:
    picture = PHOTOGRAPH[:side, :side]
    made = measure(picture, picture)
    assert made.scales == scales and made.values["psnr-rgb"] == math.inf
    assert all(any(name in note for note in made.notes) for name in missing)
    assert ("ssim-rgb" in made.values) == (side > 10) and ("psnr-hvs-luma" in made.values) == (side >= 8)
    assert any(f"{scales} of 5 scales" in note for note in made.notes) == bool(scales)


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "has_ssimulacra2", lambda: False)
    known, notes = available(None)
    assert not {"ssimulacra2", "squeezenet"} & {metric.key for metric in known}
    assert len(notes) == 1 and "pip install calotype[metrics]" in notes[0]
    assert "ssimulacra2" not in measure(PHOTOGRAPH, PHOTOGRAPH).values


def test_sizes_differ() -> None:
    with pytest.raises(PictureError, match="differ in size"):
        measure(PHOTOGRAPH, PHOTOGRAPH[1:])
