# SPDX-License-Identifier: BSD-3-Clause
"""The tables of the progressive codec's benchmark claim nothing that was not measured."""

from __future__ import annotations

import math

import pytest

from calotype.benchmark.studies import progressive as script


def test_nothing_is_said_of_rates_outside_of_the_curve() -> None:
    rows = [{"bpp": 0.25, "psnr": 20.0}, {"bpp": 1.0, "psnr": 30.0}]
    assert script.at(rows, "psnr", 0.5) == pytest.approx(25)
    assert script.at(rows, "psnr", 1.0) == 30
    assert math.isnan(script.at(rows, "psnr", 0.2)) and math.isnan(script.at(rows, "psnr", 1.1))


def test_the_largest_loss_is_none_where_all_gain() -> None:
    curve = [{"bpp": b, "psnr": 20 + b, "ms-ssim": 0.8 + b / 20} for b in (0.25, 0.5, 1.0, 1.5, 2.0)]
    picture = dict.fromkeys((*script.CURVES, "jpeg"), curve)
    assert f"{script.summary({'a': picture})['largest_loss']}" == "0.0"
    worse = [*curve, {**curve[-1], "bpp": 2.5, "ms-ssim": 0.85}]
    assert script.summary({"a": {**picture, "iterations": worse}})["largest_loss"] == pytest.approx(0.05)
