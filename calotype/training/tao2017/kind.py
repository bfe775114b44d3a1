# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``tao2017``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...networks.tao2017 import Tao2017, Tao2017Config
from ..data import PictureCache
from ..parents import bundle_in
from ..recipe import configure
from ..recovery import recover
from ..weights import start_from
from .degrading import MixConfig
from .export import export_run, graphs_of
from .task import Tao2017Task, TaskConfig, start_whitened


def network(tables: Mapping[str, Any]) -> Tao2017:
    """The networks that a recipe names."""
    made = Tao2017(configure(Tao2017Config, tables.get("network", {})))
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return made


def start(network: Tao2017, init: Path | None, pictures: PictureCache) -> None:
    """First weights: those of a bundle or in a file, or whitened by the photographs."""
    if init and init.is_dir():
        recover(network, graphs_of, bundle_in(init).path)
    elif init:
        start_from(network, init)
    else:
        start_whitened(network, pictures)


def task(network: Tao2017, tables: Mapping[str, Any], pictures: PictureCache, judges: Sequence[Path]) -> Tao2017Task:
    """The loss to minimise."""
    config, mix = configure(TaskConfig, tables.get("task", {})), configure(MixConfig, tables.get("mix", {}))
    return Tao2017Task(network, pictures, config, mix, judges)


def export(state: Path, tables: Mapping[str, Any], pictures: PictureCache, folder: Path) -> str:
    """A bundle of the state of a run."""
    return export_run(state, configure(Tao2017Config, tables.get("network", {})), folder, len(pictures))
