# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``rippel2017``: all thresholds at once, with adaptive codelength regularisation.

A step draws the threshold down to which each crop's bit planes are read. The loss is the logarithm of the error, so
that all rates count alike, plus a penalty of the latents' codelength (section 3.2.3 of the paper): the logarithms of
their moduli, and of their differences from neighbours, in units of the threshold. Its weight is steered, so that the
measured codelength approaches a target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...metrics.similarity import most_scales
from ...networks.rippel2017 import CELL, GROUPS, Rippel2017
from ..crops import CropConfig, random_crops
from ..data import PictureCache, middle, still_readable
from ..losses import ms_ssim, mse

JUDGED = (0.0, 2.0, 4.0)  # log2 of thresholds to validate at
FLOOR = {"mse": 1e-5, "ms-ssim": 1e-4}  # added to an error before its logarithm is taken
WEIGHTS = (0.1, 10.0)  # bounds of the penalty's weight


@dataclass(frozen=True)
class TaskConfig:
    """The loss, and the codelengths it covers."""

    ms_ssim: float = 0.85  # shares of the two errors
    mse: float = 0.15
    size: int = 176  # side of crops, a multiple of 16; MS-SSIM with five scales needs more than 160
    scale_min: float = 0.5  # of the random resizing of crops
    scale_max: float = 1.2
    coarsest: float = 6.0  # log2 of the largest threshold; the smallest is 1
    halves: float = 0.4  # share of crops of which the last plane is known for the first group of channels only
    target: float = 0.13  # bits per pixel: the geometric mean of the codelengths
    neighbours: float = 0.15  # share of differences from neighbours in the penalty
    steering: float = 0.01  # by which the penalty's weight follows, a step


@dataclass
class Rippel2017Task:
    """Less error at every codelength."""

    network: Rippel2017
    pictures: PictureCache
    config: TaskConfig = field(default_factory=TaskConfig)
    validation: Sequence[Path] = ()

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Crops, and log2 of the thresholds ``(B, 2)`` of their groups of channels."""
        config = self.config
        crop = CropConfig(config.size, config.scale_min, config.scale_max, 0.8)
        x = random_crops(self.pictures, crop, rng, size)
        drawn = (rng.permutation(size) + rng.random(size)) / size * config.coarsest
        late = rng.random(size) < config.halves
        thresholds = torch.from_numpy(np.stack([drawn, drawn + late], 1)).float()
        return x.contiguous(memory_format=torch.channels_last), thresholds

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The mean logarithm of the errors plus the penalty; log both and the codelength."""
        _, loss, details = self.reconstruct(batch)
        return loss, details

    def reconstruct(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, dict[str, float]]:
        """What a batch becomes, and its :meth:`loss`."""
        x, thresholds = batch
        x_hat, y = self.network(x, thresholds)
        distance, details = self.distance(x_hat, x)
        penalty, length = self.codelength(y, thresholds, x.shape[2] * x.shape[3])
        return x_hat, distance + penalty, {**details, **length}

    def distance(self, x_hat: Tensor, x: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The mean weighted logarithm of the errors."""
        similarity = ms_ssim(x, x_hat, scales=min(5, most_scales(*x.shape[2:])))
        terms = {"ms-ssim": (1 - similarity + FLOOR["ms-ssim"]).log(), "mse": (mse(x_hat, x) + FLOOR["mse"]).log()}
        decibels = {name: -10 / math.log(10) * term.mean().item() for name, term in terms.items()}
        distance = self.config.ms_ssim * terms["ms-ssim"].mean() + self.config.mse * terms["mse"].mean()
        return distance, decibels

    def codelength(self, y: Tensor, thresholds: Tensor, pixels: int) -> tuple[Tensor, dict[str, float]]:
        """The penalty; and move its weight, where the network is being trained."""
        config, weight = self.config, self.network.penalty
        each = thresholds.exp2().repeat_interleave(y.shape[1] // GROUPS, 1)[:, :, None, None]
        scaled = y / each
        measured = entropy(scaled.detach().trunc()) / pixels
        mean = (measured + 1e-4).log().mean()
        penalty = (penalties(scaled, config.neighbours) / pixels + 1e-4).log().mean() * weight.clone()
        if self.network.training:
            moved = weight * ((mean - math.log(config.target)).clamp(-1, 1) * config.steering).exp()
            weight.copy_(moved.clamp(*WEIGHTS))
        return penalty, {"bpp": mean.exp().item(), "penalty": weight.item()}

    def validate(self) -> dict[str, float]:
        """Codelength, PSNR and MS-SSIM (both in decibels) of the middles of the validation pictures."""
        figures: dict[str, list[float]] = {}
        for picture in still_readable(self.validation):
            x = middle(picture)
            h, w = x.shape[2:]
            padded = F.pad(x, (0, -w % CELL, 0, -h % CELL), mode="replicate")
            for log2 in JUDGED:
                x_hat, y = self.network(padded, torch.full((1, GROUPS), log2))
                x_hat = x_hat[..., :h, :w].clamp(0, 1)
                similarity = float(ms_ssim(x, x_hat, scales=min(5, most_scales(h, w))))
                values = {
                    "bpp": float(entropy((y / 2**log2).trunc())) / (h * w),
                    "psnr": -10 * math.log10(float(mse(x_hat, x)) + 1e-9),
                    "ms-ssim": -10 * math.log10(1 - similarity + 1e-9),
                }
                for name, value in values.items():
                    figures.setdefault(f"{name}@{log2:g}", []).append(value)
        return {name: float(np.mean(values)) for name, values in figures.items()}


def penalties(y: Tensor, neighbours: float) -> Tensor:
    """Of latents in units of the threshold: about the bits of their moduli and of their differences, ``(B,)``."""
    moduli = (1 + y.abs()).log2().sum((1, 2, 3))
    if not neighbours:
        return moduli
    down, right = y[:, :, 1:] - y[:, :, :-1], y[:, :, :, 1:] - y[:, :, :, :-1]
    differences = (1 + down.abs()).log2().sum((1, 2, 3)) + (1 + right.abs()).log2().sum((1, 2, 3))
    return (1 - neighbours) * moduli + neighbours / 2 * differences


def entropy(steps: Tensor, largest: int = 31) -> Tensor:
    """Bits ``(B,)`` of whole numbers ``(B, C, h, w)``, by how often each occurs in its channel.

    Larger moduli than ``largest`` count as that one, and cost the bits that they have more.
    """
    moduli = steps.abs().clamp_min(1)
    beyond = (moduli / largest).clamp_min(1).log2().sum((1, 2, 3))
    index = (steps.clamp(-largest, largest) + largest).long().flatten(2)
    counts = torch.zeros(*index.shape[:2], 2 * largest + 1, device=steps.device)
    counts.scatter_add_(2, index, torch.ones_like(index, dtype=counts.dtype))
    bits = -(counts * (counts / index.shape[2]).clamp_min(1e-9).log2()).sum((1, 2))
    return bits + beyond
