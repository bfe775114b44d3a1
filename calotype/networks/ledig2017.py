# SPDX-License-Identifier: BSD-3-Clause
"""``ledig2017``: super-resolution with a residual network (SRResNet), and with an adversary (SRGAN).

C. Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
arXiv 1609.04802::

    x -- first --+-- block -- ... -- block -- last of the body --(+)-- enlarging --> (+) --> picture
                 |                                                |                   |
                 +------------------------------------------------+     base: x, enlarged by a linear filter

    block:  x -- conv 3x3 -- [BN] -- activation -- conv 3x3 -- [BN] --(+ x)-->

The paper's enlarging is *staged*: for each doubling a 3x3 convolution to 4 x C channels, a pixel-shuffle and an
activation, then a 9x9 convolution at full resolution. Ours is a single 3x3 convolution to 3 x scale^2 channels and
one pixel-shuffle, so that all work is done at the low resolution: at full resolution a layer costs scale^2 as much.
Two more departures, each an option: no batch normalisation (its noise costs PSNR and makes artefacts in the adversarial
training; Lim 2017, arXiv 1707.02921; Wang 2018, arXiv 1809.00219), and a *base* that is added to the result, a trained
linear filter that begins as bicubic interpolation: an untrained network is as good as that, and the rest of it need
only learn what bicubic interpolation lacks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import CalotypeError
from .sizes import check_sizes

SLOPE = 0.2  # of the leaky ReLU of both networks
BASE = 5  # side of the base's filter: what bicubic interpolation reaches


@dataclass(frozen=True)
class GeneratorConfig:
    """The size of a generator. The defaults are what a CPU runs at half a megapixel a second at 4x."""

    scale: int = 4  # 2 or 4
    channels: int = 64  # a multiple of 16: AVX-512 lanes full
    blocks: int = 8  # residual blocks; the paper has 16
    kernel: int = 3  # of the first and, when staged, of the last convolution; the paper has 9
    batch_norm: bool = False  # the paper has it
    prelu: bool = False  # a trained slope for each channel, as in the paper, in place of a leaky ReLU
    staged: bool = False  # enlarge by 2 at a time, as in the paper
    base: bool = True  # add the picture as a linear filter enlarges it

    def __post_init__(self) -> None:
        check_sizes(self, zero=("blocks",), among={"scale": (2, 4)})
        if self.kernel % 2 == 0:
            raise CalotypeError(f"GeneratorConfig.kernel should be odd, not {self.kernel}")


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose running statistics are parameters without a gradient.

    So they are saved, averaged and restored with the weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        for name in ("running_mean", "running_var"):
            value = cast(Tensor, getattr(self, name))
            delattr(self, name)
            setattr(self, name, nn.Parameter(value, requires_grad=False))
        self.num_batches_tracked = None  # the running statistics have a fixed momentum: nothing to count


def activation(config: GeneratorConfig) -> nn.Module:
    """Activation after a convolution."""
    return nn.PReLU(config.channels) if config.prelu else nn.LeakyReLU(SLOPE)


def convolution(channels: int, out: int, kernel: int = 3) -> nn.Conv2d:
    """A convolution that keeps the size of the picture, zero padding."""
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2)


def normalised(config: GeneratorConfig) -> list[nn.Module]:
    """A 3x3 convolution of the body with its batch normalisation, if there is one."""
    layer = convolution(config.channels, config.channels)
    return [layer, BatchNorm(config.channels)] if config.batch_norm else [layer]


class Residual(nn.Module):
    """``x + conv(activation(conv(x)))``, with batch normalisation after the convolutions if so configured."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.branch = nn.Sequential(*normalised(config), activation(config), *normalised(config))
        if not config.batch_norm:  # near the identity at first: deep networks then start as well as flat ones
            with torch.no_grad():
                last = cast(nn.Conv2d, self.branch[-1])
                last.weight.mul_(0.1)
                cast(Tensor, last.bias).zero_()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x + cast(Tensor, self.branch(x))


class Generator(nn.Module):
    """A picture ``x (B, 3, h, w)`` in 0..1 -> ``(B, 3, scale * h, scale * w)``, about in 0..1 (not clipped).

    Args:
        config: its size.
    """

    branch_in_bfloat16 = False  # compute the body (never the base nor the long sum) in bfloat16 while training

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        c, scale = config.channels, config.scale
        self.first = nn.Sequential(convolution(3, c, config.kernel), activation(config))
        self.body = nn.Sequential(*(Residual(config) for _ in range(config.blocks)), *normalised(config))
        layers: list[nn.Module] = []
        if config.staged:
            for _ in range(scale.bit_length() - 1):
                layers += [convolution(c, 4 * c), nn.PixelShuffle(2), activation(config)]
            layers.append(convolution(c, 3, config.kernel))
        else:
            layers += [convolution(c, 3 * scale**2), nn.PixelShuffle(scale)]
        self.enlarge = nn.Sequential(*layers)
        self.base = nn.Conv2d(3, 3 * scale**2, BASE, bias=False) if config.base else None
        if self.base is not None:
            with torch.no_grad():
                self.base.weight.copy_(bicubic_filter(scale))
                final = cast(nn.Conv2d, layers[-1] if config.staged else layers[0])
                final.weight.mul_(0.1)
                cast(Tensor, final.bias).zero_()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            features = self.first(x - 0.5)  # so that the zeros of the padding are grey
            out = self.enlarge(features + self.body(features))
        if self.base is None:
            return cast(Tensor, out.float() + 0.5)
        around = F.pad(x, (BASE // 2,) * 4, mode="replicate")
        return cast(Tensor, out.float() + F.pixel_shuffle(self.base(around), self.config.scale))

    @property
    def radius(self) -> int:
        """Reach of a result, in samples of ``x``."""
        config = self.config
        reach = float(config.kernel // 2 + 2 * config.blocks + 1)
        if config.staged:  # the layers after a doubling see half as far, and half as far again
            reach += sum(0.5**i for i in range(config.scale.bit_length() - 1)) + config.kernel // 2 / config.scale
        else:
            reach += 1
        return max(math.ceil(reach), BASE // 2)


def bicubic_filter(scale: int) -> Tensor:
    """``(3 * scale^2, 3, 5, 5)``: bicubic interpolation (Keys, a = -1/2) as a convolution before a pixel-shuffle."""
    position = torch.arange(BASE) - BASE // 2
    phase = (torch.arange(scale) + 0.5) / scale - 0.5
    d = (phase[:, None] - position).abs()
    taps = torch.where(d <= 1, 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2)
    taps = torch.where(d < 2, taps, torch.zeros(()))  # (scale, 5)
    kernel = torch.einsum("iy,jx->ijyx", taps, taps).reshape(scale**2, BASE, BASE)
    weight = torch.zeros(3, scale**2, 3, BASE, BASE)
    for colour in range(3):
        weight[colour, :, colour] = kernel
    return weight.flatten(0, 1)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The size of a discriminator."""

    width: int = 24  # channels of the first layers; the paper has 64
    batch_norm: bool = True  # of the batch at hand: real and made pictures are never in the same one
    dense: int = 256  # of the hidden dense layer; the paper has 1,024
    side: int = 0  # of the pictures, when every place has weights of its own as in the paper; 0: the mean over places

    def __post_init__(self) -> None:
        check_sizes(self, zero=("side",))


class Discriminator(nn.Module):
    """Pictures ``(B, 3, H, W)`` in 0..1, sides of at least 16 -> logits ``(B,)``: high for real photographs.

    Eight 3x3 convolutions, every second one with stride 2, channels w w 2w 2w 4w 4w 8w 8w, leaky ReLU; then two
    dense layers.
    """

    branch_in_bfloat16 = False  # compute the convolutions in bfloat16 while training

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        layers: list[nn.Module] = []
        channels = 3
        for i in range(8):
            out = config.width << (i // 2)
            layers.append(nn.Conv2d(channels, out, 3, stride=1 + i % 2, padding=1))
            if config.batch_norm and i:
                layers.append(nn.BatchNorm2d(out, track_running_stats=False))
            layers.append(nn.LeakyReLU(SLOPE))
            channels = out
        self.features = nn.Sequential(*layers)
        places = (-(-config.side // 16)) ** 2 if config.side else 1
        self.judge = nn.Sequential(
            nn.Linear(channels * places, config.dense), nn.LeakyReLU(SLOPE), nn.Linear(config.dense, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            features = self.features(2 * x - 1)
        features = features.float()
        seen = features.flatten(1) if self.config.side else features.mean((2, 3))
        return cast(Tensor, self.judge(seen)[:, 0])
