# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``toderici2017``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...arrays import Progress
from ...networks.toderici2017 import Toderici2017, TodericiConfig
from ..data import PictureCache
from ..parents import bundle_in
from ..progress import silent
from ..recipe import configure
from ..weights import start_from
from .export import export_run, recover_all, refusal
from .task import TaskConfig, Toderici2017Task, make_network, start_greedily

SETTINGS = {"network": TodericiConfig, "task": TaskConfig}


def refused(tables: Mapping[str, Any]) -> str:
    """Why such networks cannot be exported, or an empty string."""
    return refusal(configure(TodericiConfig, tables.get("network", {})))


def network(tables: Mapping[str, Any]) -> Toderici2017:
    """The network that a recipe names, with the predictor of its bits if their rate is in the loss."""
    predicted = configure(TaskConfig, tables.get("task", {})).rate > 0
    return make_network(configure(TodericiConfig, tables.get("network", {})), predicted)


def start(network: Toderici2017, init: Path | None, pictures: PictureCache) -> None:
    """First weights: those of a bundle or in a file, or a greedy code of the photographs."""
    if init and init.is_dir():
        recover_all(network, bundle_in(init))
    elif init:
        start_from(network, init)
    else:
        start_greedily(network, pictures)


def task(
    network: Toderici2017, tables: Mapping[str, Any], pictures: PictureCache, judges: Sequence[Path]
) -> Toderici2017Task:
    """The loss to minimise."""
    return Toderici2017Task(network, pictures, configure(TaskConfig, tables.get("task", {})), judges)


def export(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, folder: Path, progress: Progress | None = None
) -> str:
    """A bundle of the state of a run."""
    config = configure(TodericiConfig, tables.get("network", {}))
    return export_run(state, config, pictures, folder, progress or silent)
