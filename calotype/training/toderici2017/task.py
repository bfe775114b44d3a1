# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``toderici2017``: all iterations at once, each as important as the others.

The loss of an iteration is the logarithm of its mean error: the error falls twentyfold over sixteen iterations, and a
plain mean, which is the paper's, teaches the first few most. A step unrolls a random number of iterations.

With ``rate``, what the bits so far take by the predictor that is trained along is added, relative to their number:
along the curve of rate and error, the logarithm of one falls in proportion to that of the other.

Late iterations are seldom drawn and cost most. With ``late``, more steps unroll many iterations, and the gradient
passes through the last few of them only: they start from what the network makes of the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...metrics.similarity import most_scales
from ...networks.layers import Pointwise
from ...networks.toderici2017 import (
    CELL,
    GROUP,
    Toderici2017,
    TodericiConfig,
    packed,
    sign,
    stochastic_sign,
    straight_sign,
)
from ..crops import CropConfig, random_crops
from ..data import PictureCache, middle, still_readable
from ..losses import ms_ssim, mse
from ..principal import whitening
from .bits import Predicted

JUDGED = (1, 2, 4, 8, 16)  # iterations to validate
FLOOR = {"l1": 2e-3, "mse": 1e-5, "ms-ssim": 1e-3}  # added to an error before its logarithm is taken
CERTAINTY = 1.5  # logits of a typical coefficient at the start
LEAST_DEVIATION = 1 / 255  # of a direction that is amplified to unit variance


@dataclass(frozen=True)
class TaskConfig:
    """The loss, and the iterations it covers."""

    l1: float = 0.0  # shares of the three losses; the paper's is L1
    mse: float = 0.4
    ms_ssim: float = 0.6
    logarithms: bool = True  # of the errors; the paper takes them as they are
    size: int = 96  # side of crops, a multiple of 16: many small steps teach more than few large ones
    scale_min: float = 0.4  # of the random resizing of crops
    scale_max: float = 1.2
    least: int = 2  # iterations of a step, drawn log-uniformly from these two on
    most: int = 16
    stochastic: float = 0.5  # share of steps whose bits are drawn at random, as the paper's; the others take the sign
    judged: int = 4  # iterations of a step, the last one and others at random, whose errors are taken: all cost time
    rate: float = 0.0  # weight of the predicted rate; about the slope of the curve, over logarithms of both
    stopping: float = 0.25  # share of steps in which positions stop after a random number of iterations
    late: float = 0.0  # share of steps that teach the last iterations of an unroll, of more than half of all
    reach: int = 4  # iterations that are taught in those steps


@dataclass
class Toderici2017Task:
    """Less error after every iteration."""

    network: Toderici2017
    pictures: PictureCache
    config: TaskConfig = field(default_factory=TaskConfig)
    validation: Sequence[Path] = ()

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Crops, and for each of their positions how many iterations it goes on; their largest is that of the step."""
        config = self.config
        crop = CropConfig(config.size, config.scale_min, config.scale_max, 0.8)
        x = random_crops(self.pictures, crop, rng, size)
        most = min(config.most, self.network.config.iterations)
        count = min(most, int(math.exp(rng.uniform(math.log(config.least), math.log(most + 1)))))
        if rng.random() < config.late:
            count = int(rng.integers(most // 2 + 1, most + 1))
        until = torch.full((size, 1, config.size // CELL, config.size // CELL), count)
        if rng.random() < config.stopping:
            drawn = torch.from_numpy(rng.integers(1, count + 1, tuple(until.shape)))
            until = torch.where(torch.from_numpy(rng.random((size, 1, 1, 1)) < 0.5), drawn, until)
        return x.contiguous(memory_format=torch.channels_last), until

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Mean over the iterations of the logarithm of their errors; log the PSNR of some of them."""
        x, until = batch
        count = int(until.max())
        binarise = stochastic_sign if torch.rand(()) < self.config.stochastic else straight_sign
        losses, details = [], {}
        bits: list[Tensor] = []
        stopped = until if bool((until < count).any()) else None
        is_late = self.config.late > 0 and count > self.network.config.iterations // 2
        given = count - self.config.reach if is_late and count > self.config.reach else 0
        others = torch.randperm(count - 1 - given)[: self.config.judged - 1]
        judged = {count, *(given + int(t) + 1 for t in others)}
        for t, (b, x_hat) in enumerate(self.network.iterate(x, count, binarise, stopped, given), 1):
            bits.append(b)
            if t in judged:
                losses.append(self.distance(x_hat, x))
            if t in JUDGED and stopped is None:
                details[f"psnr@{t}"] = -10 * math.log10(float(mse(x_hat.detach().clamp(0, 1), x).mean()) + 1e-7)
        loss = torch.stack(losses).mean()
        if isinstance(self.network, Predicted):
            costs = self.network.predictor.cost(torch.stack(bits))
            so_far = costs.cumsum(0) / torch.arange(1, count + 1, device=costs.device)
            loss = loss + self.config.rate * so_far[[t - 1 for t in sorted(judged)]].mean()
            details |= {f"share@{t}": float(costs[t - 1].detach()) for t in JUDGED if t <= count and stopped is None}
        return loss, details

    def distance(self, x_hat: Tensor, x: Tensor) -> Tensor:
        """The errors that the configuration names, or their logarithms, weighted."""
        config = self.config

        def term(share: float, error: Tensor, floor: str) -> Tensor:
            return share * ((error + FLOOR[floor]).log() if config.logarithms else error)

        terms = []
        if config.l1:
            terms.append(term(config.l1, (x_hat - x).abs().mean(), "l1"))
        if config.mse:
            terms.append(term(config.mse, mse(x_hat, x).mean(), "mse"))
        if config.ms_ssim:
            scales = min(5, most_scales(*x.shape[2:]))
            terms.append(term(config.ms_ssim, (1 - ms_ssim(x, x_hat, scales=scales)).mean(), "ms-ssim"))
        return torch.stack(terms).sum()

    def validate(self) -> dict[str, float]:
        """PSNR and MS-SSIM (in decibels) of the middles of the validation pictures, with hard bits.

        With a predictor, also what share of its bits an iteration takes by it.
        """
        figures: dict[str, list[float]] = {}
        for picture in still_readable(self.validation):
            x = middle(picture)
            h, w = x.shape[2:]
            padded = F.pad(x, (0, -w % CELL, 0, -h % CELL), mode="replicate")
            bits = []
            for t, (b, x_hat) in enumerate(self.network.iterate(padded, self.network.config.iterations), 1):
                bits.append(b)
                if t in JUDGED:
                    y = x_hat[..., :h, :w].clamp(0, 1)
                    figures.setdefault(f"psnr@{t}", []).append(-10 * math.log10(float(mse(y, x)) + 1e-9))
                    similarity = float(ms_ssim(x, y, scales=min(5, most_scales(h, w))))
                    figures.setdefault(f"ms-ssim@{t}", []).append(-10 * math.log10(1 - similarity + 1e-9))
            if isinstance(self.network, Predicted):
                for t, cost in enumerate(self.network.predictor.cost(torch.stack(bits)).tolist(), 1):
                    if t in JUDGED:
                        figures.setdefault(f"share@{t}", []).append(cost)
        return {name: float(np.mean(values)) for name, values in figures.items()}


def strongest(moments: Tensor, count: int, rounds: int = 20) -> Tensor:
    """The ``count`` strongest principal components, about: ``(D, D) -> (count, D)``, by subspace iteration."""
    basis = moments[:, moments.diagonal().argsort(descending=True)[: 4 * count]]
    for _ in range(rounds):
        basis = moments @ torch.linalg.qr(basis).Q
    q = torch.linalg.qr(basis).Q
    _, vectors = torch.linalg.eigh(q.T @ moments @ q)
    return cast(Tensor, (q @ vectors.flip(1)[:, :count]).T)


def start_greedily(network: Toderici2017, pictures: PictureCache, crops: int = 768, seed: int = 1) -> None:
    """Start the linear path as the best one-bit code of what is left, iteration by iteration; whiten the first layer.

    A group of bits codes the signs of the strongest principal components of the residuals that the groups before have
    left, and gives them back with their mean modulus. The gains make residuals of all iterations equally large.
    """
    config = network.config
    if config.dense or not config.linear:
        return
    rng = np.random.default_rng(seed)
    crop = CropConfig(size=64, scale_min=0.4, scale_max=1.2, scale_probability=0.8)
    x = random_crops(pictures, crop, rng, crops) - 0.5
    head = cast(Pointwise, network.encoder.head)
    encoder, decoder = cast(nn.ParameterList, network.encoder.linear), cast(nn.ParameterList, network.decoder.linear)
    coupling = cast(nn.ParameterList, network.encoder.coupling)
    rows = packed(packed(x, 8), 2).permute(0, 2, 3, 1).flatten(0, 2)
    moments = rows.T @ rows / len(rows)
    deviations = []
    with torch.no_grad():
        for t in range(config.iterations):
            deviations.append(float(moments.diagonal().mean().sqrt()))
            for k in range(0, config.bits, GROUP):
                group = slice(k, k + GROUP)
                basis = strongest(moments, GROUP)
                y = rows @ basis.T
                b = sign(y)
                back = basis.T * y.abs().mean(0)  # (768, GROUP)
                encoder[t][group] = basis * (CERTAINTY / y.square().mean(0).sqrt().clamp_min(LEAST_DEVIATION))[:, None]
                decoder[t][:, group] = back
                crossed = rows.T @ b @ back.T / len(rows)
                moments = moments - crossed - crossed.T + back @ (b.T @ b / len(rows)) @ back.T
                rows = rows - b @ back.T
            coupling[t].copy_(-encoder[t] @ decoder[t])  # of it, bits use what belongs to the groups before theirs
        network.encoder.log_gain.copy_((deviations[0] / torch.tensor(deviations)).log())
        blocks = packed(x, 8).permute(0, 2, 3, 1).flatten(0, 2)
        mixture = torch.empty(head.weight.shape[:2])
        nn.init.orthogonal_(mixture)
        head.weight.copy_((mixture @ whitening(blocks, 0.02**2))[:, :, None, None])


def make_network(config: TodericiConfig | None = None, predicted: bool = False) -> Toderici2017:
    """A network laid out for fast training on a CPU, alone or with the predictor of its bits."""
    network = Predicted(config) if predicted else Toderici2017(config)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return network
