# SPDX-License-Identifier: BSD-3-Clause
"""Start ``talbot`` as a transform codec: the Karhunen-Loève transform of the training pictures.

The 1x1 layers of ``g_a`` become the principal components of 8x8x3 blocks and then of 2x2 groups of those, those of
``g_s`` their transposes; the residual blocks are near the identity. The gains are the quantiser steps that are optimal
at high rates, and the prior's scales start from each coefficient's own deviation. A network that starts here is a
decent codec before its first step, and saves hours of training on a CPU.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.layers import Pointwise
from ...networks.talbot import Pass, Talbot
from ..crops import CropConfig, random_crops
from ..data import PictureCache
from ..principal import principal_components

PEAK = 255.0**2


def quantiser_step(lambda_: Tensor) -> Tensor:
    """The step at which lambda 255^2 D + R is stationary, with D = step^2 / 12 and R = -log2(step) a coefficient.

    D is summed over the three colours in the loss's mean: sqrt(18 / (ln 2 lambda 255^2)).
    """
    return torch.sqrt(18 / (math.log(2) * PEAK * lambda_))


def start_as_klt(network: Talbot, pictures: PictureCache, patches: int = 4096, seed: int = 1) -> None:
    """Initialise ``network`` from random crops of ``pictures``; ``patches`` crops of 64 x 64 are enough."""
    config = network.config
    rng = np.random.default_rng(seed)
    crop = CropConfig(size=64)
    x = random_crops(pictures, crop, rng, patches // 16) - 0.5
    first = F.pixel_unshuffle(x, 8)  # (B, 192, 8, 8)
    w1 = principal_components(first.permute(0, 2, 3, 1).flatten(0, 2), config.c1)
    h = F.pixel_unshuffle(torch.einsum("ck,bkhw->bchw", w1, first), 2)
    rows = h.permute(0, 2, 3, 1).flatten(0, 2)
    w2 = principal_components(rows, config.c2)
    deviation = (rows @ w2.T).square().mean(0).sqrt()[: config.m]
    lambdas = network.lambda_(torch.arange(config.levels).float())
    step = quantiser_step(lambdas)
    outer = _outer_layers(network)
    with torch.no_grad():
        for layer in outer:
            layer.weight.zero_()
            cast(Tensor, layer.bias).zero_()
        a1, a2, a3, s1, s2, s3 = outer
        a1.weight[:, :, 0, 0] = w1
        a2.weight[:, :, 0, 0] = w2
        a3.weight[:, :, 0, 0] = torch.eye(config.m, config.c2)
        s1.weight[:, :, 0, 0] = torch.eye(config.c2, config.m)
        s2.weight[:, :, 0, 0] = w2.T
        s3.weight[:, :, 0, 0] = w1.T
        network.gain_encoder.copy_(-step.log()[:, None].expand(-1, config.m))
        network.gain_decoder.copy_(step.log()[:, None].expand(-1, config.m))
        middle = (deviation / step[config.levels // 2]).log()
        for one in cast(list[Pass], list(network.passes)):
            scales = cast(Tensor, cast(Pointwise, one.network[-1]).bias)[one.phases * config.m :]
            scales.copy_(middle.repeat(one.phases))


def _outer_layers(network: Talbot) -> list[Pointwise]:
    """The pointwise layers outside the blocks, in order: three of ``g_a``, three of ``g_s``."""
    n = network.config.blocks
    g_a, g_s = network.g_a, network.g_s
    found = [g_a[0][1], g_a[n + 1][1], g_a[-1], g_s[0], g_s[n + 1][0], g_s[-1][0]]  # type: ignore[index]
    return [cast(Pointwise, layer) for layer in found]
