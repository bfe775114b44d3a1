# SPDX-License-Identifier: BSD-3-Clause
"""Fine-tune the synthesis of a finished bundle on latents as files have them.

While the whole network trains, the synthesis sees latents that are rounded to the nearest under a prior of floats. In
files, the encoder's dead zone has moved them and the integer prior has predicted them. So encoder and prior stay as
they are, crops are encoded with the very codec, and ``g_s`` and the decoder's gains learn to make the best of it. The
new bundle is the old one with another ``g_s.onnx`` and another table of gains.

Encoding costs less than a step does, but not little: each step encodes one new crop, and draws its batch from a pool of
those encoded lately (3 MB hold eight). The pool is not saved: a resumed run fills it anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...codecs.quality import QUALITY_MAX, QUALITY_MIN, position, to_header
from ...codecs.talbot.codec import Talbot as Codec
from ...codecs.talbot.effort import DEAD_ZONE
from ...codecs.talbot.rdoq import dead_zone
from ...engine import bundles
from ...engine.bundles import DESCRIPTION, TABLES, Bundle, bundle_hash
from ...engine.runtime import MOST_THREADS
from ...errors import CalotypeError
from ...networks.talbot import Talbot, TalbotConfig
from ..bundle import replacement
from ..crops import CropConfig, random_crop
from ..data import PictureCache, middle, still_readable
from ..parents import bundle_in, provenance
from ..weights import copy_weights, read_state
from .export import transform_graph
from .measure import LossConfig, Measure
from .noise import NoisyPrior
from .start import read_transform
from .task import VALIDATED, levels


@dataclass(frozen=True)
class SynthesisConfig:
    """What the synthesis is fine-tuned for."""

    bundle: str = "talbot-eye"  # id of an installed bundle, or its folder
    pool: int = 2048  # encoded crops that batches are drawn from, 370 kB each at 256 pixels


def find(name: str) -> Bundle:
    """The bundle that a recipe names; BundleError if there is none, or if it is damaged."""
    return bundle_in(Path(name)) if (Path(name) / DESCRIPTION).is_file() else bundles.find("talbot", name=name)


class Synthesis(nn.Module):
    """The decoder's half: latents as they were decoded -> pictures."""

    parent: Tensor  # hash of the bundle whose latents these are

    def __init__(self, config: TalbotConfig, bundle: Bundle) -> None:
        super().__init__()
        whole = Talbot(config)
        self.config, self.bundle = config, bundle
        self.g_s, self.gain_decoder = whole.g_s, whole.gain_decoder
        self.register_buffer("parent", torch.tensor(list(bytes.fromhex(bundle.hash))))
        self.lambda_ = whole.lambda_
        read_transform(self.g_s, bundle.path / "g_s.onnx")
        with torch.no_grad():
            self.gain_decoder.copy_(torch.from_numpy(bundle.arrays()["gain_decoder"]))

    def forward(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """``y_hat (B, M, h, w)``, one level a picture -> ``(B, 3, 16 h, 16 w)``."""
        gain = torch.exp(Talbot.interpolate(self.gain_decoder, level))
        return self.g_s(y_hat * gain) + 0.5  # type: ignore[no-any-return]


class Encoded:
    """Pictures -> their latents in files of the default effort."""

    def __init__(self, bundle: Bundle) -> None:
        self.codec = Codec(bundle, min(torch.get_num_threads(), MOST_THREADS))
        self.rounding = dead_zone(self.codec.prior.tables, DEAD_ZONE)

    def __call__(self, x: Tensor, stored: int, strength: float = 0.0) -> tuple[Tensor, float]:
        """Latents ``(M, h, w)`` and bits of ``x (3, H, W)`` in 0..1, at most a tile, at a stored quality.

        With a ``strength`` there is noise in the latents, see :mod:`calotype.training.talbot.noise`.
        """
        samples = x.permute(1, 2, 0).mul(255).round().byte().numpy()
        (y,) = self.codec.latents(samples).tiles
        coded = self.codec.prior.code(y * self.codec.gain("encoder", stored), position(stored), self.rounding)
        y_hat = coded.y_hat
        if strength:
            noisy = NoisyPrior(self.codec.prior, strength)
            y_hat = noisy.decode(coded.data, y_hat.shape[1], y_hat.shape[2], position(stored))
        return torch.from_numpy(y_hat), 8.0 * len(coded.data)


def stored_quality(level: float, top: int) -> int:
    """The quality in a file that is nearest to a level in 0..top."""
    return to_header(QUALITY_MIN + (QUALITY_MAX - QUALITY_MIN) * min(max(level / top, 0.0), 1.0))


@dataclass
class SynthesisTask:
    """Lambda x distortion of what the decoder makes of files, weighed as :class:`TalbotTask` does."""

    network: Synthesis
    pictures: PictureCache
    crop: CropConfig
    validation: Sequence[Path] = ()
    config: LossConfig = field(default_factory=LossConfig)
    compile: bool = False
    pool: int = 2048

    def __post_init__(self) -> None:
        self.measure = Measure(self.config.shares, self.compile)
        self.encoded = Encoded(self.network.bundle)
        self.top = self.network.config.levels - 1
        self.strength = 0.0  # of noise in the latents
        self.validated: Sequence[float] = VALIDATED  # levels
        self.crops: list[tuple[Tensor, ...]] = []  # samples, latents, level, and what a subclass adds
        self.judged: list[tuple[Tensor, Tensor, float, float]] = []  # the same and bits a pixel, of validation

    def levels(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
        """Levels of quality ``(count,)`` of new crops."""
        return levels(rng, count, self.top)

    def encode(self, x: Tensor, stored: int) -> tuple[Tensor, ...]:
        """What the pool keeps of a crop ``(3, H, W)`` of 8 bits: the crop, its latents, its level."""
        y_hat, _ = self.encoded(x.float() / 255, stored)
        return x, y_hat.half(), torch.tensor(position(stored) * self.top)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, ...]:
        """Crops ``(size, 3, H, W)``, their latents and their levels."""
        for level in self.levels(rng, max(1, size - len(self.crops))):
            x = random_crop(self.pictures, self.crop, rng).mul(255).round().byte().cpu()  # where the codec runs
            if len(self.crops) >= self.pool:
                self.crops.pop(int(rng.integers(len(self.crops))))
            self.crops.append(self.encode(x, stored_quality(float(level), self.top)))
        drawn = [self.crops[i] for i in rng.permutation(len(self.crops))[:size]]
        return tuple(_batch(parts) for parts in zip(*drawn, strict=True))

    def faithful(self, x: Tensor, x_hat: Tensor, level: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The mean weighted distortion of decoded crops, and what to log of it."""
        distortion, details = self.measure(x, x_hat)
        return (self.network.lambda_(level).pow(1 - self.config.balance) * distortion).mean() * 0.05, details

    def loss(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
        """The mean weighted loss of a batch, and what to log of it."""
        x, y_hat, level = batch
        return self.faithful(x, self.network(y_hat, level), level)

    def figures(self, x: Tensor, x_hat: Tensor) -> dict[str, float]:
        """What a validation says of a picture ``(1, 3, H, W)`` in 0..1."""
        return self.measure.figures(x, x_hat)

    def validate(self) -> dict[str, float]:
        """Rate and fidelity of real files of the middles of the validation pictures."""
        if not self.judged:
            for picture in still_readable(self.validation):
                x = middle(picture)
                for level in self.validated:
                    y_hat, bits = self.encoded(x[0], stored_quality(level, self.top), self.strength)
                    self.judged.append((x, y_hat, level, bits / (x.shape[2] * x.shape[3])))
        figures: dict[str, list[float]] = {}
        for x, y_hat, level, bpp in self.judged:
            shown = position(stored_quality(level, self.top)) * self.top
            x_hat = self.network(y_hat[None], torch.tensor([shown]))[..., : x.shape[2], : x.shape[3]].clamp(0, 1)
            for name, value in {"bpp": bpp, **self.figures(x, x_hat)}.items():
                figures.setdefault(f"{name}@{level:g}", []).append(value)
        return {name: float(np.mean(values)) for name, values in figures.items()}


def _batch(parts: Sequence[Tensor]) -> Tensor:
    """Parts of crops, put together: 8 bits as 0..1."""
    whole = torch.stack(tuple(parts))
    if whole.ndim < 4:
        return whole
    scaled = whole.float() / 255 if whole.dtype == torch.uint8 else whole.float()
    return scaled.contiguous(memory_format=torch.channels_last)


def export_run(state: Path, network: Synthesis, folder: Path, pictures: int, facts: Mapping[str, Any]) -> str:
    """The bundle that training began from, with the synthesis and the gains of a state.

    Args:
        state: of a training run.
        network: made of the same recipe.
        folder: made if missing; a bundle that is there is replaced.
        pictures: number of those that were trained on.
        facts: what ``model.json`` says otherwise than that of the old bundle.

    Raises:
        CalotypeError: there is no such state, or the old bundle is no longer the one that training began from.
    """
    stored, old = read_state(state), network.bundle
    if not torch.equal(stored["buffers"]["parent"], network.parent):
        raise CalotypeError(f"{old.path} is not the bundle that training began from; name that one in the recipe")
    copy_weights(stored["average"], network)
    with replacement(folder) as made:
        for name in old.files:
            shutil.copyfile(old.path / name, made / name)
        transform_graph("g_s", network.config.m, network.eval().g_s).save(made / "g_s.onnx")
        gain = network.gain_decoder.detach().numpy().astype(np.float32)
        arrays: dict[str, Any] = {**old.arrays(), "gain_decoder": gain}
        np.savez_compressed(made / TABLES, **arrays)
        digest = bundle_hash(made, old.files)
        origin = provenance(stored, pictures, {"hash": old.hash, **old.description})
        description = {**old.description, **facts, **origin, "hash": digest}
        (made / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return digest
