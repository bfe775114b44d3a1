# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``talbot``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...networks.talbot import Talbot, TalbotConfig
from ..data import CropConfig, PictureCache
from ..recipe import configure
from .export import export_run
from .klt import start_as_klt
from .task import LossConfig, TalbotTask, initialise, make_network


def network(tables: Mapping[str, Any]) -> Talbot:
    """The network that a recipe names."""
    return make_network(configure(TalbotConfig, tables.get("network", {})))


def start(network: Talbot, init: Path | None, pictures: PictureCache) -> None:
    """First weights: those in a file, or the Karhunen-Loève transform of the photographs."""
    if init:
        initialise(network, init)
    else:
        start_as_klt(network, pictures)


def task(network: Talbot, tables: Mapping[str, Any], pictures: PictureCache, judges: Sequence[Path]) -> TalbotTask:
    """The loss to minimise."""
    crop, loss = configure(CropConfig, tables.get("crop", {})), configure(LossConfig, tables.get("loss", {}))
    return TalbotTask(network, pictures, crop, judges, loss)


def export(state: Path, tables: Mapping[str, Any], pictures: PictureCache, folder: Path) -> str:
    """A bundle of the state of a run."""
    config = configure(TalbotConfig, tables.get("network", {}))
    facts = dict(tables.get("bundle", {}))
    if share := configure(LossConfig, tables.get("loss", {})).ms_ssim:
        facts["distortion"] = {"ms_ssim": share}  # what high efforts of the encoder minimise
    return export_run(state, config, pictures, folder, facts)
