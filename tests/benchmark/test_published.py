# SPDX-License-Identifier: BSD-3-Clause
"""Published curves, and the measured ones beside them."""

from __future__ import annotations

import pytest

from calotype.benchmark import published
from calotype.benchmark.compare import compare, delta
from calotype.benchmark.pictures import Photograph
from calotype.errors import CalotypeError
from calotype.metrics.catalogue import MS_SSIM, PSNR


def test_every_curve_has_a_source_and_equal_columns() -> None:
    curves = published.curves()
    assert {"vtm", "hm", "bpg", "av1", "elic2022", "toderici2017"} <= set(curves)
    for curve in curves.values():
        assert curve.source and curve.title and curve.pictures == ()
        assert len({len(points) for points in curve.columns.values()}) == 1
        assert set(curve.columns) <= {"bpp", "psnr-rgb", "ms-ssim-rgb"}


@pytest.mark.parametrize(("name", "percent"), [("vtm", -31.2), ("elic2022", -36.3), ("bpg", -14.4), ("av1", -19.7)])
def test_known_delta_rates_of_psnr(name: str, percent: float) -> None:
    anchor = published.stored("kodak_measured.json")["curves"]["avif"]
    found = delta(published.curves()[name].columns, anchor, PSNR)
    assert found and found.percent == pytest.approx(percent, abs=0.06)


@pytest.mark.parametrize(("name", "psnr", "ms_ssim"), [("jpeg", 90.8, 90.0), ("jxl", 37.2, 43.0)])
def test_known_delta_rates_of_measured_peers(name: str, psnr: float, ms_ssim: float) -> None:
    curves = published.stored("kodak_measured.json")["curves"]
    for metric, percent in ((PSNR, psnr), (MS_SSIM, ms_ssim)):
        found = delta(curves[name], curves["avif"], metric)
        assert found and found.percent == pytest.approx(percent, abs=0.06)


def test_only_averages_are_compared() -> None:
    vtm, elic = published.select(["vtm", "elic2022"])
    found = compare(elic, vtm, PSNR)
    assert found.averaged and found.averaged.percent < 0
    assert found.per_picture is None and found.pictures == 0
    assert compare(elic, vtm, MS_SSIM).averaged is None  # not published


def test_selection() -> None:
    assert [curve.name for curve in published.select(["bpg", "vtm", "bpg"])] == ["bpg", "vtm"]
    assert len(published.select(["all"])) == len(published.curves())
    with pytest.raises(CalotypeError, match="no published curve x266"):
        published.select(["x266"])


def test_other_pictures_are_not_kodak(photographs: list[Photograph]) -> None:
    assert not published.is_kodak(photographs)
