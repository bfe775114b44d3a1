# SPDX-License-Identifier: BSD-3-Clause
"""``rippel2017``: features at several scales, aligned to one lattice and summed; a synthesis that mirrors them.

O. Rippel and L. Bourdev, "Real-time adaptive image compression", ICML 2017, arXiv 1705.05823::

    x ────────── f_0 ── align ──┐                           ┌── align ── p_0 ────────── (+) ─► x̂
    x at 1/2 ─── f_1 ── align ──┤                           ├── align ── p_1 ── (+) ─ 2x ┘
    x at 1/4 ─── f_2 ── align ─(+)─ g_a ─► y ─► ŷ ─► g_s ───┤                    └ 2x ── ...
    x at 1/8 ─── f_3 ── align ──┘                           └── align ── p_3

The latents ``y (B, C, H/16, W/16)`` are coded bit plane by bit plane: what is known of one is its sign and how often
its modulus holds the *threshold* of the last plane that was read, see :func:`quantised`. So one network serves every
rate, and g_s is told the thresholds.

The paper's layers are 3x3 convolutions on a GPU; these are the 1x1 and depthwise layers that a CPU is good at. In the
finest branch they start as the principal components of 16x16 blocks and back: a codec before the first step
(:mod:`calotype.training.rippel2017.start`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import SLOPE, Block, Down, Pointwise, Up
from .sizes import check_sizes

CELL = 16  # pixels of a side that share a column of latents
LIMIT = 2047  # largest modulus of a latent, in units of the finest threshold: eleven planes
CENTRE = 0.45  # where within its interval a modulus is taken to lie; below 1/2, for small ones are more frequent
COLOURS = 3  # the first latents are mean colours
C2 = 0.03**2  # of SSIM, for samples in 0..1
GROUPS = 2  # of channels: a plane is coded group by group, so that thresholds are known for each


@dataclass(frozen=True)
class RippelConfig:
    """Shape of the networks."""

    latents: int = 192
    width: int = 192  # channels on the lattice of the latents
    blocks: int = 2  # residual blocks there
    scales: tuple[int, ...] = (48, 64, 96, 96)  # channels of the features at each scale, finest first
    scale_blocks: int = 1  # residual blocks at each scale

    def __post_init__(self) -> None:
        check_sizes(self, zero=("blocks", "scale_blocks"))


def strides(scale: int) -> tuple[int, int]:
    """Of a scale's first layer, and of its alignment: together they lead from 1 / 2^scale to 1 / 16 of the side."""
    first = min(4, CELL >> scale)
    return first, (CELL >> scale) // first


def halo(config: RippelConfig) -> int:
    """Reach of the synthesis around a place, in cells: two for each 5x5 layer, and one for what enlarges."""
    return 2 * (config.blocks + config.scale_blocks) + 1


class Contrast(nn.Module):
    """Contrast of each cell, which hides errors: latents are coarser where there is more of it.

    From latents y it is ``E = sum_c w_c y_c^2``, about twice the variance over C2 of SSIM, in whose denominator both
    stand. All latents but the first three, which are mean colours, are divided by ``(1 + E)^(1/4)``; the decoder finds
    E from what is left of it (divisive normalisation: Ballé 2016, arXiv 1611.01704).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_weight = nn.Parameter(torch.full((channels,), math.log(2 / (3 * CELL**2 * C2))))
        with torch.no_grad():
            self.log_weight[:COLOURS] = math.log(1e-6)
        self.divided: Tensor
        self.register_buffer("divided", (torch.arange(channels) >= COLOURS).float(), persistent=False)

    def energy(self, y: Tensor) -> Tensor:
        """``sum_c w_c y_c^2``: ``(B, C, h, w) -> (B, 1, h, w)``."""
        return torch.einsum("bchw,c->bhw", y.square(), self.log_weight.exp())[:, None]

    def scaled(self, y: Tensor, factor: Tensor) -> Tensor:
        """``y``, with all but the colours multiplied."""
        return y * (1 + self.divided[:, None, None] * (factor - 1))

    def divide(self, y: Tensor) -> Tensor:
        """By the contrast of ``y``."""
        return self.scaled(y, (1 + self.energy(y)).pow(-0.25))

    def multiply(self, y: Tensor) -> Tensor:
        """Inverse of :meth:`divide`."""
        left = self.energy(y)  # E / (1 + E)^(1/2)
        energy = (left.square() + left * (left.square() + 4).sqrt()) / 2
        return self.scaled(y, (1 + energy).pow(0.25))


class Analysis(nn.Module):
    """``x (B, 3, H, W)`` in 0..1, sides multiples of 16 -> latents ``y (B, C, H/16, W/16)``."""

    def __init__(self, config: RippelConfig) -> None:
        super().__init__()
        self.features, self.align = nn.ModuleList(), nn.ModuleList()
        for scale, channels in enumerate(config.scales):
            first, rest = strides(scale)
            blocks = [Block(channels) for _ in range(config.scale_blocks)]
            self.features.append(nn.Sequential(Down(3, channels, first), *blocks))
            self.align.append(Down(channels, config.width, rest))
        self.trunk = nn.Sequential(
            *(Block(config.width) for _ in range(config.blocks)), Pointwise(config.width, config.latents)
        )
        self.contrast = Contrast(config.latents)
        self.log_gain = nn.Parameter(torch.zeros(config.latents))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x - 0.5
        aligned = []
        for scale, (features, align) in enumerate(zip(self.features, self.align, strict=True)):
            x = F.avg_pool2d(x, 2) if scale else x
            aligned.append(align(features(x)))
        y = self.contrast.divide(self.trunk(torch.stack(aligned).sum(0)))
        return y * self.log_gain.exp()[:, None, None]


class Synthesis(nn.Module):
    """Quantised latents ``(B, C, H/16, W/16)`` and log2 of the groups' thresholds ``(B, 2, H/16, W/16)`` -> x̂."""

    def __init__(self, config: RippelConfig) -> None:
        super().__init__()
        self.log_gain = nn.Parameter(torch.zeros(config.latents))
        self.contrast = Contrast(config.latents)
        self.trunk = nn.Sequential(
            Pointwise(config.latents + GROUPS, config.width), *(Block(config.width) for _ in range(config.blocks))
        )
        self.align, self.pixels = nn.ModuleList(), nn.ModuleList()
        for scale, channels in enumerate(config.scales):
            first, rest = strides(scale)
            blocks = [Block(channels) for _ in range(config.scale_blocks)]
            self.align.append(Up(config.width, channels, rest))
            self.pixels.append(nn.Sequential(*blocks, Up(channels, 3, first)))

    def forward(self, y_hat: Tensor, thresholds: Tensor) -> Tensor:
        """See the class: ``(B, 3, H, W)``, about 0..1."""
        scaled = self.contrast.multiply(y_hat * self.log_gain.exp()[:, None, None])
        h = self.trunk(torch.cat([scaled, thresholds / 8], 1))
        x: Tensor | None = None
        for align, pixels in reversed(list(zip(self.align, self.pixels, strict=True))):
            here = pixels(align(h))
            x = here if x is None else here + F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return cast(Tensor, x) + 0.5


class Rippel2017(nn.Module):
    """Both networks."""

    def __init__(self, config: RippelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RippelConfig()
        self.analysis, self.synthesis = Analysis(config), Synthesis(config)
        self.penalty: Tensor
        self.register_buffer("penalty", torch.tensor(1.5))  # weight of the codelength's penalty, which training steers

    def forward(self, x: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures ``(B, 3, H, W)`` and log2 of the thresholds ``(B, 2)`` of the groups -> x̂, y."""
        y = self.analysis(x).clamp(-LIMIT, LIMIT)
        return self.synthesis(*seen(y, thresholds)), y


def seen(y: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs of the synthesis: of latents known down to ``thresholds (B, 2)``, log2 of those of the groups."""
    each = thresholds.exp2().repeat_interleave(y.shape[1] // GROUPS, 1)[:, :, None, None]
    return quantised(y, each), thresholds[:, :, None, None].expand(-1, -1, *y.shape[2:])


def quantised(y: Tensor, threshold: Tensor) -> Tensor:
    """What bit planes down to ``threshold`` tell of latents; the gradient passes as if nothing were lost."""
    steps = (y.detach().abs() / threshold).floor()
    y_hat = torch.where(steps > 0, y.detach().sign() * (steps + CENTRE) * threshold, 0.0)
    return y + (y_hat - y).detach()


class Discriminator(nn.Module):
    """Two pictures side by side ``(B, 6, H, W)`` -> which of them is real: logits ``(B,)``, high for the first.

    A stack of convolutions whose features are judged at every scale; the opinions are summed (section 4 of the paper).
    The pair is judged in both orders, and the difference counts: what both pictures share says nothing then. (Without
    it, the discriminator was right in half of the cases after 1,000 steps; with it, in 88 % after 125.)
    """

    branch_in_bfloat16 = False  # compute the convolutions in bfloat16 while training

    def __init__(self, width: int = 24, scales: int = 4) -> None:
        super().__init__()
        self.stages, self.opinions = nn.ModuleList(), nn.ModuleList()
        channels = 6
        for scale in range(scales):
            out = width << min(scale, 2)
            self.stages.append(
                nn.Sequential(
                    nn.Conv2d(channels, out, 3, 2, 1), nn.LeakyReLU(SLOPE),
                    nn.Conv2d(out, out, 3, 1, 1), nn.LeakyReLU(SLOPE),
                )
            )  # fmt: skip
            self.opinions.append(nn.Conv2d(out, 1, 1))
            channels = out

    def forward(self, pair: Tensor) -> Tensor:
        """See the class."""
        first, second = self.opinion(torch.cat([pair, pair.roll(3, 1)])).chunk(2)
        return first - second

    def opinion(self, pair: Tensor) -> Tensor:
        """Of pairs in one order."""
        h, total = 2 * pair - 1, pair.new_zeros(pair.shape[0])
        with torch.autocast(pair.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            for stage, opinion in zip(self.stages, self.opinions, strict=True):
                h = stage(h)
                total = total + opinion(h).float().mean((1, 2, 3))
        return total


class Adversaries(nn.Module):
    """The codec's networks and a discriminator."""

    def __init__(self, codec: Rippel2017, discriminator: Discriminator) -> None:
        super().__init__()
        self.codec, self.discriminator = codec, discriminator
        self.accuracy: Tensor
        self.register_buffer("accuracy", torch.tensor(0.5))  # running mean of the discriminator's right answers
