# SPDX-License-Identifier: BSD-3-Clause
"""Start ``rippel2017`` as a transform codec: the principal components of 16x16 blocks of photographs.

The finest branch becomes the transform and back, through its two 1x1 layers with strides; residual blocks are the
identity, and the other branches begin at zero. Latents are scaled so that the finest threshold is 1 for mean colours,
and the finer their pattern the less, by what MS-SSIM sees of its errors.
"""

from __future__ import annotations

import math
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...metrics.similarity import scale_weights
from ...networks.layers import Block, Down, Pointwise, Up
from ...networks.rippel2017 import COLOURS, Rippel2017, strides
from ..crops import CropConfig, random_crops
from ..data import PictureCache
from ..principal import principal_components

Made = TypeVar("Made", bound=nn.Module)

FINEST = 1 / 80  # threshold of an orthonormal transform of samples in 0..1 that becomes 1


def make_network(network: Made) -> Made:
    """A network laid out for fast training on a CPU."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return network


def start_as_transform(network: Rippel2017, pictures: PictureCache, crops: int = 512, seed: int = 1) -> None:
    """Initialise ``network`` from random crops of ``pictures``."""
    rng = np.random.default_rng(seed)
    crop = CropConfig(64, 0.5, 1.2, 0.5)
    x = random_crops(pictures, crop, rng, crops) - 0.5
    analysis, synthesis = network.analysis, network.synthesis
    first, rest = strides(0)
    blocks = F.pixel_unshuffle(x, first)
    w1 = principal_components(blocks.permute(0, 2, 3, 1).flatten(0, 2), network.config.scales[0])
    cells = F.pixel_unshuffle(torch.einsum("ck,bkhw->bchw", w1, blocks), rest)
    w2 = principal_components(cells.permute(0, 2, 3, 1).flatten(0, 2), network.config.width)
    patterns = F.pixel_shuffle(F.pixel_shuffle((w2 @ _spread(w1, rest))[:, :, None, None], rest), first)
    colours = patterns.mean((2, 3)).square().sum(1).argsort(descending=True, stable=True)[:COLOURS]
    order = torch.tensor([*colours.tolist(), *(i for i in range(len(w2)) if i not in colours)])
    w2, patterns = w2[order], patterns[order]
    latents = torch.eye(network.config.latents, network.config.width)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Block):
                _set(module.project, torch.zeros(()))
        for layer in [*analysis.align[1:], *(pixels[-1] for pixels in _parts(synthesis.pixels[1:]))]:
            _set(layer, torch.zeros(()))
        _set(analysis.features[0][0], w1)  # type: ignore[index]
        _set(analysis.align[0], w2)
        _set(analysis.trunk[-1], latents)
        mixture = torch.zeros(network.config.width, cast(Pointwise, synthesis.trunk[0]).in_channels)
        mixture[:, : network.config.latents] = latents.T
        _set(synthesis.trunk[0], mixture)
        _set(synthesis.align[0], w2.T)
        _set(_parts(synthesis.pixels)[0][-1], w1.T)
        gain = visible(patterns[: network.config.latents]).sqrt().log() - math.log(FINEST)
        analysis.log_gain.copy_(gain)
        synthesis.log_gain.copy_(-gain)


def visible(patterns: Tensor) -> Tensor:
    """Share of the errors of patterns ``(C, 3, H, W)`` that MS-SSIM sees: those left at its scales, weighted."""
    energy = patterns.square().mean((1, 2, 3))
    seen = torch.zeros(len(patterns))
    for scale, weight in enumerate(scale_weights(5)):
        patterns = F.avg_pool2d(patterns, 2) if scale else patterns
        seen += weight * patterns.square().mean((1, 2, 3)) / energy
    return seen


def _spread(weight: Tensor, factor: int) -> Tensor:
    """The blocks ``(C factor^2, D factor^2)`` that C coefficients of D samples are in each place of a larger block."""
    c, d = weight.shape
    places = torch.eye(factor**2)
    return torch.einsum("cd,pq->cpdq", weight, places).reshape(c * factor**2, d * factor**2)


def _parts(modules: nn.ModuleList | nn.Module) -> list[nn.Sequential]:
    return [cast(nn.Sequential, module) for module in cast(nn.ModuleList, modules)]


def _pointwise(layer: nn.Module) -> Pointwise:
    match layer:
        case Down():
            return cast(Pointwise, layer[1])
        case Up():
            return cast(Pointwise, layer[0])
        case _:
            return cast(Pointwise, layer)


def _set(layer: nn.Module, weight: Tensor) -> None:
    pointwise = _pointwise(layer)
    pointwise.weight[:, :, 0, 0] = weight
    cast(Tensor, pointwise.bias).zero_()
