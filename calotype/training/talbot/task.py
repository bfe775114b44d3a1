# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``talbot``: loss, validation and initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.layers import Block
from ...networks.talbot import Talbot, TalbotConfig
from ..crops import CropConfig, random_crops
from ..data import LATTICE, PictureCache, middle, still_readable
from ..weights import read_weights, start_from
from .measure import LossConfig, Measure

VALIDATED = (1.0, 2.5, 4.0, 6.0)  # levels of quality


@dataclass
class TalbotTask:
    """Rate + lambda x distortion over all qualities at once.

    Each sample draws its own quality level; its loss is weighted by lambda^-1/2, so that low and high qualities
    pull with about the same force.

    Attributes:
        compile: let PyTorch's compiler fuse the costly losses; not those of validation, where each size is another.
    """

    network: Talbot
    pictures: PictureCache
    crop: CropConfig
    validation: Sequence[Path] = ()  # picture files
    config: LossConfig = field(default_factory=LossConfig)
    compile: bool = False

    def __post_init__(self) -> None:
        self.measure = Measure(self.config.shares, self.compile)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Crops ``(size, 3, H, W)`` and their quality levels ``(size,)``."""
        crops = random_crops(self.pictures, self.crop, rng, size)
        top = self.network.config.levels - 1
        level = levels(rng, size, top)
        return crops.contiguous(memory_format=torch.channels_last), torch.from_numpy(level).float()

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The mean weighted loss of a batch, and what to log of it."""
        x, level = batch
        lambda_ = self.network.lambda_(level)
        x_hat, y_bits, z_bits = self.network(x, level)
        pixels = x.shape[2] * x.shape[3]
        y_bpp, z_bpp = y_bits / pixels, z_bits / pixels
        distortion, details = self.measure(x, x_hat)
        loss = ((lambda_ * distortion + y_bpp + z_bpp) * lambda_.pow(-self.config.balance)).mean() * 0.05
        return loss, {"y_bpp": y_bpp.mean().item(), "z_bpp": z_bpp.mean().item(), **details}

    def validate(self) -> dict[str, float]:
        """Estimated rate and PSNR on the middles of the validation pictures, at four levels."""
        figures: dict[str, list[float]] = {}
        for picture in still_readable(self.validation):
            x = middle(picture)
            h, w = x.shape[2:]
            padded = F.pad(x, (0, -w % LATTICE, 0, -h % LATTICE), mode="replicate")  # as the codec does
            for level in VALIDATED:
                x_hat, y_bits, z_bits = self.network(padded, torch.tensor([level]))
                values = self.measure.figures(x, x_hat[..., :h, :w].clamp(0, 1))
                for name, value in {"bpp": (y_bits + z_bits).item() / (h * w), **values}.items():
                    figures.setdefault(f"{name}@{level:g}", []).append(value)
        return {name: float(np.mean(values)) for name, values in figures.items()}


def levels(rng: np.random.Generator, size: int, top: int) -> npt.NDArray[np.float64]:
    """Random levels of quality ``(size,)`` in 0..top: stratified, and denser in the middle, where people work."""
    u = (rng.permutation(size) + rng.random(size)) / size
    drawn: npt.NDArray[np.float64] = top * (0.5 - np.sin(np.arcsin(1 - 2 * u) / 3)) * 0.6 + 0.4 * top * u
    return drawn


def start_from_prototype(network: Talbot, weights: dict[str, Tensor]) -> None:
    """Take over transforms, hyper-analysis and gains of the prototype whose layers have the same shapes.

    Its qualities lie between others than ours, and its depthwise layers have a bias that ours do without.
    """
    weights = {name: value.float() for name, value in weights.items()}
    target = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            if name.startswith(("g_a.", "g_s.", "h_a.")) and name in target:
                target[name].copy_(value)
        for prefix, module in network.named_modules():
            bias = weights.get(f"{prefix}.depthwise.bias")
            if isinstance(module, Block) and bias is not None and prefix.startswith(("g_a", "g_s", "h_a")):
                cast(Tensor, module.expand.bias).add_(module.expand.weight[:, :, 0, 0] @ bias)
        config = network.config
        lambdas = network.lambda_(torch.arange(config.levels).float())
        known = weights["lambdas"]
        for name in ("gain_encoder", "gain_decoder"):
            table = weights[name]  # (8, M), logarithms, over log lambda
            slope = (table[-1] - table[0]) / (known[-1] / known[0]).log()
            for i, value in enumerate(lambdas):
                t = (value / known[0]).log() / (known[-1] / known[0]).log() * (len(known) - 1)
                low = int(t.floor().clamp(0, len(known) - 2))
                inside = t.clamp(0, len(known) - 1)
                row = table[low] * (1 - (inside - low)) + table[low + 1] * (inside - low)
                step = (known[1] / known[0]).log()
                target[name][i].copy_(row + slope * (t - inside) * step)
        z_scale = (4 * torch.nn.functional.softplus(weights["z_scale"])).log()
        target["z_log_scale"].copy_(z_scale.expand_as(target["z_log_scale"]))


def initialise(network: Talbot, path: Path) -> None:
    """Take over weights from a safetensors file: of this network, or of the prototype whose transforms it shares.

    Raises:
        CalotypeError: the file cannot be read, or holds the weights of neither.
    """
    weights = read_weights(path)
    if {"lambdas", "z_scale"} <= weights.keys():
        start_from_prototype(network, weights)
    else:
        start_from(network, path)


def make_network(config: TalbotConfig | None = None) -> Talbot:
    """A network laid out for fast training on a CPU."""
    network = Talbot(config)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return network
