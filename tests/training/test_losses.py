# SPDX-License-Identifier: BSD-3-Clause
"""The losses hold to the metrics of the same name, and can be trained with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pytorch_msssim

from calotype import metrics
from calotype.errors import PictureError
from tests.metrics.copies import PHOTOGRAPH, Samples, jpeg_copy

torch = pytest.importorskip("torch")

from calotype.training import losses  # noqa: E402


def batch(*pictures: Samples, dtype: Any = torch.float32) -> torch.Tensor:
    stacked = np.stack([p if p.ndim == 3 else p[..., None] for p in pictures]).astype(np.float64) / 255
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).to(dtype)


def decibels(error: torch.Tensor) -> list[float]:
    return [-10 * math.log10(value) for value in error.tolist()]


@pytest.mark.parametrize("size", [(256, 256), (171, 203)])
@pytest.mark.parametrize("grey", [False, True])
def test_losses_are_the_metrics(size: tuple[int, int], grey: bool) -> None:
    original = PHOTOGRAPH[: size[0], 100 : 100 + size[1]]
    original = np.ascontiguousarray(original[..., 1]) if grey else original
    copies = [jpeg_copy(original, quality) for quality in (5, 40, 90)]
    x, y = batch(*[original] * 3), batch(*copies)
    expected = [metrics.psnr(original, copy) for copy in copies]
    assert decibels(losses.mse(x, y)) == pytest.approx(expected, abs=1e-4)
    expected = [metrics.psnr_hvs(original, copy) for copy in copies]
    assert decibels(losses.hvs_mse(x, y)) == pytest.approx(expected, abs=1e-4)
    for scales in (1, 3, 5):
        ours = (1 - losses.ms_ssim(x.double(), y.double(), scales=scales)).tolist()
        expected = [1 - metrics.ms_ssim(original, copy, scales=scales) for copy in copies]
        assert [-10 * math.log10(v) for v in ours] == pytest.approx([-10 * math.log10(v) for v in expected], abs=1e-4)


def test_single_precision_is_enough_for_training() -> None:
    original, copy = PHOTOGRAPH[:256, :256], jpeg_copy(PHOTOGRAPH[:256, :256], 60)
    x, y = batch(original), batch(copy)
    assert losses.ms_ssim(x, y).item() == pytest.approx(metrics.ms_ssim(original, copy), abs=1e-5)
    assert losses.ms_ssim(x, y).item() == pytest.approx(pytorch_msssim.ms_ssim(x, y, data_range=1).item(), abs=1e-5)


@pytest.mark.parametrize("loss", [losses.mse, losses.hvs_mse, lambda x, y: 1 - losses.ms_ssim(x, y, scales=1)])
def test_gradients_are_right(loss: Any) -> None:
    generator = torch.Generator().manual_seed(4)
    x = torch.rand(2, 3, 16, 16, dtype=torch.float64, generator=generator)
    y = torch.rand(2, 3, 16, 16, dtype=torch.float64, generator=generator).requires_grad_()
    torch.autograd.gradcheck(lambda z: loss(x, z), (y,), fast_mode=True)


def test_ssimulacra2_is_the_metric() -> None:
    original = PHOTOGRAPH[:256, 100:356]
    copies = [jpeg_copy(original, quality) for quality in (10, 80)]
    found = losses.ssimulacra2_scores(losses.ssimulacra2_sum(batch(*[original] * 2), batch(*copies)))
    assert found == pytest.approx([metrics.ssimulacra2(original, copy) for copy in copies], abs=0.5)
    assert losses.ssimulacra2_sum(batch(original), batch(original)).item() < 0.2


def test_bands_and_convolutions_blur_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = batch(PHOTOGRAPH[:176, :192]), batch(jpeg_copy(PHOTOGRAPH[:176, :192], 30))
    banded = [loss(x, y).item() for loss in (losses.ssimulacra2_sum, losses.ms_ssim)]
    monkeypatch.setattr(losses, "BANDED", 0)
    assert [loss(x, y).item() for loss in (losses.ssimulacra2_sum, losses.ms_ssim)] == pytest.approx(banded, rel=1e-4)


def test_a_loss_that_does_not_compile_is_computed_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", lambda loss, **_: broken)
    fused, x = losses.Compiled(losses.mse), torch.rand(2, 3, 16, 16)
    for _ in range(2):
        assert torch.equal(fused(x, 1 - x), losses.mse(x, 1 - x))
    assert capsys.readouterr().err.count("cannot be compiled here") == 1


@pytest.mark.parametrize(
    "loss", [losses.mse, losses.hvs_mse, lambda x, y: 1 - losses.ms_ssim(x, y), losses.ssimulacra2_sum]
)
def test_training_starts_anywhere(loss: Any) -> None:
    """From an equal picture, a flat one and the opposite: no gradient is lost to infinities."""
    x = batch(PHOTOGRAPH[:176, :176])
    for start in (x, torch.full_like(x, 0.5), 1 - x, torch.zeros_like(x)):
        y = start.clone().requires_grad_()
        loss(x, y).sum().backward()
        assert y.grad is not None and torch.isfinite(y.grad).all()


def test_descent_comes_nearer() -> None:
    x = batch(PHOTOGRAPH[:176, :176])
    y = batch(jpeg_copy(PHOTOGRAPH[:176, :176], 10)).requires_grad_()
    before = losses.ms_ssim(x, y).item()
    optimiser = torch.optim.Adam([y], lr=0.01)
    for _ in range(8):
        optimiser.zero_grad()
        (1 - losses.ms_ssim(x, y)).sum().backward()
        optimiser.step()
    assert losses.ms_ssim(x, y).item() > before + 0.01


def test_crops_too_small() -> None:
    x = torch.zeros(1, 3, 160, 256)
    with pytest.raises(PictureError, match="256 x 160 pixels are too small"):
        losses.ms_ssim(x, x)
    with pytest.raises(PictureError, match="1 to 5 scales"):
        losses.ms_ssim(x, x, scales=6)
