# SPDX-License-Identifier: BSD-3-Clause
"""How wrong each cell is."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.codecs.toderici2017.cell_errors import JUDGES, squared_errors, structural_errors
from calotype.metrics import ms_ssim


def test_squared_errors_are_those_of_the_picture_alone() -> None:
    x = np.zeros((3, 17, 20), np.float32)
    x_hat = np.full((3, 32, 32), 2.0, np.float32)  # clipped to 1
    errors = squared_errors(x)(x_hat)
    assert errors.shape == (2, 2)
    assert np.allclose(errors, 3 * 255**2 * np.outer([16, 1], [16, 4]))
    assert (x == 0).all() and (x_hat == 2).all()


@pytest.mark.parametrize("tune", JUDGES)
def test_flat_places_count_in_full(tune: str) -> None:
    x = np.full((3, 32, 48), 0.5, np.float32)
    errors = JUDGES[tune](x)(x + np.float32(0.01))
    assert np.allclose(errors, 3 * 256 * (0.01 * 255) ** 2, rtol=0.02)
    assert (JUDGES[tune](x)(x) == 0).all()


def test_texture_hides_errors_and_fine_ones_show_less() -> None:
    rng = np.random.default_rng(1)
    x = np.full((3, 64, 64), 0.5, np.float32)
    x[:, :, 32:] += rng.normal(0, 0.1, (64, 32)).astype(np.float32)
    judge = structural_errors(x)
    fine = np.where(rng.random(x.shape) < 0.5, -0.02, 0.02).astype(np.float32)
    errors = judge(x + fine)
    assert errors[:, 3].max() < 0.3 * errors[:, 0].min()
    coarse = judge(x + np.float32(0.02))
    assert errors[:, 0].max() < 0.5 * coarse[:, 0].min()  # the same squared error


def test_what_it_finds_worse_ms_ssim_finds_worse() -> None:
    """Noise of equal squared error in the flat half, and in the textured half."""
    rng = np.random.default_rng(2)
    x = np.full((3, 256, 256), 0.5, np.float32)
    x[:, :, 128:] += rng.normal(0, 0.15, (256, 128)).astype(np.float32)
    noise = rng.normal(0, 0.04, (3, 256, 128)).astype(np.float32)
    flat, textured = x.copy(), x.copy()
    flat[:, :, :128] += noise
    textured[:, :, 128:] += noise
    judged = [float(structural_errors(x)(y).sum()) for y in (flat, textured)]
    bytes_ = [(np.clip(y, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0) for y in (x, flat, textured)]
    losses = [1 - ms_ssim(bytes_[0], y) for y in bytes_[1:]]
    assert judged[0] > 2 * judged[1] and losses[0] > 2 * losses[1]
