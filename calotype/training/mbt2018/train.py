# SPDX-License-Identifier: BSD-3-Clause
"""Fit a serial context to the latents of a finished ``talbot``, whose transforms and side information stay.

The linear prediction starts as the least squares of each channel, from latents as the four passes have rounded them.
But a serial coder predicts from what its own predictions have become, and latents that are not worth coding are nothing
else: a network that had seen only the four passes' latents paid 25 to 60 % more for its own than it was trained to. So
each time a tile is drawn, its decoded latents become those of the network's predictions for them, one step of a
fixed-point iteration whose end are the latents of the coder.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...arrays import Floats
from ...networks.mbt2018 import REACH, TAPS, SerialContext
from ...networks.talbot import SCALE_MIN, gaussian_bits
from ..integer import scale_step
from .latents import FEATURE_BITS, Tile

RIDGE = 1e-3
Curve = list[tuple[float, int, float]]  # minutes of the processor, steps, bits of the judged latents over a reference


@dataclass(frozen=True)
class Material:
    """Tiles of one size as tensors, the first dimension theirs: latents, decoded latents, steps and features."""

    y: Tensor
    y_hat: Tensor
    steps: Tensor
    features: Tensor

    @classmethod
    def of(cls, tiles: Sequence[Tile]) -> Material:
        """Stack tiles whose sides are multiples of 8."""

        def stacked(arrays: list[Floats]) -> Tensor:
            return torch.from_numpy(np.stack(arrays))

        features = stacked([t.features for t in tiles]) / 2**FEATURE_BITS
        latents = [stacked(list(arrays)) for arrays in zip(*((t.y, t.y_hat, t.steps) for t in tiles), strict=True)]
        return cls(latents[0], latents[1], latents[2], features)

    def picked(self, index: Tensor) -> Material:
        """Some of the tiles."""
        return Material(self.y[index], self.y_hat[index], self.steps[index], self.features[index])


def bits(network: SerialContext, material: Material, noise: bool) -> Tensor:
    """Estimated bits of all latents; ``noise`` in the place of rounding, for training."""
    means, log_scales = network(material.y_hat, material.features)
    residual = (material.y - means) / material.steps
    value = residual + torch.empty_like(residual).uniform_(-0.5, 0.5) if noise else residual.round()
    return gaussian_bits(value, log_scales).sum()


def decoded(network: SerialContext, material: Material) -> Tensor:
    """The latents that come of the network's predictions from ``material.y_hat``; level 0 is not coded."""
    with torch.no_grad():
        means, log_scales = network(material.y_hat, material.features)
        coded = log_scales > math.log(SCALE_MIN) + scale_step() / 2
        residuals = ((material.y - means) / material.steps).round() * coded
        y_hat: Tensor = means + residuals * material.steps
        return y_hat


def start(network: SerialContext, material: Material) -> None:
    """The linear prediction by least squares, and scales that are those of what it leaves."""
    y_hat = material.y_hat
    h, w = y_hat.shape[2:]
    around = F.pad(y_hat, (REACH, REACH, REACH, 0))
    seen = torch.stack(
        [around[:, :, REACH + i : REACH + i + h, REACH + j : REACH + j + w] for i, j in TAPS], -1
    )  # (B, M, h, w, taps)
    x = seen.transpose(0, 1).flatten(1, 3).double()
    target = material.y.transpose(0, 1).flatten(1).double()
    energy = x.mT @ x
    ridge = (RIDGE * energy.diagonal(dim1=1, dim2=2).mean(1) + 1e-6)[:, None, None] * torch.eye(len(TAPS))
    solved = torch.linalg.solve(energy + ridge, (x.mT @ target[:, :, None]))[:, :, 0]
    with torch.no_grad():
        network.linear.weight.copy_(solved)
        left = (target - (x @ solved[:, :, None])[:, :, 0]) / material.steps.transpose(0, 1).flatten(1)
        bias = network.last.bias
        assert bias is not None
        bias.zero_()
        bias[network.config.m :] = left.square().mean(1).sqrt().clamp(0.11, 200).log()
        network.last.weight[network.config.m :].mul_(0.3)
        # Latents differ in size a thousandfold: the hidden layers see all channels alike.
        deviation = y_hat.transpose(0, 1).flatten(1).std(1).clamp_min(0.05)
        network.context.weight.div_(deviation[:, None])
        network.known.weight.mul_(0.3)


def fit(
    network: SerialContext, material: Material, judged: Material, reference: float, minutes: float, *,
    own: bool = True, batch: int = 4, rate: float = 2e-3, seed: int = 4, every: int = 50,
    tell: Callable[[str], None] = lambda _: None,
) -> Curve:  # fmt: skip
    """Train for so many minutes of the processor's time; the rate of learning falls over all of it.

    With ``own``, the decoded latents of ``material`` and ``judged`` are replaced by the network's own on the way.

    Returns:
        the bits of ``judged`` over ``reference``, at the start, every so many steps, and at the end.
    """
    torch.manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    begun, held, step = time.process_time(), 0.0, 0
    curve: Curve = []

    def judge() -> None:
        nonlocal held
        paused = time.process_time()
        if own and step:
            judged.y_hat.copy_(decoded(network, judged))
        with torch.inference_mode():
            found = float(bits(network, judged, noise=False))
        curve.append(((paused - begun - held) / 60, step, found / reference))
        tell(f"{curve[-1][0]:.2f} minutes, {step} steps: {100 * curve[-1][2]:.1f} % of the reference")
        held += time.process_time() - paused

    judge()
    while (spent := (time.process_time() - begun - held) / 60) < minutes:
        optimiser.param_groups[0]["lr"] = rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * spent / minutes)))
        index = torch.randperm(len(material.y))[:batch]
        part = material.picked(index)
        if own:
            part.y_hat.copy_(decoded(network, part))
            material.y_hat[index] = part.y_hat
        loss = bits(network, part, noise=True) / part.y.numel()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % every == 0:
            judge()
    judge()
    return curve
