# SPDX-License-Identifier: BSD-3-Clause
"""The perceptual loss: how differently a network that was trained to name things sees two pictures.

With SqueezeNet it is the distance of :mod:`calotype.metrics.perceptual`, differentiable: features of four layers,
divided by their length at each place. A network that was trained with it is flattered by that metric, so that other
measures, and eyes, have to agree. With VGG-19 it is the paper's: the mean squared difference of the last features
before the fifth pooling, divided by 12.75.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import CalotypeError, DependencyError
from ..metrics.perceptual import EPSILON
from ..metrics.squeezenet import FIRES, MEAN, POOLED, STRIDE, TAKEN, load_squeezenet

ENVIRONMENT = "CALOTYPE_SQUEEZENET"  # the npz file of SqueezeNet's weights, in place of the recipe's
VGG_LAYERS = 36  # of torchvision's list of VGG-19: up to the activation before the fifth pooling
VGG_SCALE = 12.75  # the paper divides features by it, so that their loss is as large as that of the samples
SHIFT = 16  # samples: the coarsest lattice of features


@dataclass(frozen=True)
class PerceptualConfig:
    """Settings of the perceptual network."""

    network: Literal["squeezenet", "vgg19"] = "squeezenet"  # vgg19 needs torchvision and its weights
    weights: str = "squeezenet_v1_0.npz"  # of SqueezeNet; the environment variable CALOTYPE_SQUEEZENET goes first
    layers: tuple[str, ...] = TAKEN  # of SqueezeNet; those left out can judge what the others made


class Perceptual(nn.Module):
    """A frozen network as a loss: pictures ``(B, 3, H, W)`` in 0..1, made and real -> a scalar.

    Both pictures are cut at the same random place first: the strides of the network's layers would else always lie
    alike on the generator's pixel-shuffle, and patterns that they do not see would grow.
    """

    in_bfloat16 = False  # compute the features in bfloat16, where they are a loss

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """See the class."""
        self.to(made.device)
        top, left = (int(i) for i in torch.randint(SHIFT, (2,)))
        with torch.autocast(made.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            with torch.no_grad():
                aim = self.features(real[..., top:, left:])
            seen = self.features(made[..., top:, left:])
        return self.distance([x.float() for x in seen], [x.float() for x in aim])

    @abstractmethod
    def features(self, x: Tensor) -> list[Tensor]:
        """Features, layer by layer."""

    @abstractmethod
    def distance(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """Of two answers of :meth:`features`."""


class SqueezePerceptual(Perceptual):
    """By layers of SqueezeNet 1.0. Raises CalotypeError if ``path`` does not hold its weights."""

    def __init__(self, path: str, layers: tuple[str, ...] = TAKEN) -> None:
        super().__init__()
        self.layers = layers
        stored = load_squeezenet(path)
        for name, matrix in stored.weights.items():
            inputs = matrix.shape[0]
            kernel = 7 if name == "conv1" else 3 if name.endswith("3x3") else 1
            weight = matrix.reshape(kernel, kernel, inputs // kernel**2, -1).transpose(3, 2, 0, 1)
            if name == "conv1":
                weight = weight[:, ::-1] * 255  # it was trained with blue, green, red of 0 to 255
            layer = name.replace(".", "_")
            self.register_buffer(layer, torch.from_numpy(np.ascontiguousarray(weight)), persistent=False)
            self.register_buffer(f"{layer}_bias", torch.from_numpy(stored.biases[name].copy()), persistent=False)
        self.register_buffer("mean", torch.tensor(MEAN[::-1]).div(255).view(1, 3, 1, 1), persistent=False)

    def layer(self, name: str, x: Tensor, **options: int) -> Tensor:
        """A convolution and its ReLU."""
        return F.conv2d(x, getattr(self, name), getattr(self, f"{name}_bias"), **options).relu()

    def features(self, x: Tensor) -> list[Tensor]:
        """The layers that are taken, out of the last ones of each resolution, before pooling."""
        x = self.layer("conv1", x - cast(Tensor, self.mean), stride=STRIDE)
        taken = {"conv1": x}
        for name, before in zip(FIRES, ("conv1", *FIRES), strict=False):
            if taken.keys() >= set(self.layers):
                break
            if before in POOLED:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            x = self.layer(f"{name}_squeeze", x)
            x = torch.cat((self.layer(f"{name}_expand1x1", x), self.layer(f"{name}_expand3x3", x, padding=1)), 1)
            if name in TAKEN:
                taken[name] = x
        return [taken[name] for name in self.layers]

    def distance(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """The mean over the layers of the squared difference of unit vectors: 0 to 2."""
        return torch.stack([(unit(x) - unit(y)).square().sum(1).mean() for x, y in zip(a, b, strict=True)]).mean()


def unit(x: Tensor) -> Tensor:
    """Features divided by their length at each place."""
    return x * (x.square().sum(1, keepdim=True) + EPSILON**2).rsqrt()


class VggPerceptual(Perceptual):
    """By VGG-19 of torchvision. Raises DependencyError without torchvision, CalotypeError without its weights."""

    def __init__(self) -> None:
        super().__init__()
        try:
            from torchvision.models import VGG19_Weights, vgg19
        except ImportError as error:
            raise DependencyError(
                "the perceptual loss by vgg19 needs torchvision: pip install torchvision, or use squeezenet"
            ) from error
        try:
            whole: Any = vgg19(weights=VGG19_Weights.IMAGENET1K_V1)
        except Exception as error:  # whatever the download of 550 MB fails with
            raise CalotypeError(
                f"the weights of vgg19 cannot be found or fetched ({error}); use squeezenet instead"
            ) from error
        self.layers = whole.features[:VGG_LAYERS].eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1), persistent=False)

    def features(self, x: Tensor) -> list[Tensor]:
        """The last layer before the fifth pooling."""
        return [cast(Tensor, self.layers((x - cast(Tensor, self.mean)) / cast(Tensor, self.deviation)))]

    def distance(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """The mean squared difference of features, scaled as in the paper."""
        return ((a[0] - b[0]) / VGG_SCALE).square().mean()


def perceptual(config: PerceptualConfig) -> Perceptual:
    """The loss that a recipe asks for. Raises CalotypeError if its network cannot be had, or has no such layers."""
    if not config.layers or set(config.layers) - set(TAKEN):
        raise CalotypeError(f"the perceptual loss takes layers out of {', '.join(TAKEN)}, not {config.layers}")
    if config.network == "vgg19":
        return VggPerceptual()
    return SqueezePerceptual(os.environ.get(ENVIRONMENT, config.weights), config.layers)
