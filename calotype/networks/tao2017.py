# SPDX-License-Identifier: BSD-3-Clause
"""Networks around a standard codec: Tao, Jiang et al. 2017, "An end-to-end compression framework based on
convolutional neural networks" (arXiv 1708.00838).

::

    x ──► ComCNN ──► small picture ──► any standard codec ──► up-sampling ──► RecCNN ──► x_hat      (scale 2)
    x ────────────────────────────► any standard codec ──────────────────► RecCNN ──► x_hat      (scale 1: restoring)

Samples are in 0..1. ComCNN and RecCNN learn what they add to plain down- and up-sampling (residual learning, section
III). RecCNN knows how hard the picture was compressed from a vector ``e`` (the *strength*), which a small network makes
of a JPEG file's own quantisation tables, and another one estimates from the picture where there are none. The first
number in it is the logarithm of the codec's root mean squared error, ``ln(rmse) + 4``; the others are free.

RecCNN comes in variants: the paper's 20 layers, lighter ones, and :class:`BlockRec`, which works at 1/4 and 1/8 of the
side and is what a CPU can afford. At scale 2 one network can do all of it, or a RecCNN repairs the small picture and an
SRResNet (:mod:`calotype.networks.ledig2017`) enlarges it: :class:`StagedRec`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import SLOPE, Block, Down, Pointwise, Up
from .ledig2017 import Generator, GeneratorConfig
from .sizes import check_sizes

STRENGTH_OFFSET = 4.0  # what is added to ln(rmse), so that usual values lie around zero
TABLES = 128  # steps in a JPEG's luma and chroma quantisation tables


@dataclass(frozen=True)
class Tao2017Config:
    """Shape of the networks."""

    variant: Literal["blocks", "plain", "fire", "multilinear"] = "blocks"  # of RecCNN; plain is the paper's
    depth: int = 20  # layers of RecCNN (plain, fire and multilinear)
    width: int = 64  # channels of RecCNN (plain, fire and multilinear)
    kernel: Literal[2, 3] = 3  # side of its kernels
    rank: int = 1  # of multilinear filters
    scaled: bool = False  # multiply what the layers add by an amplitude of the strength, as the blocks do
    c4: int = 96  # channels of BlockRec at 1/4
    c8: int = 160  # channels of BlockRec at 1/8
    blocks: int = 4  # of BlockRec at each of the two sizes
    compact: int = 32  # channels of ComCNN; 64 in the paper
    strength: int = 8  # numbers in e
    staged: bool = False  # at scale 2, repair at half the size and then enlarge; else RecCNN does both at once
    enlarger_channels: int = 64  # of the SRResNet that enlarges
    enlarger_blocks: int = 8  # of it

    def __post_init__(self) -> None:
        check_sizes(self, zero=("blocks", "enlarger_blocks"))


class ComCNN(nn.Module):
    """Three layers that make a compact picture: ``x (B, 3, H, W) -> (B, 3, H/2, W/2)``, H and W even (section III-A).

    Conv 3x3, ReLU -> conv 3x3 stride 2, ReLU -> conv 3x3, added to antialiased bicubic down-sampling: with zeros in
    the last layer, as it starts, it is just that.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.shrink = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        change = self.last(F.relu(self.shrink(F.relu(self.first(x - 0.5)))))
        return halved(x) + cast(Tensor, change)


def bicubic(distance: Tensor) -> Tensor:
    """Keys' cubic kernel with a = -1/2, which MATLAB's and Pillow's bicubic have."""
    d = distance.abs()
    inner = 1.5 * d**3 - 2.5 * d**2 + 1
    outer = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return torch.where(d <= 1, inner, torch.where(d < 2, outer, torch.zeros_like(d)))


def halving_kernel() -> Tensor:
    """Antialiased bicubic down-sampling by 2 as a convolution ``(3, 3, 8, 8)`` of stride 2, padding 3."""
    taps = bicubic((torch.arange(8) - 3.5) / 2)
    taps = taps / taps.sum()
    return torch.einsum("cd,i,j->cdij", torch.eye(3), taps, taps)


def doubling_kernel() -> Tensor:
    """Bicubic up-sampling by 2 as a convolution ``(12, 3, 5, 5)`` of padding 2, to be followed by a pixel-shuffle."""
    phases = torch.stack([bicubic(torch.arange(-2, 3) + 0.25), bicubic(torch.arange(-2, 3) - 0.25)])
    return torch.einsum("cd,pi,qj->cpqdij", torch.eye(3), phases, phases).reshape(12, 3, 5, 5)


def halved(x: Tensor) -> Tensor:
    """``(B, 3, H, W) -> (B, 3, H/2, W/2)``, antialiased bicubic."""
    return F.conv2d(F.pad(x, (3, 3, 3, 3), mode="replicate"), halving_kernel().to(x.dtype), stride=2)


def doubled(x: Tensor) -> Tensor:
    """``(B, 3, H, W) -> (B, 3, 2H, 2W)``, bicubic."""
    return F.pixel_shuffle(F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), doubling_kernel().to(x.dtype)), 2)


def starting_amplitude(scale: int, config: Tao2017Config) -> Pointwise:
    """Strength -> logarithm of what a network's change is multiplied by: at first, the codec's error."""
    made = Pointwise(config.strength, 3)
    with torch.no_grad():
        made.weight.zero_()
        made.weight[:, 0] = 1.0
        cast(Tensor, made.bias).fill_(-STRENGTH_OFFSET + math.log(scale))
    return made


class BlockRec(nn.Module):
    """RecCNN for a CPU: residual blocks of 1x1 and depthwise convolutions at 1/4 and 1/8 of the side.

    ::

        x -> unshuffle to 1/4 -> 1x1 (+ e) -> blocks ───────────────► + -> blocks -> 1x1 -> shuffle -> x a(e) -> + up(x)
                                       └─ Down to 1/8 (+ e) -> blocks -> Up ─┘

    At 1/8 a position holds one whole block of a JPEG file.

    Args:
        scale: 1, or 2 for pictures that come at half the size (``up`` is bicubic then).
        config: its shape.
    """

    stride = 8  # sides of the result are multiples of it

    def __init__(self, scale: int, config: Tao2017Config) -> None:
        super().__init__()
        self.scale = scale
        c4, c8, k = config.c4, config.c8, config.strength
        self.head = Down(3, c4, 4 // scale)
        self.head_strength = Pointwise(k, c4)
        self.fine_in = nn.Sequential(*[Block(c4) for _ in range(config.blocks // 2)])
        self.down = Down(c4, c8, 2)
        self.down_strength = Pointwise(k, c8)
        self.coarse = nn.Sequential(*[Block(c8) for _ in range(config.blocks)])
        self.up = Up(c8, c4, 2)
        self.fine_out = nn.Sequential(*[Block(c4) for _ in range(config.blocks - config.blocks // 2)])
        self.tail = Up(c4, 3, 4)
        self.amplitude = starting_amplitude(scale, config)
        with torch.no_grad():
            pointwise = cast(Pointwise, self.tail[0])
            pointwise.weight.mul_(0.3)
            cast(Tensor, pointwise.bias).zero_()

    @property
    def halo(self) -> int:
        """Reach of the network, in pixels of the result."""
        fine, coarse = len(self.fine_in) + len(self.fine_out), len(self.coarse)
        return 8 * fine + 16 * coarse + 8

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """``x (B, 3, H, W)``, ``e (B, K, 1, 1)`` -> ``(B, 3, scale H, scale W)``."""
        fine = self.fine_in(self.head(x - 0.5) + self.head_strength(e))
        coarse = self.coarse(self.down(fine) + self.down_strength(e))
        change = self.tail(self.fine_out(fine + self.up(coarse))) * torch.exp(self.amplitude(e))
        return (x if self.scale == 1 else doubled(x)) + cast(Tensor, change)


class StagedRec(nn.Module):
    """RecCNN at scale 2 in two stages: ``x -> BlockRec at scale 1 -> SRResNet, 2x``.

    The first stage knows how hard the small picture was compressed; the second one only sees what it has repaired.
    """

    stride = 16
    scale = 2

    def __init__(self, config: Tao2017Config) -> None:
        super().__init__()
        self.repair = BlockRec(1, config)
        self.enlarge = Generator(
            GeneratorConfig(scale=2, channels=config.enlarger_channels, blocks=config.enlarger_blocks)
        )

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """``x (B, 3, H, W)``, ``e (B, K, 1, 1)`` -> ``(B, 3, 2H, 2W)``."""
        return cast(Tensor, self.enlarge(self.repair(x, e)))


class Square(nn.Conv2d):
    """k x k convolution that keeps the size, for even k as well (its window then reaches further to one side).

    Args:
        channels, out: of the input and the output.
        kernel: k.
        late: for even k, reach to the right and down rather than to the left and up.
    """

    def __init__(self, channels: int, out: int, kernel: int, late: bool) -> None:
        super().__init__(channels, out, kernel, bias=False)
        before, after = (kernel - 1) // 2, kernel // 2
        self.border = (before, after) if late else (after, before)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return super().forward(F.pad(x, self.border * 2))


class Fire(nn.Module):
    """SqueezeNet's Fire module (Iandola et al. 2016): squeeze 1x1 -> expand 1x1 beside expand k x k."""

    def __init__(self, channels: int, out: int, kernel: int, late: bool) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, max(out // 4, 4), 1)
        self.expand1 = nn.Conv2d(max(out // 4, 4), out // 2, 1, bias=False)
        self.expand3 = Square(max(out // 4, 4), out - out // 2, kernel, late)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        s = F.relu(self.squeeze(x))
        return torch.cat([self.expand1(s), self.expand3(s)], 1)


class Multilinear(nn.Module):
    """Filters that are sums of R separable ones (Tran et al. 2018): channels, then columns, then rows."""

    def __init__(self, channels: int, out: int, kernel: int, rank: int) -> None:
        super().__init__()
        self.rank, wide = rank, out * rank
        self.mix = nn.Conv2d(channels, wide, 1, bias=False)
        self.column = nn.Conv2d(wide, wide, (kernel, 1), padding="same", groups=wide, bias=False)
        self.row = nn.Conv2d(wide, wide, (1, kernel), padding="same", groups=wide, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = self.row(self.column(self.mix(x)))
        return cast(Tensor, y.unflatten(1, (-1, self.rank)).sum(2) if self.rank > 1 else y)


class LayerRec(nn.Module):
    """RecCNN as in the paper (section III-B): layers of convolution, batch normalisation and ReLU at full size.

    It is blind, as in the paper: ``e`` is not used, unless its configuration is ``scaled``.
    """

    stride = 8
    branch_in_bfloat16 = False  # compute the layers (never the sum) in bfloat16 while training

    def __init__(self, scale: int, config: Tao2017Config) -> None:
        super().__init__()
        self.scale, self.depth = scale, config.depth
        w, k = config.width, config.kernel
        layers: list[nn.Module] = [Square(3, w, k, False), nn.ReLU()]
        for i in range(config.depth - 2):
            late = i % 2 == 0
            match config.variant:
                case "plain":
                    layers.append(Square(w, w, k, late))
                case "fire":
                    layers.append(Fire(w, w, k, late))
                case _:
                    layers.append(Multilinear(w, w, k, config.rank))
            layers += [nn.BatchNorm2d(w), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(w, 3, 3, padding=1)
        self.amplitude = starting_amplitude(scale, config) if config.scaled else None
        with torch.no_grad():
            self.last.weight.mul_(0.3 if config.scaled else 0.0)  # unscaled, it starts as what the codec gave
            cast(Tensor, self.last.bias).zero_()

    @property
    def halo(self) -> int:
        """Reach of the network, in pixels of the result."""
        return self.depth + 1

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """``x (B, 3, H, W) -> (B, 3, scale H, scale W)``."""
        x = x if self.scale == 1 else doubled(x)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            change = cast(Tensor, self.last(self.layers(x - 0.5))).float()
        return x + (change if self.amplitude is None else change * torch.exp(self.amplitude(e)))


class Estimate(nn.Module):
    """The strength as it shows in a picture: ``x (B, 3, H, W) -> e (B, K, 1, 1)``, H and W multiples of 16."""

    def __init__(self, strength: int, width: int = 64) -> None:
        super().__init__()
        self.down = Down(3, width, 8)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.features = Pointwise(width, width)
        self.out = Pointwise(width, strength)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        features = F.leaky_relu(self.features(self.blocks(self.down(x - 0.5))), SLOPE)
        return cast(Tensor, self.out(features.mean((2, 3), keepdim=True)))


class FromTables(nn.Module):
    """The strength as a JPEG file says it: ``t (B, 128, 1, 1)``, log2 of the luma and chroma steps -> ``e``."""

    def __init__(self, strength: int, width: int = 64) -> None:
        super().__init__()
        self.hidden = Pointwise(TABLES, width)
        self.out = Pointwise(width, strength)

    def forward(self, t: Tensor) -> Tensor:
        """See the class."""
        return cast(Tensor, self.out(F.leaky_relu(self.hidden((t - 4) / 2), SLOPE)))


class Tao2017(nn.Module):
    """Everything that surrounds the standard codec, at full size (``rec1``) and at half of it (``com``, ``rec2``)."""

    def __init__(self, config: Tao2017Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Tao2017Config()
        make = BlockRec if config.variant == "blocks" else LayerRec
        self.com = ComCNN(config.compact)
        self.rec1 = make(1, config)
        self.rec2 = StagedRec(config) if config.staged else make(2, config)
        self.estimate = Estimate(config.strength)
        self.tables = FromTables(config.strength)

    def strength(self, x: Tensor, tables: Tensor, known: Tensor) -> Tensor:
        """``e (B, K, 1, 1)``: of the tables where they are known, else estimated.

        Args:
            x: decoded pictures ``(B, 3, H, W)``.
            tables: ``(B, 128, 1, 1)``, log2 of the quantisation steps; anything where they are not known.
            known: ``(B,)``, whether they are.
        """
        return torch.where(known[:, None, None, None], self.tables(tables), self.estimate(x))
