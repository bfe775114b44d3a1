# SPDX-License-Identifier: BSD-3-Clause
"""The tables of a recipe -> a super-resolution network, its training and its bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...arrays import Progress
from ...errors import CalotypeError
from ...networks.ledig2017 import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from ..crops import CropConfig
from ..data import PictureCache
from ..generators import generator_graph
from ..loop import Task, tell
from ..parents import bundle_in
from ..perceptual import PerceptualConfig, perceptual
from ..recipe import configure
from ..recovery import recover
from ..weights import read_weights
from .adversarial import AdversarialConfig, AdversarialTask, Adversaries
from .export import export_run
from .task import PixelLossConfig, ResNetTask

Tables = Mapping[str, Any]
ADVERSARIAL = "adversarial"  # the table that makes a recipe one of SRGAN
OF_THE_SCALE = ("base.", "enlarge.")  # layers that another scale has otherwise


SETTINGS = {
    "network": GeneratorConfig, "discriminator": DiscriminatorConfig, ADVERSARIAL: AdversarialConfig,
    "perceptual": PerceptualConfig, "pixels": PixelLossConfig, "crop": CropConfig,
}  # fmt: skip


def refused(tables: Tables) -> str:
    """Nothing: all of them can be exported."""
    return ""


def network(tables: Tables) -> Generator | Adversaries:
    """A generator; with its adversary where the recipe has a table for their training."""
    generator = Generator(configure(GeneratorConfig, tables.get("network", {})))
    made: Generator | Adversaries = generator
    if ADVERSARIAL in tables:
        made = Adversaries(generator, Discriminator(configure(DiscriminatorConfig, tables.get("discriminator", {}))))
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return made


def start(made: Generator | Adversaries, init: Path | None, pictures: PictureCache) -> None:
    """Take over the weights of a generator of the same size: of this scale, or its body of another scale's."""
    if init:
        weights = weights_of(init) if init.is_dir() else read_weights(init)
        copy_generator(weights, made.generator if isinstance(made, Adversaries) else made, init)
    elif isinstance(made, Adversaries):
        tell("an untrained generator teaches a discriminator nothing: --init should name the weights of SRResNet")


def weights_of(folder: Path) -> dict[str, Tensor]:
    """The weights of the generator in a bundle."""
    bundle = bundle_in(folder)
    stated, known = bundle.description.get("configuration", {}), {field.name for field in fields(GeneratorConfig)}
    generator = Generator(configure(GeneratorConfig, {name: stated[name] for name in stated.keys() & known}))
    recover(generator, lambda network: [generator_graph(network)], folder)
    return {name: p.detach() for name, p in generator.named_parameters()}


def copy_generator(weights: dict[str, Tensor], generator: Generator, source: Path) -> None:
    """Give ``generator`` these weights; CalotypeError if they are those of another network than one of its kind."""
    parameters = dict(generator.named_parameters())
    body = {name for name in parameters if not name.startswith(OF_THE_SCALE)}
    fits = {n: value for n, value in weights.items() if n in parameters and value.shape == parameters[n].shape}
    if not body <= fits.keys() or weights.keys() - parameters.keys():
        raise CalotypeError(f"cannot start from {source}: it holds another network, or one of another size")
    with torch.no_grad():
        for name, value in fits.items():
            parameters[name].copy_(value)


def task(made: Generator | Adversaries, tables: Tables, pictures: PictureCache, judges: Sequence[Path]) -> Task:
    """Task of the loop."""
    crop = configure(CropConfig, tables.get("crop", {}))
    pixels = configure(PixelLossConfig, tables.get("pixels", {}))
    scale = (made.generator if isinstance(made, Adversaries) else made).config.scale
    if crop.size % scale:
        raise CalotypeError(f"crops of {crop.size} pixels cannot be scaled down by {scale}; take a multiple of it")
    if not isinstance(made, Adversaries):
        return ResNetTask(made, pictures, crop, pixels, judges)
    side = made.discriminator.config.side
    if side and side != crop.size:
        raise CalotypeError(f"the discriminator is one for pictures of {side} pixels, and crops have {crop.size}")
    seen = perceptual(configure(PerceptualConfig, tables.get("perceptual", {})))
    weights = configure(AdversarialConfig, tables[ADVERSARIAL])
    return AdversarialTask(made, pictures, crop, pixels, weights, seen, judges)


def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path, progress: Progress | None = None) -> str:
    """The bundle of the generator; its id is the recipe's ``id``, or that of the model and scale."""
    config = configure(GeneratorConfig, tables.get("network", {}))
    model = "srgan" if ADVERSARIAL in tables else "srresnet"
    name = str(tables.get("id", f"{model}-x{config.scale}"))
    return export_run(state, config, name, len(pictures), folder)
