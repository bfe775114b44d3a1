# SPDX-License-Identifier: BSD-3-Clause
"""Training of ``tao2017``: networks before and behind standard codecs that pass no gradient.

At scale 1 the material is fixed: pictures and what codecs made of them. At scale 2, ComCNN makes the picture that the
codec gets, so the codec runs inside each step. How the gradient passes it is the ``gradient`` of
:class:`TaskConfig`:

- ``straight-through``: the codec's result forward, the identity backward.
- ``identity``: ComCNN learns as if there were no codec; RecCNN learns from the real codec's results (the paper's
  alternation, section III-C: each network is optimised while the other one is held).
- ``proxy``: ComCNN learns through a differentiable JPEG (:mod:`calotype.training.tao2017.jpeg_proxy`).
- ``proxy-backward``: the codec's result forward, that proxy's gradient backward (the identity's where the codec is
  another): both networks learn in one pass.

In each of them RecCNN sees real files only.

A compact picture has to be stored, and none of these gradients says what that costs. Either it ``stay``s near plain
down-sampling, or the loss counts the proxy's bits: with an exponent ``rate`` of r, error x bits^r is what falls. Along
a codec's own curve that product is about constant, so r says how many per cent of error a per cent of bits is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ...metrics.similarity import most_scales
from ...networks.layers import Pointwise
from ...networks.tao2017 import STRENGTH_OFFSET, BlockRec, LayerRec, StagedRec, Tao2017, halved
from ..crops import CropConfig, random_crops
from ..data import PictureCache, middle, still_readable
from ..losses import Loss, hvs_mse, ms_ssim, mse, ssimulacra2_sum
from ..principal import whitening
from .degrading import DegradedPool, MixConfig, degrade, from_pictures, through, to_picture
from .jpeg_proxy import jpeg_bits, jpeg_proxy

JUDGES: dict[str, dict[str, Any]] = {
    "jpeg10": {"format": "JPEG", "quality": 10},
    "jpeg20": {"format": "JPEG", "quality": 20},
    "jpeg40": {"format": "JPEG", "quality": 40},
    "jpeg95": {"format": "JPEG", "quality": 95},
    "avif25": {"format": "AVIF", "quality": 25, "speed": 6, "subsampling": "4:4:4"},
    "avif50": {"format": "AVIF", "quality": 50, "speed": 6, "subsampling": "4:4:4"},
    "webp10": {"format": "WEBP", "quality": 10},
}
FLOOR = 2e-5  # added to the error before, 47 dB: pictures that were nearly clean must not rule
MEASURES: dict[str, tuple[Loss, float]] = {  # errors, and what is added to that before
    "ms-ssim": (lambda x, y: 1 - ms_ssim(x, y, scales=min(5, most_scales(*x.shape[2:]))), 1e-4),
    "psnr-hvs": (hvs_mse, FLOOR),
    "ssimulacra2": (ssimulacra2_sum, 0.1),
}
HALF = (10, 30, 60)  # qualities of the JPEG inside, at scale 2
LEAST_VARIANCE = (2 / 255) ** 2  # of a direction that is amplified to unit variance


def start_whitened(network: Tao2017, pictures: PictureCache, crops: int = 512, seed: int = 1) -> None:
    """Let the first layers give all directions of the photographs' blocks about unit variance.

    What a codec has done to a picture is some fifty times smaller than the picture; a network that starts from the
    samples themselves spends its first hour on finding it.
    """
    rng = np.random.default_rng(seed)
    crop = CropConfig(size=64, scale_min=0.5, scale_max=1.0)
    x = random_crops(pictures, crop, rng, crops) - 0.5
    layers = [network.estimate.down]
    repairing = (network.rec1, network.rec2.repair if isinstance(network.rec2, StagedRec) else network.rec2)
    layers += [rec.head for rec in repairing if isinstance(rec, BlockRec)]
    for rec in repairing:
        if isinstance(rec, LayerRec):
            whiten_layer(cast(nn.Conv2d, rec.layers[0]), x)
    for down in layers:
        unshuffle, pointwise = cast(nn.PixelUnshuffle, down[0]), cast(Pointwise, down[1])
        blocks = unshuffle(x).permute(0, 2, 3, 1).flatten(0, 2)
        mixture = torch.empty(pointwise.weight.shape[:2])
        nn.init.orthogonal_(mixture, gain=max(1.0, math.sqrt(mixture.shape[1] / mixture.shape[0])))
        with torch.no_grad():
            pointwise.weight.copy_((mixture @ whitening(blocks, LEAST_VARIANCE))[:, :, None, None])


def whiten_layer(layer: nn.Conv2d, x: Tensor) -> None:
    """The same for a convolution of pictures ``x (B, 3, H, W)``, whose patches overlap."""
    mixture = torch.empty(layer.out_channels, layer.weight[0].numel())
    nn.init.orthogonal_(mixture, gain=max(1.0, math.sqrt(mixture.shape[1] / mixture.shape[0])))
    patches = F.unfold(x[:64], layer.kernel_size).transpose(1, 2).flatten(0, 1)
    with torch.no_grad():
        layer.weight.copy_((mixture @ whitening(patches, LEAST_VARIANCE)).reshape(layer.weight.shape))


@dataclass(frozen=True)
class TaskConfig:
    """Settings of training."""

    full: float = 0.65  # share of steps at full size (scale 1); the others train ComCNN and RecCNN at scale 2
    size: int = 64  # side of crops: many small steps teach more than few large ones
    loss: Literal["mse", "ms-ssim", "psnr-hvs", "ssimulacra2"] = "mse"  # the error of the metric of that name
    gradient: Literal["straight-through", "identity", "proxy", "proxy-backward"] = "straight-through"  # see the module
    stay: float = 0.05  # weight of the compact picture's distance from plain down-sampling: it has to be stored
    judging: float = 0.02  # weight of a wrong estimate of the strength
    rate: float = 0.0  # exponent of the bits of a JPEG, see the module
    hold: bool = False  # rec1 and the networks of the strength stay as they are
    freshness: float = 0.5  # pixels put through a codec at each step, as a share of those that are trained on


@dataclass
class Tao2017Task:
    """Less error than before, relative to the error before, over all codecs and qualities at once."""

    network: Tao2017
    pictures: PictureCache
    config: TaskConfig = field(default_factory=TaskConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    validation: Sequence[Path] = ()
    pool: DegradedPool = field(init=False)

    def __post_init__(self) -> None:
        self.pool = DegradedPool(self.pictures, self.mix, freshness=self.config.freshness)
        if self.config.hold:
            for held in (self.network.rec1, self.network.estimate, self.network.tables):
                held.requires_grad_(False)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[int, Any]:
        """Scale and material of a step."""
        if rng.random() < self.config.full:
            return 1, self.pool.batch(rng, size, self.config.size)
        side = 2 * self.config.size  # half as large when it is coded: a codec needs some room
        crop = CropConfig(size=side, scale_min=0.6, scale_max=1.0)
        crops = random_crops(self.pictures, crop, rng, max(1, size // 4))
        return 2, (crops.contiguous(memory_format=torch.channels_last), rng)

    def loss(self, batch: tuple[int, Any]) -> tuple[Tensor, dict[str, float]]:
        """The mean error of a batch relative to that before, and the mean gain in decibels to log."""
        scale, material = batch
        return self.loss_full(*material) if scale == 1 else self.loss_half(*material)

    def loss_full(self, x: Tensor, degraded: Tensor, tables: Tensor, known: Tensor) -> tuple[Tensor, dict[str, float]]:
        """RecCNN behind the codec alone."""
        known = known & (torch.rand(len(x)) < 0.6).to(x.device)  # it has to be able to do without them
        e = self.network.strength(degraded, tables, known)
        left, details = self.distance(self.network.rec1(degraded, e), x, degraded, "gain1")
        return left.mean() + self.misjudged(e, degraded, x), details

    def loss_half(self, x: Tensor, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """ComCNN, codec, RecCNN."""
        network, config = self.network, self.config
        compact = network.com(x)
        coded = [degrade(to_picture(c), self.mix, rng) for c in compact.detach()]
        decoded = from_pictures([c.picture for c in coded]).to(x.device)
        tables = torch.from_numpy(np.stack([c.tables for c in coded]))[:, :, None, None].to(x.device)
        is_jpeg = torch.tensor([c.known for c in coded])
        known = (is_jpeg & (torch.rand(len(x)) < 0.6)).to(x.device)
        is_jpeg = is_jpeg.to(x.device)[:, None, None, None]
        e = network.strength(decoded, tables, known)
        misjudged = self.misjudged(e, decoded, compact.detach())
        plain = F.interpolate(decoded, scale_factor=2, mode="bicubic")
        stay = config.stay * (compact - halved(x)).square().mean((1, 2, 3))
        if config.gradient in ("straight-through", "proxy-backward"):
            passed = compact
            if config.gradient == "proxy-backward":
                passed = torch.where(is_jpeg, jpeg_proxy(compact, tables), compact)
            restored = network.rec2(decoded + (passed - passed.detach()), e)
            left, details = self.distance(restored, x, plain, "gain2", stay)
            return left.mean() + misjudged + self.costly(x, compact, tables, is_jpeg, left, details), details
        left, details = self.distance(network.rec2(decoded, e), x, plain, "gain2", stay)
        passed = compact if config.gradient == "identity" else jpeg_proxy(compact, tables)
        held = {name: p.detach() for name, p in network.rec2.named_parameters()}
        seen = functional_call(network.rec2, held, (passed, e.detach()))
        cost = self.costly(x, compact, tables, is_jpeg, left, details)
        return left.mean() + misjudged + self.distance(seen, x, plain, "")[0].mean() + cost, details

    def costly(
        self, x: Tensor, compact: Tensor, tables: Tensor, is_jpeg: Tensor, left: Tensor, details: dict[str, float]
    ) -> Tensor | float:
        """The exponent times the logarithm of the bits, against those of plain down-sampling.

        What is ``left`` of the error is the gradient's factor from it to its logarithm, and so that of the bits: of
        each crop its own, or those of which little is left would be all bits.
        """
        if not self.config.rate:
            return 0.0
        share = is_jpeg[:, 0, 0, 0].float()
        bits = jpeg_bits(compact, tables).log() - jpeg_bits(halved(x), tables).log()
        details["bits2"] = float((share * bits.detach()).sum() / share.sum().clamp_min(1))
        return self.config.rate * (left.detach() * share * bits).mean()

    def misjudged(self, e: Tensor, decoded: Tensor, before: Tensor) -> Tensor | float:
        """Error of the strength against the codec's true error."""
        if self.config.hold:
            return 0.0
        true = 0.5 * (mse(decoded, before) + FLOOR / 4).log() + STRENGTH_OFFSET
        return self.config.judging * (e[:, 0, 0, 0] - true).square().mean()

    def distance(
        self, result: Tensor, x: Tensor, before: Tensor, name: str, extra: Tensor | float = 0.0
    ) -> tuple[Tensor, dict[str, float]]:
        """Error of ``result`` relative to that of ``before``, crop by crop ``(B)``, and the mean gain to log."""
        error, old = mse(result, x), mse(before, x)
        left = (error + extra) / (old + FLOOR)
        if self.config.loss != "mse":
            measure, floor = MEASURES[self.config.loss]
            with torch.no_grad():
                most = measure(x, before) + floor
            left = measure(x, result) / most + extra / (old + FLOOR)
        gain = 10 * ((old + FLOOR) / (error.detach() + FLOOR)).log10().mean()
        return left, {name: float(gain)} if name else {}

    def validate(self) -> dict[str, float]:
        """Gain in decibels over what codecs make of the middles of the validation pictures; see :data:`JUDGES`."""
        figures: dict[str, list[float]] = {}
        for picture in still_readable(self.validation):
            x = middle(picture)
            picture = to_picture(x[0])
            for name, options in JUDGES.items() if self.config.full else ():
                degraded = through(picture, **options)
                y, tables = from_pictures([degraded.picture]), torch.from_numpy(degraded.tables)[None, :, None, None]
                for known in {degraded.known, False}:
                    e = self.network.strength(y, tables, torch.tensor([known]))
                    restored = self.network.rec1(y, e).clamp(0, 1)
                    gain = 10 * math.log10(float(mse(y, x) / mse(restored, x)))
                    figures.setdefault(name + ("" if known or not degraded.known else " blind"), []).append(gain)
            for name, value in self.half(x).items() if self.config.full < 1 else ():
                figures.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in figures.items()}

    def half(self, x: Tensor) -> dict[str, float]:
        """Bits per pixel and PSNR of a picture ``(1, 3, H, W)`` at scale 2, around JPEG."""
        compact, figures = to_picture(self.network.com(x)[0]), {}
        for quality in HALF:
            coded = through(compact, "JPEG", quality=quality, optimize=True, progressive=True)
            y, tables = from_pictures([coded.picture]), torch.from_numpy(coded.tables)[None, :, None, None]
            restored = self.network.rec2(y, self.network.strength(y, tables, torch.tensor([True]))).clamp(0, 1)
            figures[f"half bpp@{quality}"] = 8 * coded.size / (x.shape[2] * x.shape[3])
            figures[f"half psnr@{quality}"] = -10 * math.log10(float(mse(restored, x)))
        return figures
