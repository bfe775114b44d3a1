# SPDX-License-Identifier: BSD-3-Clause
"""Adversarial training of ``rippel2017`` (section 4 of the paper): which of two pictures is the photograph?

The discriminator sees photograph and reconstruction side by side, in random order, and judges them at several scales.
Only while it is often right does the codec learn from it, and once it is nearly always right it stops learning.

Both are one network to the loop: the codec's loss sees the discriminator's weights detached, the discriminator's loss
sees detached pictures, so that their sum gives each its own gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from ...networks.rippel2017 import Adversaries
from ..data import PictureCache
from .task import Rippel2017Task, TaskConfig


@dataclass(frozen=True)
class AdversarialConfig:
    """The adversary, and how the two learn."""

    weight: float = 0.05  # of the codec's wish to be taken for the photograph, beside the logarithm of its error
    width: int = 24  # channels of the discriminator's first layers
    low: float = 0.8  # share of right answers below which the codec does not listen
    high: float = 0.95  # and above which the discriminator does not learn
    memory: float = 0.95  # share of the running mean of right answers that a step keeps


@dataclass
class AdversarialTask:
    """The codec's loss, and that of an adversary."""

    network: Adversaries
    pictures: PictureCache
    config: TaskConfig
    adversarial: AdversarialConfig
    validation: Sequence[Path] = ()
    codec: Rippel2017Task = field(init=False)

    def __post_init__(self) -> None:
        self.codec = Rippel2017Task(self.network.codec, self.pictures, self.config, self.validation)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """As without an adversary."""
        return self.codec.batch(rng, size)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Sum of both losses; log how often the discriminator is right as well."""
        x, network, config = batch[0], self.network, self.adversarial
        x_hat, loss, details = self.codec.reconstruct(batch)
        swapped = torch.rand(len(x), device=x.device) < 0.5
        right = torch.where(swapped, -1.0, 1.0)
        opinions = network.discriminator(paired(x, x_hat.detach(), swapped))
        judged = ((opinions.detach() * right) > 0).float().mean()
        if network.training:
            network.accuracy.copy_(config.memory * network.accuracy + (1 - config.memory) * judged)
        accuracy = network.accuracy.item()
        if accuracy < config.high:
            loss = loss + F.softplus(-opinions * right).mean()
        if accuracy > config.low:
            frozen = {name: p.detach() for name, p in network.discriminator.named_parameters()}
            seen = functional_call(network.discriminator, frozen, (paired(x, x_hat, swapped),))
            loss = loss + config.weight * F.softplus(cast(Tensor, seen) * right).mean()
        return loss, {**details, "right": judged.item()}

    def validate(self) -> dict[str, float]:
        """As without an adversary."""
        return self.codec.validate()


def paired(x: Tensor, x_hat: Tensor, swapped: Tensor) -> Tensor:
    """Photographs and reconstructions side by side ``(B, 6, H, W)``, the latter first where ``swapped (B,)``."""
    there = swapped[:, None, None, None]
    return torch.cat([torch.where(there, x_hat, x), torch.where(there, x, x_hat)], 1)
