# SPDX-License-Identifier: BSD-3-Clause
"""``talbot``, the flagship codec: a transform codec that was trained on, with a hierarchical prior in parallel passes.

::

    x --g_a--> y --gain--> quantise --> y_hat --inverse gain--> g_s --> x_hat
               |             ^  means, scales
              h_a            |
               |          passes 1 2 3 4  <-- f64, f32 <--h_s-- z_hat, quality
               z --> quantise ------------------------------------^

The latents y live on a lattice of 1/16 of the picture's resolution, z on 1/64. y is coded in four passes; each one
sees everything that was decoded before it (``.`` is any later pass)::

    1 . . . 1 .     1 . 2 . 1 .     1 . 2 . 1 .     1 4 2 4 1 4
    . . . . . .     . . . . . .     . 3 . 3 . 3     4 3 4 3 4 3
    . . . . . .     2 . 2 . 2 .     2 . 2 . 2 .     2 4 2 4 2 4
    . . . . . .     . . . . . .     . 3 . 3 . 3     4 3 4 3 4 3

Each pass has quantiser steps of its own, a factor for each channel that holds at all qualities. (Trained, slow channels
come out 1.2 to 1.8 times finer than the gains alone, and about alike in all four passes.)

Passes 1 and 2 are networks on the 1/64 lattice, 3 and 4 on the 1/32 lattice: each computes at its own positions only.
z itself is coded in two passes in the same way, on 1/128.

Sources: scale hyper-prior (Ballé 2018, arXiv 1802.01436), joint prior with means (Minnen 2018, arXiv 1809.02736),
parallel context (He 2021, arXiv 2103.15306), gain vectors (Cui 2021, arXiv 2003.02012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import CalotypeError
from .layers import Block, Depthwise, Down, Pointwise, Up
from .sizes import check_sizes

SCALE_MIN = 0.11  # below it, a Gaussian rounded to integers is zero for certain: such latents are not coded
SCALE_MAX = 256.0
Statistics = tuple[Tensor, Tensor]  # means and log scales of the same shape


@dataclass(frozen=True)
class TalbotConfig:
    """Sizes of the network and the range of its qualities."""

    c1: int = 128  # channels at 1/8
    c2: int = 320  # channels at 1/16: as many as latents, or a linear start loses quality at high rates
    m: int = 320  # latents y; those that stay at zero cost nothing
    blocks: int = 3  # residual blocks a resolution
    hyper: int = 192  # channels of h_a and h_s
    z: int = 64  # latents of the hyper-prior
    context: tuple[int, int, int] = (192, 192, 256)  # widths of the networks of passes 2, 3, 4
    lambda_min: float = 0.000422  # about 0.07 bit per pixel on photographs
    lambda_max: float = 0.818  # near-lossless to the eye: about 43 dB
    levels: int = 11  # gain vectors, logarithmic in lambda, a factor of 2.13 apart

    def __post_init__(self) -> None:
        check_sizes(self, zero=("blocks",))
        if not 0 < self.lambda_min < self.lambda_max:
            raise CalotypeError("TalbotConfig.lambda_min should be above 0 and below lambda_max")


def unshuffle_phases(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The four half-resolution lattices of ``x``: (even, even), (even, odd), (odd, even), (odd, odd)."""
    return x[..., 0::2, 0::2], x[..., 0::2, 1::2], x[..., 1::2, 0::2], x[..., 1::2, 1::2]


def shuffle_phases(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Inverse of :func:`unshuffle_phases`."""
    rows = torch.stack((torch.stack((a, b), -1), torch.stack((c, d), -1)), -3)  # (..., h, 2, w, 2)
    return rows.flatten(-4, -3).flatten(-2, -1)


class Pass(nn.Module):
    """One pass of the prior: what is known -> mean and log scale of the latents of ``phases`` lattices.

    A network over (features, latents known so far) plus a linear depthwise prediction of the means from the known
    latents: slow gradients and mean colours, which carry most of the bits of smooth pictures, are predicted by it
    at full precision, whatever the range of the latents.

    Args:
        features: channels of the hyper-prior's features.
        known: number of known lattices, each of ``m`` channels.
        phases: number of lattices to predict.
        m: latent channels.
        width: channels of the network.
        blocks: residual blocks of the network.
    """

    def __init__(self, features: int, known: int, phases: int, m: int, width: int, blocks: int = 2) -> None:
        super().__init__()
        self.phases, self.m = phases, m
        self.network = nn.Sequential(
            Pointwise(features + known * m, width),
            *(Block(width) for _ in range(blocks)),
            Pointwise(width, 2 * phases * m),
        )
        self.linear = nn.ModuleList(Depthwise(m) for _ in range(phases * known))
        with torch.no_grad():
            for layer in self.linear:
                cast(Depthwise, layer).weight.zero_()
            cast(Pointwise, self.network[-1]).weight.mul_(0.3)

    def forward(self, features: Tensor, *known: Tensor) -> Statistics:
        """Means and log scales ``(B, phases * M, h, w)``, lattice after lattice."""
        out = self.network(torch.cat((features, *known), 1))
        means, log_scales = out.chunk(2, 1)  # each (B, phases * m, h, w)
        if known:
            k = len(known)
            linear = [sum(self.linear[p * k + i](known[i]) for i in range(k)) for p in range(self.phases)]
            means = means + torch.cat(cast(list[Tensor], linear), 1)
        return means, log_scales


class HyperSynthesis(nn.Module):
    """``h_s``: z_hat and the quality -> features on the 1/64 and on the 1/32 lattice."""

    def __init__(self, config: TalbotConfig) -> None:
        super().__init__()
        n = config.hyper
        self.coarse = nn.Sequential(Pointwise(config.z + 1, n), Block(n))
        self.fine = nn.Sequential(Up(n, n, 2), Block(n))

    def forward(self, z_hat: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        """Features ``(B, N, h, w)`` and ``(B, N, 2h, 2w)`` of ``z_hat (B, Z, h, w)`` and ``quality (B, 1, 1, 1)``."""
        f64 = self.coarse(torch.cat((z_hat, quality.expand(-1, 1, *z_hat.shape[2:])), 1))
        return f64, self.fine(f64)


class Talbot(nn.Module):
    """The whole network. ``x (B, 3, H, W)`` in 0..1 with H and W divisible by 128 (the codec pads)."""

    def __init__(self, config: TalbotConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TalbotConfig()
        c1, c2, m, n = config.c1, config.c2, config.m, config.hyper
        self.g_a = nn.Sequential(
            Down(3, c1, 8), *(Block(c1) for _ in range(config.blocks)),
            Down(c1, c2, 2), *(Block(c2) for _ in range(config.blocks)),
            Pointwise(c2, m),
        )  # fmt: skip
        self.g_s = nn.Sequential(
            Pointwise(m, c2), *(Block(c2) for _ in range(config.blocks)),
            Up(c2, c1, 2), *(Block(c1) for _ in range(config.blocks)),
            Up(c1, 3, 8),
        )  # fmt: skip
        self.h_a = nn.Sequential(Pointwise(m, n), Block(n), Down(n, n, 2), Block(n), Down(n, config.z, 2))
        self.h_s = HyperSynthesis(config)
        self.z_log_scale = nn.Parameter(torch.ones(config.levels, config.z))
        self.z_pass = Pass(1, 1, 3, config.z, 96, blocks=1)
        self.passes = nn.ModuleList(
            (
                Pass(n, 0, 1, m, n, blocks=0),
                Pass(n, 1, 3, m, config.context[0]),
                Pass(n, 1, 1, m, config.context[1]),
                Pass(n, 2, 2, m, config.context[2]),
            )
        )
        self.finer = nn.Parameter(torch.zeros(4, m))  # logarithm of how much finer each pass quantises each channel
        self.gain_encoder = nn.Parameter(torch.zeros(config.levels, m))  # logarithms
        self.gain_decoder = nn.Parameter(torch.zeros(config.levels, m))

    def level(self, lambda_: Tensor) -> Tensor:
        """Position of ``lambda_`` on the scale of gain vectors, 0 .. levels - 1."""
        config = self.config
        ratio = math.log(config.lambda_max / config.lambda_min)
        return torch.log(lambda_ / config.lambda_min) / ratio * (config.levels - 1)

    def lambda_(self, level: Tensor) -> Tensor:
        """Inverse of :meth:`level`."""
        config = self.config
        return config.lambda_min * (config.lambda_max / config.lambda_min) ** (level / (config.levels - 1))

    @staticmethod
    def interpolate(table: Tensor, level: Tensor) -> Tensor:
        """Rows of ``table (levels, C)`` at fractional ``level (B,)``, as ``(B, C, 1, 1)``."""
        low = level.detach().floor().clamp(0, table.shape[0] - 2).long()
        t = (level - low)[:, None]
        return (table[low] * (1 - t) + table[low + 1] * t)[:, :, None, None]

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures and one quality level a picture -> reconstruction, bits of y and bits of z, ``(B,)`` each."""
        y = self.g_a(x - 0.5) * torch.exp(self.interpolate(self.gain_encoder, level))
        y_hat, y_bits, z_bits = self.prior(y, level)
        x_hat = self.g_s(y_hat * torch.exp(self.interpolate(self.gain_decoder, level))) + 0.5
        return x_hat, y_bits, z_bits

    def quality_plane(self, level: Tensor) -> Tensor:
        """The level as a feature map of one position, about -1..1: ``(B, 1, 1, 1)``."""
        half = (self.config.levels - 1) / 2
        return ((level - half) / half)[:, None, None, None]

    def prior(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise ``y (B, M, h, w)`` pass by pass: y_hat, bits of y, bits of z."""
        quality = self.quality_plane(level)
        z00, z01, z10, z11 = unshuffle_phases(self.h_a(y))
        scale = self.interpolate(self.z_log_scale, level).expand_as(z00)
        z00, bits = self.quantise(z00, (torch.zeros_like(z00), scale))
        predicted = self.z_pass(quality.expand(-1, 1, *z00.shape[2:]), z00)
        z_rest, more = self.quantise(torch.cat((z01, z10, z11), 1), predicted)
        z_bits = bits + more
        f64, f32 = self.h_s(shuffle_phases(z00, *z_rest.chunk(3, 1)), quality)

        a, b, c, d = unshuffle_phases(y)
        a1, *a2 = unshuffle_phases(a)
        finer = torch.exp(self.finer)[:, None, :, None, None]  # (4, 1, M, 1, 1)
        a1, bits1 = self.quantise(a1, self.passes[0](f64), finer[0])
        a2_hat, bits2 = self.quantise(torch.cat(a2, 1), self.passes[1](f64, a1), finer[1].repeat(1, 3, 1, 1))
        a = shuffle_phases(a1, *a2_hat.chunk(3, 1))
        d, bits3 = self.quantise(d, self.passes[2](f32, a), finer[2])
        bc, bits4 = self.quantise(torch.cat((b, c), 1), self.passes[3](f32, a, d), finer[3].repeat(1, 2, 1, 1))
        b, c = bc.chunk(2, 1)
        return shuffle_phases(a, b, c, d), bits1 + bits2 + bits3 + bits4, z_bits

    def quantise(self, y: Tensor, predicted: Statistics, finer: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        """Round the residual ``(y - means) * finer`` and count its bits under the Gaussian of the log scales.

        In training the rate sees additive noise (Ballé 2017) and everything else the rounded value, through a
        straight-through gradient; in evaluation both see the rounded value.

        Returns:
            y_hat like ``y``, and bits ``(B,)``.
        """
        means, log_scales = predicted
        residual = (y - means) * finer
        rounded = residual + (torch.round(residual) - residual).detach()
        noisy = residual + torch.empty_like(residual).uniform_(-0.5, 0.5) if self.training else rounded
        return rounded / finer + means, gaussian_bits(noisy, log_scales).sum((1, 2, 3))


def gaussian_bits(value: Tensor, log_scales: Tensor) -> Tensor:
    """Bits of integers (or noisy values) under a rounded Gaussian of mean zero; the tails never underflow."""
    scale = torch.exp(log_scales.clamp(math.log(SCALE_MIN), math.log(SCALE_MAX)))
    value = value.abs() / scale
    half = 0.5 / scale
    likelihood = 0.5 * (torch.erfc((value - half) * 0.70710678) - torch.erfc((value + half) * 0.70710678))
    # Where the likelihood is too small for float32, go on with the tail's own slope: the gradient stays alive.
    bits = -torch.log2(likelihood.clamp_min(1e-9))
    return bits + F.relu(value - half - 6.0)
