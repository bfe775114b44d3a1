# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``tao2017``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...arrays import Progress
from ...engine import bundles
from ...engine.bundles import Bundle
from ...networks.tao2017 import StagedRec, Tao2017, Tao2017Config
from ..data import PictureCache
from ..generators import generator_graph
from ..parents import bundle_in
from ..progress import silent
from ..recipe import configure
from ..recovery import recover
from ..weights import start_from
from .degrading import MixConfig
from .export import estimate_graph, export_run, graphs_of, rec_graph, tables_graph
from .task import Tao2017Task, TaskConfig, start_whitened

ENLARGER = "srresnet-x2"
SETTINGS = {"network": Tao2017Config, "task": TaskConfig, "mix": MixConfig}


def refused(tables: Mapping[str, Any]) -> str:
    """Why such networks cannot be exported, or an empty string."""
    config = configure(Tao2017Config, tables.get("network", {}))
    return "a staged network has the variant blocks" if config.staged and config.variant != "blocks" else ""


def network(tables: Mapping[str, Any]) -> Tao2017:
    """The networks that a recipe names."""
    made = Tao2017(configure(Tao2017Config, tables.get("network", {})))
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return made


def start(network: Tao2017, init: Path | None, pictures: PictureCache) -> None:
    """First weights: those of a bundle or in a file, or whitened by the photographs.

    The weights of a network that enlarges as it repairs start a staged one as well: see :func:`start_staged`.
    """
    if init and init.is_dir():
        bundle = bundle_in(init)
        if isinstance(network.rec2, StagedRec) and not bundle.description.get("configuration", {}).get("staged"):
            start_staged(network, network.rec2, bundle, bundles.find("ledig2017", name=ENLARGER))
        else:
            recover(network, graphs_of, bundle.path)
    elif init:
        start_from(network, init)
    else:
        start_whitened(network, pictures)


def start_staged(network: Tao2017, rec2: StagedRec, restorer: Bundle, enlarger: Bundle) -> None:
    """Begin scale 2 as plain down-sampling, the restorer of scale 1, and a trained SRResNet."""
    recover(network.rec1, lambda rec1: [rec_graph("rec1", rec1)], restorer.path)
    recover(network.estimate, lambda estimate: [estimate_graph(estimate)], restorer.path)
    recover(network.tables, lambda tables: [tables_graph(tables)], restorer.path)
    recover(rec2.enlarge, lambda generator: [generator_graph(generator)], enlarger.path)
    rec2.repair.load_state_dict(network.rec1.state_dict())


def task(network: Tao2017, tables: Mapping[str, Any], pictures: PictureCache, judges: Sequence[Path]) -> Tao2017Task:
    """The loss to minimise."""
    config, mix = configure(TaskConfig, tables.get("task", {})), configure(MixConfig, tables.get("mix", {}))
    return Tao2017Task(network, pictures, config, mix, judges)


def export(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, folder: Path, progress: Progress | None = None
) -> str:
    """A bundle of the state of a run."""
    config = configure(Tao2017Config, tables.get("network", {}))
    return export_run(state, config, folder, len(pictures), progress or silent)
