# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.fft

from calotype.errors import PictureError
from calotype.metrics import luma, psnr_hvs, psnr_hvs_m
from calotype.metrics.hvs import DCT, blocks
from calotype.metrics.pair import STRIP_SAMPLES

from .copies import PHOTOGRAPH, Samples, deep, jpeg_copy

# It divides by the variance of flat blocks before it throws the result away.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


@pytest.fixture(scope="module")
def reference() -> Any:
    return pytest.importorskip("psnr_hvsm")


def theirs(reference: Any, a: Samples, b: Samples) -> tuple[float, float]:
    """PSNR-HVS and PSNR-HVS-M of whole blocks, by the package, for the same luma."""
    height, width = (side // 8 * 8 for side in a.shape[:2])
    peak = np.iinfo(a.dtype).max
    plain, masked = reference.psnr_hvs_hvsm(luma(a)[:height, :width] / peak, luma(b)[:height, :width] / peak)
    return float(plain), float(masked)


@pytest.mark.parametrize("quality", [3, 20, 50, 80, 98])
@pytest.mark.parametrize("size", [(512, 512), (333, 250), (8, 8)])
def test_agrees_with_the_psnr_hvsm_package(reference: Any, quality: int, size: tuple[int, int]) -> None:
    original = PHOTOGRAPH[: size[0], : size[1]]
    decoded = jpeg_copy(original, quality)
    plain, masked = theirs(reference, original, decoded)
    assert psnr_hvs(original, decoded) == pytest.approx(plain, abs=1e-4)
    assert psnr_hvs_m(original, decoded) == pytest.approx(masked, abs=1e-4)
    assert psnr_hvs_m(original, decoded) >= psnr_hvs(original, decoded)


def test_other_damage_grey_and_depth(reference: Any) -> None:
    generator = np.random.default_rng(5)
    noisy = np.clip(PHOTOGRAPH + generator.normal(0, 12, PHOTOGRAPH.shape), 0, 255).astype(np.uint8)
    darker, flat = PHOTOGRAPH // 2, np.full_like(PHOTOGRAPH, 90)
    for other in (noisy, darker, flat):
        plain, masked = theirs(reference, PHOTOGRAPH, other)
        assert psnr_hvs(PHOTOGRAPH, other) == pytest.approx(plain, abs=1e-4)
        assert psnr_hvs_m(PHOTOGRAPH, other) == pytest.approx(masked, abs=1e-4)
    grey = PHOTOGRAPH[..., 0]
    assert psnr_hvs(grey, noisy[..., 0]) == pytest.approx(theirs(reference, grey, noisy[..., 0])[0], abs=1e-4)
    for metric in (psnr_hvs, psnr_hvs_m):
        assert metric(deep(PHOTOGRAPH), deep(noisy)) == pytest.approx(metric(PHOTOGRAPH, noisy), abs=1e-9)


def test_strips_do_not_show(reference: Any) -> None:
    generator = np.random.default_rng(6)
    wide = generator.integers(0, 256, (41, STRIP_SAMPLES // 64), np.uint8)
    noisy = generator.integers(0, 256, wide.shape, np.uint8)
    plain, masked = theirs(reference, wide, noisy)
    assert psnr_hvs(wide, noisy) == pytest.approx(plain, abs=1e-6)
    assert psnr_hvs_m(wide, noisy) == pytest.approx(masked, abs=1e-6)


def test_the_matrix_is_the_dct() -> None:
    samples = np.random.default_rng(2).normal(0, 50, (24, 16))
    ours = blocks(samples) @ DCT
    expected = scipy.fft.dctn(samples[8:16, 8:16], norm="ortho")
    assert ours[3].reshape(8, 8) == pytest.approx(expected, abs=1e-9)


def test_ends() -> None:
    assert psnr_hvs(PHOTOGRAPH, PHOTOGRAPH) == psnr_hvs_m(PHOTOGRAPH, PHOTOGRAPH) == math.inf
    changed = PHOTOGRAPH[:15, :15].copy()
    changed[8:, :] ^= 255  # in no whole block
    assert psnr_hvs(PHOTOGRAPH[:15, :15], changed) == math.inf
    for metric in (psnr_hvs, psnr_hvs_m):
        with pytest.raises(PictureError, match="at least 8 pixels, and the picture is 7 x 20"):
            metric(PHOTOGRAPH[:20, :7], PHOTOGRAPH[:20, :7])
