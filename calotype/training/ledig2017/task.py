# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``ledig2017``: pictures and their small versions, and the loss of SRResNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...arrays import Samples8
from ...networks.cheng2017 import Mixture
from ...networks.ledig2017 import Generator
from ..crops import CropConfig, random_crops
from ..data import PictureCache, still_readable
from ..perceptual import Perceptual
from .bicubic import imresize, resizing
from .protocol import luma_psnr

Enlarger = Generator | Mixture
CHARBONNIER = 1e-3  # where the loss turns from the square to the absolute value: a quarter of an 8-bit step
LARGEST = 512  # side of what is validated of a picture: its middle


@dataclass(frozen=True)
class PixelLossConfig:
    """Settings of the loss between results and photographs."""

    # The paper has the mean squared error. The absolute one reaches a *higher* PSNR in the same time: its gradient does
    # not shrink with the error, so that the many nearly right samples go on improving (Lim 2017, arXiv 1707.02921).
    squared: bool = False


def pixel_loss(made: Tensor, real: Tensor, config: PixelLossConfig) -> Tensor:
    """Mean squared error, or mean absolute error (rounded at zero), over everything."""
    error = (made - real).square()
    return error.mean() if config.squared else (error + CHARBONNIER**2).sqrt().mean()


def pairs(pictures: PictureCache, crop: CropConfig, scale: int, rng: np.random.Generator, size: int) -> list[Tensor]:
    """Small pictures ``(size, 3, h, w)`` and the crops ``(size, 3, H, W)`` they come from, both rounded to 8 bits."""
    real = random_crops(pictures, crop, rng, size)
    if rng.random() < 0.5:
        real = real.flip(2)
    real = real.mul(255).round_().div_(255)
    matrix = torch.from_numpy(resizing(crop.size, crop.size // scale).astype(np.float32)).to(real.device)
    small = (matrix @ real @ matrix.T).mul_(255).round_().clamp_(0, 255).div_(255)
    return [x.contiguous(memory_format=torch.channels_last) for x in (small, real)]


def validation(generator: Enlarger, files: Sequence[Path], perceptual: Perceptual | None = None) -> dict[str, float]:
    """PSNR of the luma in dB after the protocol of the paper, on the middles of pictures, and a perceptual loss."""
    scale = generator.config.scale
    figures: dict[str, list[float]] = {}
    for real in still_readable(files):
        h, w = (min(side, LARGEST) // scale * scale for side in real.shape[:2])
        if not h or not w:  # it has not a pixel when it is small
            continue
        top, left = (real.shape[0] - h) // 2, (real.shape[1] - w) // 2
        real = real[top : top + h, left : left + w]
        made = enlarge(generator, imresize(real, h // scale, w // scale))
        figures.setdefault("psnr_y", []).append(luma_psnr(real, made, scale))
        if perceptual:
            perceptual.cpu()
            distance = perceptual.distance(perceptual.features(planes(made)), perceptual.features(planes(real)))
            figures.setdefault("perceptual", []).append(distance.item())
    return {name: float(np.mean(values)) for name, values in figures.items()}


def planes(samples: Samples8) -> Tensor:
    """``(H, W, 3)`` of 8 bits as ``(1, 3, H, W)`` in 0..1."""
    return torch.from_numpy(samples.astype(np.float32) / 255).permute(2, 0, 1)[None]


def enlarge(generator: Enlarger, small: Samples8) -> Samples8:
    """The generator's result ``(H, W, 3)`` for a small picture ``(h, w, 3)``, both of 8 bits."""
    made = generator(planes(small).contiguous(memory_format=torch.channels_last))[0].permute(1, 2, 0)
    samples: Samples8 = made.mul(255).round().clamp(0, 255).to(torch.uint8).numpy()
    return samples


@dataclass
class ResNetTask:
    """A network that minimises the error of the samples: SRResNet, or a mixture."""

    network: Enlarger
    pictures: PictureCache
    crop: CropConfig
    pixels: PixelLossConfig
    files: Sequence[Path] = ()  # to validate on

    def batch(self, rng: np.random.Generator, size: int) -> list[Tensor]:
        """See :func:`pairs`."""
        return pairs(self.pictures, self.crop, self.network.config.scale, rng, size)

    def loss(self, batch: list[Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The error of the samples, and PSNR over all channels to log."""
        small, real = batch
        made = self.network(small)
        psnr = -10 * (made.detach() - real).square().mean().clamp_min(1e-10).log10()
        return pixel_loss(made, real, self.pixels), {"psnr": psnr.item()}

    def validate(self) -> dict[str, float]:
        """See :func:`validation`."""
        return validation(self.network, self.files)
