# SPDX-License-Identifier: BSD-3-Clause
"""What errors cost: the measure of training, in both halves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calotype.codecs.talbot.distortion import HVS_WEIGHT, MS_SSIM_WEIGHT, PEAK, SSIMULACRA2_WEIGHT, Distortion, Shares
from calotype.engine.bundles import Bundle
from calotype.errors import BundleError
from calotype.metrics import ms_ssim, psnr_hvs
from calotype.metrics.ssimulacra2 import weighted_sum

RNG = np.random.default_rng(3)
X = np.clip(0.5 + 0.3 * np.sin(np.mgrid[:180, :170].sum(0) / 9) + RNG.normal(0, 0.05, (3, 180, 170)), 0, 1)
X = X.astype(np.float32)
Y = (X + RNG.normal(0, 0.04, X.shape)).astype(np.float32)


def test_squared_error_alone() -> None:
    error = np.square(np.clip(Y, 0, 1) - X).mean(dtype=float)
    assert Distortion(0.01).bits(Y, X) == pytest.approx(0.01 * PEAK * error * 180 * 170)
    assert Distortion(0.01).bits(X, X) == 0


def test_a_share_of_ms_ssim() -> None:
    x, y = (np.moveaxis(np.rint(np.clip(p, 0, 1) * 65535), 0, 2).astype(np.uint16) for p in (X, Y))
    expected = 0.1 * Distortion(0.01).bits(Y, X) + 0.9 * 0.01 * MS_SSIM_WEIGHT * (1 - ms_ssim(x, y)) * 180 * 170
    assert Distortion(0.01, Shares(ms_ssim=0.9)).bits(Y, X) == pytest.approx(expected)


def test_shares_of_all_measures() -> None:
    x, y = (np.moveaxis(np.rint(np.clip(p, 0, 1) * 65535), 0, 2).astype(np.uint16) for p in (X, Y))
    found = Distortion(0.01, Shares(0.5, 0.25)).bits(Y, X)
    rest = 0.25 * Distortion(0.01).bits(Y, X)
    hvs = 0.25 * HVS_WEIGHT * 10 ** (-psnr_hvs(x, y) / 10)
    seen = 0.5 * SSIMULACRA2_WEIGHT * weighted_sum(x, y) ** 0.9
    assert found == pytest.approx(rest + 0.01 * 180 * 170 * (hvs + seen))


def test_what_is_too_small_for_any_scale_has_a_squared_error() -> None:
    x, y = X[:, :9, :50], Y[:, :9, :50]
    assert Distortion(0.01, Shares(ms_ssim=0.9)).bits(y, x) == Distortion(0.01).bits(y, x) > 0
    assert Distortion(0.01, Shares(ms_ssim=0.9)).bits(Y[:, :40, :40], X[:, :40, :40]) > 0  # two scales fit


def test_refinement_descends_the_same_measure() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from calotype.training.talbot.refinement import distortion_bits

    inside = np.clip(Y, 0, 1)
    for shares in (Shares(), Shares(ms_ssim=0.9), Shares(0.5, 0.2, 0.2)):
        for size in (180, 64, 9, 7):
            a, b = inside[:, :size, :size], X[:, :size, :size]
            distortion = Distortion(0.02, shares)
            found = distortion_bits(distortion, torch.tensor(a, requires_grad=True), torch.tensor(b))
            assert found.requires_grad and found.item() == pytest.approx(distortion.bits(a, b), rel=1e-2)


UNSOUND = {"configuration": {"lambda_min": 0.01, "lambda_max": 1}, "distortion": {"ms_ssim": 0.9, "psnr_hvs": 0.2}}


@pytest.mark.parametrize(
    "description", [{}, {"configuration": {"lambda_min": "little"}}, {"configuration": 3}, UNSOUND]
)
def test_weights_that_do_not_say_are_refused(description: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="do not say what they were trained for"):
        Distortion.of(Bundle(Path("weights"), description), 0.5)


def test_what_a_bundle_says() -> None:
    description = {"configuration": {"lambda_min": 0.01, "lambda_max": 1}, "distortion": {"ms_ssim": 0.9}}
    found = Distortion.of(Bundle(Path("weights"), description), 0.5)
    assert found.lambda_ == pytest.approx(0.1) and found.shares == Shares(ms_ssim=0.9)
