# SPDX-License-Identifier: BSD-3-Clause
"""What can be trained: the kinds of networks that a recipe can name by its ``kind``, in a plain dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import CalotypeError
from .data import CropConfig, PictureCache
from .loop import Task
from .recipe import configure

Tables = Mapping[str, Any]  # of a recipe


@dataclass(frozen=True)
class Kind:
    """How one kind of network is made, started, trained and exported.

    Attributes:
        network: recipe -> a network with its first random weights.
        start: give a new network better first weights: those in a file, or from the photographs if there is no file.
        task: what the loop trains; the last argument is the picture files to validate on.
        export: state of a run -> a bundle in a folder, with the float weights beside it; returns the bundle's hash.
        judge: state of a run, and picture files -> rates and fidelities of real files; None for networks whose own
            validation measures all there is.
    """

    network: Callable[[Tables], nn.Module]
    start: Callable[[Any, Path | None, PictureCache], None]
    task: Callable[[Any, Tables, PictureCache, Sequence[Path]], Task]
    export: Callable[[Path, Tables, PictureCache, Path], str]
    judge: Callable[[Path, Tables, PictureCache, Sequence[Path]], dict[str, float]] | None = None


def _talbot() -> Kind:
    from ..networks.talbot import Talbot, TalbotConfig
    from .export import export_run
    from .judging import judge_state
    from .klt import start_as_klt
    from .talbot import LossConfig, TalbotTask, initialise, make_network

    def start(network: Talbot, init: Path | None, pictures: PictureCache) -> None:
        if init:
            initialise(network, init)
        else:
            start_as_klt(network, pictures)

    def task(network: Talbot, tables: Tables, pictures: PictureCache, judges: Sequence[Path]) -> TalbotTask:
        crop, loss = configure(CropConfig, tables.get("crop", {})), configure(LossConfig, tables.get("loss", {}))
        return TalbotTask(network, pictures, crop, judges, loss)

    def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path) -> str:
        config = configure(TalbotConfig, tables.get("network", {}))
        facts = dict(tables.get("bundle", {}))
        if share := configure(LossConfig, tables.get("loss", {})).ms_ssim:
            facts["distortion"] = {"ms_ssim": share}  # what high efforts of the encoder minimise
        return export_run(state, config, pictures, folder, facts)

    def network(tables: Tables) -> Talbot:
        return make_network(configure(TalbotConfig, tables.get("network", {})))

    return Kind(network, start, task, export, judge_state)


def _ledig2017() -> Kind:
    from .ledig2017_kind import export, network, start, task

    return Kind(network, start, task, export)


def _tao2017() -> Kind:
    from ..networks.tao2017 import Tao2017, Tao2017Config
    from .degrading import MixConfig
    from .export_tao2017 import export_run
    from .tao2017 import Tao2017Task, TaskConfig, start_whitened
    from .weights import start_from

    def network(tables: Tables) -> Tao2017:
        made = Tao2017(configure(Tao2017Config, tables.get("network", {})))
        made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
        return made

    def start(network: Tao2017, init: Path | None, pictures: PictureCache) -> None:
        if init:
            start_from(network, init)
        else:
            start_whitened(network, pictures)

    def task(network: Tao2017, tables: Tables, pictures: PictureCache, judges: Sequence[Path]) -> Tao2017Task:
        config, mix = configure(TaskConfig, tables.get("task", {})), configure(MixConfig, tables.get("mix", {}))
        return Tao2017Task(network, pictures, config, mix, judges)

    def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path) -> str:
        return export_run(state, configure(Tao2017Config, tables.get("network", {})), folder, len(pictures))

    return Kind(network, start, task, export)


def _toderici2017() -> Kind:
    from .toderici2017_kind import export, network, start, task

    return Kind(network, start, task, export)


KINDS: dict[str, Callable[[], Kind]] = {
    "ledig2017": _ledig2017,
    "talbot": _talbot,
    "tao2017": _tao2017,
    "toderici2017": _toderici2017,
}
DEFAULT = "talbot"


def kind_of(tables: Tables) -> Kind:
    """The kind that a recipe names; CalotypeError if there is no such kind."""
    name = tables.get("kind", DEFAULT)
    if name not in KINDS:
        raise CalotypeError(f"there is no kind of network '{name}'; there are: {', '.join(KINDS)}")
    return KINDS[name]()
