# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``rippel2017``; those with a table ``[adversarial]`` have an adversary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...arrays import Progress
from ...errors import CalotypeError
from ...networks.rippel2017 import CELL, COLOURS, GROUPS, Adversaries, Discriminator, Rippel2017, RippelConfig
from ..data import PictureCache
from ..loop import Task
from ..parents import bundle_in
from ..progress import silent
from ..recipe import configure
from ..recovery import recover
from ..weights import start_from
from .adversarial import AdversarialConfig, AdversarialTask
from .export import export_run, graphs_of
from .start import make_network, start_as_transform
from .task import Rippel2017Task, TaskConfig

ADVERSARIAL = "adversarial"
SETTINGS = {"network": RippelConfig, "task": TaskConfig, ADVERSARIAL: AdversarialConfig}


def refused(tables: Mapping[str, Any]) -> str:
    """Why such networks cannot be made and exported, or an empty string."""
    config = configure(RippelConfig, tables.get("network", {}))
    if config.latents <= COLOURS or config.latents % GROUPS:
        return f"latents should be more than {COLOURS}, and a multiple of {GROUPS}"
    if not 1 <= len(config.scales) <= CELL.bit_length() - 1:
        return f"there can be 1 to {CELL.bit_length() - 1} scales"
    return ""


def network(tables: Mapping[str, Any]) -> Rippel2017 | Adversaries:
    """The network that a recipe names."""
    if reason := refused(tables):
        raise CalotypeError(reason)
    codec = Rippel2017(configure(RippelConfig, tables.get("network", {})))
    if ADVERSARIAL not in tables:
        return make_network(codec)
    return make_network(Adversaries(codec, Discriminator(configure(AdversarialConfig, tables[ADVERSARIAL]).width)))


def start(network: Rippel2017 | Adversaries, init: Path | None, pictures: PictureCache) -> None:
    """First weights of the codec: those of a bundle or in a file, or principal components of the photographs."""
    codec = network.codec if isinstance(network, Adversaries) else network
    if init and init.is_dir():
        recover(codec, graphs_of, bundle_in(init).path)
    elif init:
        start_from(codec, init)
    else:
        start_as_transform(codec, pictures)


def task(
    network: Rippel2017 | Adversaries, tables: Mapping[str, Any], pictures: PictureCache, judges: Sequence[Path]
) -> Task:
    """The loss to minimise."""
    config = configure(TaskConfig, tables.get("task", {}))
    if isinstance(network, Adversaries):
        adversarial = configure(AdversarialConfig, tables[ADVERSARIAL])
        return AdversarialTask(network, pictures, config, adversarial, judges)
    return Rippel2017Task(network, pictures, config, judges)


def export(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, folder: Path, progress: Progress | None = None
) -> str:
    """A bundle of the state of a run."""
    config = configure(RippelConfig, tables.get("network", {}))
    return export_run(state, config, pictures, folder, progress or silent)
