# SPDX-License-Identifier: BSD-3-Clause
"""Adversarial training of ``ledig2017``: a generator that learned the samples learns to be taken for a photograph.

Generator and discriminator are one network to the loop, with one optimiser and one step: the generator's loss sees the
discriminator's weights detached, the discriminator's loss sees detached pictures, so that the sum of both losses gives
each its own gradient. States, resuming and averages are then the loop's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ...networks.ledig2017 import Discriminator, Generator
from ..critics import WOVEN_CELLS, detail_energy, shifted
from ..crops import CropConfig
from ..data import PictureCache
from ..loop import tell
from ..perceptual import Perceptual
from .task import PixelLossConfig, pairs, pixel_loss, validation

WATCHED = 100  # steps over whose mean the training is judged
WON = 0.97  # mean certainty of a discriminator that teaches nothing any more
OFF = 0.03  # mean error of a made picture scaled down again, against what it was made from: it ignores its input
INVISIBLE = 2 / 255  # response of the Laplacian that nobody sees
DETAIL = (0.05, 2.0)  # energy of fine detail, made to real: SRResNet has about 0.1; less is collapse, more is noise


@dataclass(frozen=True)
class AdversarialConfig:
    """Weights of the generator's losses, and learning rates."""

    pixels: float = 1.0  # error of the samples, 0.01 to 0.03: keeps colours and large shapes
    perceptual: float = 0.1  # by SqueezeNet 0.1 to 0.4
    adversarial: float = 1e-2  # -log D, about 0.7 when nobody wins
    weave: float = 0.1  # of :func:`weave`, in so far as made pictures have more of it than real ones


class Adversaries(nn.Module):
    """A generator and its discriminator."""

    def __init__(self, generator: Generator, discriminator: Discriminator) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator


@dataclass
class Watch:
    """Means over the last steps; says on standard error when the training goes wrong, once for each way."""

    values: dict[str, deque[float]] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def __call__(self, details: dict[str, float]) -> None:
        """Take note of a step."""
        for name, value in details.items():
            self.values.setdefault(name, deque(maxlen=WATCHED)).append(value)
        if len(self.values["d_real"]) < WATCHED:
            return
        d_real, d_fake, off, detail = (float(np.mean(self.values[k])) for k in ("d_real", "d_fake", "off", "detail"))
        self.judge("won", d_real > WON and d_fake < 1 - WON, f"the discriminator has won ({d_real:.3f}, {d_fake:.3f})")
        self.judge("off", not off < OFF, f"divergence: made pictures leave what they are made from ({off:.3f})")
        self.judge("smooth", detail < DETAIL[0], f"collapse: the detail of made pictures vanishes ({detail:.2f})")
        self.judge("noise", not detail < DETAIL[1], f"divergence: made pictures have too much detail ({detail:.2f})")

    def judge(self, name: str, wrong: bool, sentence: str) -> None:
        """Say it when it begins, and again if it comes back."""
        if wrong and name not in self.said:
            self.said.add(name)
            tell(f"warning: {sentence}; means of {WATCHED} steps")
        elif not wrong:
            self.said.discard(name)


def weave(x: Tensor, scale: int) -> Tensor:
    """Share of fine detail that repeats from cell to cell of the ``scale x scale`` grid that a pixel-shuffle fills.

    For each window of 4 x 4 cells the share ``(B, h, w)`` of the energy of a Laplacian that a pattern of one cell, the
    same in all 16, explains: 1 for a weave or a checkerboard, 1/16 for noise, and 0 where there is nothing to see.
    """
    y = x.mean(1, keepdim=True)
    laplace = 4 * y[..., 1:-1, 1:-1] - y[..., :-2, 1:-1] - y[..., 2:, 1:-1] - y[..., 1:-1, :-2] - y[..., 1:-1, 2:]
    h, w = (side // scale * scale for side in laplace.shape[2:])
    cells = F.pixel_unshuffle(laplace[..., :h, :w], scale)  # (B, scale^2, h, w)
    pattern = F.avg_pool2d(cells, WOVEN_CELLS, WOVEN_CELLS // 2).square().mean(1)
    energy = F.avg_pool2d(cells.square().mean(1, keepdim=True), WOVEN_CELLS, WOVEN_CELLS // 2)[:, 0]
    return pattern / (energy + INVISIBLE**2)


@dataclass
class AdversarialTask:
    """Perceptual, adversarial and pixel loss: SRGAN."""

    network: Adversaries
    pictures: PictureCache
    crop: CropConfig
    pixels: PixelLossConfig
    weights: AdversarialConfig
    perceptual: Perceptual
    files: Sequence[Path] = ()  # to validate on
    watch: Watch = field(default_factory=Watch)

    def batch(self, rng: np.random.Generator, size: int) -> list[Tensor]:
        """See :func:`calotype.training.ledig2017.task.pairs`."""
        return pairs(self.pictures, self.crop, self.network.generator.config.scale, rng, size)

    def loss(self, batch: list[Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The losses of both networks, and what to log: mean opinions of the discriminator, and signs of trouble."""
        small, real = batch
        generator, discriminator, weights = self.network.generator, self.network.discriminator, self.weights
        self.perceptual.in_bfloat16 = generator.branch_in_bfloat16
        made = generator(small)
        frozen = {name: p.detach() for name, p in discriminator.named_parameters()}
        pixels = pixel_loss(made, real, self.pixels)
        made_seen, real_seen = shifted(made, real)
        perceptual = self.perceptual(made_seen, real_seen)
        adversarial = F.softplus(-cast(Tensor, functional_call(discriminator, frozen, (made_seen,)))).mean()
        of_real, of_made = discriminator(real_seen), discriminator(made_seen.detach())
        judging = F.softplus(-of_real).mean() + F.softplus(of_made).mean()
        scale = generator.config.scale
        woven = F.relu(weave(made, scale) - weave(real, scale)).mean()
        loss = (
            weights.weave * woven
            + weights.pixels * pixels
            + weights.perceptual * perceptual
            + weights.adversarial * adversarial
        )
        with torch.no_grad():
            again = F.avg_pool2d(made, scale)
            details = {
                "pixels": pixels.item(),
                "perceptual": perceptual.item(),
                "adversarial": adversarial.item(),
                "d_real": of_real.sigmoid().mean().item(),
                "d_fake": of_made.sigmoid().mean().item(),
                "weave": woven.item(),
                "off": (again - small).abs().mean().item(),
                "detail": (detail_energy(made) / detail_energy(real).clamp_min(1e-8)).item(),
            }
        self.watch(details)
        return loss + judging, details

    def validate(self) -> dict[str, float]:
        """PSNR, and the perceptual distance, of the validation pictures."""
        return validation(self.network.generator, self.files, self.perceptual)
