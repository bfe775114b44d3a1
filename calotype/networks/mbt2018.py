# SPDX-License-Identifier: BSD-3-Clause
"""``mbt2018``: a serial context for the latents of ``talbot``, in the place of its four parallel passes.

D. Minnen, J. Ballé, G. Toderici, "Joint autoregressive and hierarchical priors for learned image compression", NeurIPS
2018, arXiv 1809.02736. Mean and scale of a latent come from the hyper-prior's features and from the latents decoded
before it, in raster order, within a *masked* window of 5x5 (``o`` is the latent)::

    x x x x x
    x x x x x        y_hat -- masked depthwise 5x5 -- 1x1 --(+)-- leaky ReLU -- 1x1 -- leaky ReLU -- 1x1 --> scales
    x x o . .                                                |                                        |
    . . . . .            features f32 -- 1x1 to 4 phases ----+                                       (+)--> means
    . . . . .        y_hat -- masked depthwise 5x5, linear --------------------------------------------+

The paper's masked convolution is a dense one. Here it is depthwise, as everything in ``talbot`` is, and as there the
means have a linear prediction of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import SLOPE, Pointwise
from .talbot import Statistics

REACH = 2  # positions that the window sees to each side
TAPS = [(i, j) for i in range(-REACH, 1) for j in range(-REACH, REACH + 1) if (i, j) < (0, 0)]  # rows, columns; 12


@dataclass(frozen=True)
class SerialConfig:
    """Sizes of the network."""

    m: int = 320  # latents
    features: int = 192  # of the hyper-prior, on twice as coarse a lattice
    width: int = 256  # of the hidden layers


class Causal(nn.Module):
    """A depthwise convolution over the window's decoded positions: ``(B, C, H, W)`` to the same; zeros outside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, len(TAPS)))

    def kernel(self) -> Tensor:
        """The whole window's ``(C, 1, 5, 5)``, zero where nothing is decoded yet."""
        side = 2 * REACH + 1
        empty = self.weight.new_zeros(len(self.weight), side * side - len(TAPS))
        return torch.cat((self.weight, empty), 1).reshape(-1, 1, side, side)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return F.conv2d(x, self.kernel(), padding=REACH, groups=len(self.weight))


class SerialContext(nn.Module):
    """Decoded latents ``y_hat (B, M, 2h, 2w)`` and features ``(B, N, h, w)`` -> means and log scales like ``y_hat``.

    Each position's depend on those before it alone, so that one run over the whole lattice trains it.
    """

    def __init__(self, config: SerialConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SerialConfig()
        self.linear, self.context = Causal(config.m), Causal(config.m)
        self.known = nn.Conv2d(config.m, config.width, 1, bias=False)
        self.side = Pointwise(config.features, 4 * config.width)  # phase after phase of each channel
        self.hidden = Pointwise(config.width, config.width)
        self.last = Pointwise(config.width, 2 * config.m)
        with torch.no_grad():
            self.context.weight[:, -1] = 0.5  # the neighbours on the left and above
            self.context.weight[:, TAPS.index((-1, 0))] = 0.5
            self.last.weight.mul_(0.3)

    def layers(self, y_hat: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What each layer gives: the window, both hidden layers, means and log scales without the linear part."""
        seen = self.context(y_hat)
        first = F.leaky_relu(self.known(seen) + F.pixel_shuffle(self.side(features), 2), SLOPE)
        second = F.leaky_relu(self.hidden(first), SLOPE)
        return seen, first, second, self.last(second)

    def forward(self, y_hat: Tensor, features: Tensor) -> Statistics:
        """See the class."""
        means, log_scales = self.layers(y_hat, features)[-1].chunk(2, 1)
        return means + self.linear(y_hat), log_scales
