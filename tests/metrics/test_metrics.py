# SPDX-License-Identifier: BSD-3-Clause
"""Metrics against independent implementations."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import pytorch_msssim
import skimage.data
import skimage.metrics
import torch
from numpy.typing import NDArray
from PIL import Image

from calotype.errors import PictureError
from calotype.metrics import bits_per_pixel, most_scales, ms_ssim, ms_ssim_db, mse, psnr, ssim
from calotype.metrics.pair import STRIP_SAMPLES
from calotype.metrics.similarity import WINDOW

Samples = NDArray[Any]


def jpeg_copy(samples: Samples, quality: int) -> Samples:
    file = BytesIO()
    Image.fromarray(samples).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def tensor(samples: Samples) -> torch.Tensor:
    if samples.ndim == 2:
        samples = samples[:, :, None]
    return torch.from_numpy(samples.astype(np.float64)).permute(2, 0, 1)[None]


def window(channels: int) -> torch.Tensor:
    """The package's own window is rounded to float32, which costs it the seventh digit."""
    return torch.tensor(WINDOW, dtype=torch.float64).repeat(channels, 1, 1, 1)


def their_ssim(a: Samples, b: Samples, data_range: float = 255) -> float:
    x = tensor(a)
    return float(pytorch_msssim.ssim(x, tensor(b), data_range=data_range, win=window(x.shape[1])))


def their_ms_ssim(a: Samples, b: Samples, data_range: float = 255) -> float:
    x = tensor(a)
    return float(pytorch_msssim.ms_ssim(x, tensor(b), data_range=data_range, win=window(x.shape[1])))


@pytest.fixture(scope="module")
def photograph() -> Samples:
    return np.asarray(skimage.data.astronaut())


@pytest.mark.parametrize("quality", [5, 50, 97])
@pytest.mark.parametrize("size", [(512, 512), (511, 333), (161, 256), (175, 161)])
def test_rgb_agrees_with_pytorch_msssim(photograph: Samples, quality: int, size: tuple[int, int]) -> None:
    original = photograph[: size[0], : size[1]]
    decoded = jpeg_copy(original, quality)
    assert ssim(original, decoded) == pytest.approx(their_ssim(original, decoded), abs=1e-9)
    ours, theirs = ms_ssim(original, decoded), their_ms_ssim(original, decoded)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert ms_ssim_db(ours) == pytest.approx(ms_ssim_db(theirs), abs=1e-4)


def test_agrees_with_the_package_as_it_is_used(photograph: Samples) -> None:
    decoded = jpeg_copy(photograph, 30)
    theirs = pytorch_msssim.ms_ssim(tensor(photograph).float(), tensor(decoded).float(), data_range=255)
    assert ms_ssim(photograph, decoded) == pytest.approx(float(theirs), abs=1e-5)


def test_grey_and_sixteen_bits(photograph: Samples) -> None:
    grey = photograph[:, :, 1]
    decoded = jpeg_copy(grey, 20)
    assert ms_ssim(grey, decoded) == pytest.approx(their_ms_ssim(grey, decoded), abs=1e-9)
    assert ms_ssim(grey, decoded) == ms_ssim(grey[:, :, None], decoded[:, :, None])
    deep, deep_decoded = (photograph.astype(np.uint16) * 257), (jpeg_copy(photograph, 40).astype(np.uint16) * 257)
    assert ms_ssim(deep, deep_decoded) == pytest.approx(their_ms_ssim(deep, deep_decoded, 65535), abs=1e-9)
    assert ms_ssim(deep, deep_decoded) == pytest.approx(ms_ssim(photograph, jpeg_copy(photograph, 40)), abs=1e-12)


def test_agrees_with_skimage(photograph: Samples) -> None:
    decoded = jpeg_copy(photograph, 60)
    assert mse(photograph, decoded) == pytest.approx(skimage.metrics.mean_squared_error(photograph, decoded), rel=1e-12)
    theirs = skimage.metrics.peak_signal_noise_ratio(photograph, decoded)
    assert psnr(photograph, decoded) == pytest.approx(theirs, abs=1e-9)
    _, full = skimage.metrics.structural_similarity(
        photograph,
        decoded,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    assert ssim(photograph, decoded) == pytest.approx(float(full[5:-5, 5:-5].mean()), abs=1e-4)


def test_values_at_the_ends(photograph: Samples) -> None:
    assert mse(photograph, photograph) == 0
    assert psnr(photograph, photograph) == math.inf
    assert ssim(photograph, photograph) == 1
    assert ms_ssim(photograph, photograph) == 1
    assert ms_ssim_db(1.0) == math.inf
    assert ms_ssim_db(0.9) == pytest.approx(10)
    black, white = np.zeros((176, 176), np.uint8), np.full((176, 176), 255, np.uint8)
    assert psnr(black, white) == 0
    assert ms_ssim(black, white) == pytest.approx(
        (6.5025 / 65031.5025) ** 0.1333, abs=1e-9
    )  # luminance at the coarsest scale
    assert ms_ssim(photograph, 255 - photograph) == 0  # a negative structure term counts as none


def test_sixteen_bit_error_does_not_overflow() -> None:
    low, high = np.zeros((300, 300), np.uint16), np.full((300, 300), 65535, np.uint16)
    assert mse(low, high) == 65535**2
    assert psnr(low, high) == 0


def test_strips_do_not_show() -> None:
    generator = np.random.default_rng(7)
    wide = generator.integers(0, 256, (40, STRIP_SAMPLES // 16), np.uint8)
    noisy = np.clip(wide + generator.normal(0, 9, wide.shape), 0, 255).astype(np.uint8)
    assert ssim(wide, noisy) == pytest.approx(their_ssim(wide, noisy), abs=1e-9)
    assert ssim(wide.T, noisy.T) == pytest.approx(ssim(wide, noisy), abs=1e-12)
    assert mse(wide, noisy) == pytest.approx(float(np.mean((wide.astype(float) - noisy) ** 2)), rel=1e-12)


@pytest.mark.parametrize(
    ("sides", "scales"),
    [((1, 1), 0), ((10, 999), 0), ((11, 11), 1), ((20, 99), 1), ((21, 21), 2), ((160, 999), 4), ((161, 161), 5)],
)
def test_most_scales(sides: tuple[int, int], scales: int) -> None:
    assert most_scales(*sides) == scales
    picture = np.zeros(sides, np.uint8)
    if scales:
        assert ms_ssim(picture, picture, scales=scales) == 1
    if scales < 5:
        with pytest.raises(PictureError, match="pixels, and the picture is"):
            ms_ssim(picture, picture, scales=scales + 1)


def test_one_scale_is_ssim(photograph: Samples) -> None:
    grey, decoded = photograph[:40, :50, 0], jpeg_copy(photograph[:40, :50, 0], 50)
    assert ms_ssim(grey, decoded, scales=1) == pytest.approx(ssim(grey, decoded), abs=1e-12)


@pytest.mark.parametrize("metric", [mse, psnr, ssim, ms_ssim])
def test_pictures_that_cannot_be_compared(metric: Any) -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    with pytest.raises(PictureError, match="300 x 200, 3 channels and 200 x 300, 3 channels"):
        metric(picture, np.zeros((300, 200, 3), np.uint8))
    with pytest.raises(PictureError, match="depth"):
        metric(picture, picture.astype(np.uint16))
    with pytest.raises(PictureError, match="float64"):
        metric(picture, picture.astype(float))
    with pytest.raises(PictureError, match="shaped"):
        metric(picture[None], picture[None])
    with pytest.raises(PictureError, match="shaped"):
        metric(picture[:0], picture[:0])


def test_scales_out_of_range() -> None:
    picture = np.zeros((200, 200), np.uint8)
    for scales in (0, 6, -1):
        with pytest.raises(PictureError, match="1 to 5 scales"):
            ms_ssim(picture, picture, scales=scales)


def test_bits_per_pixel() -> None:
    assert bits_per_pixel(1000, (100, 80)) == 1
    assert bits_per_pixel(1000, np.zeros((80, 100, 3), np.uint8)) == 1
