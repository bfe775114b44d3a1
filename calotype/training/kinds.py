# SPDX-License-Identifier: BSD-3-Clause
"""What can be trained: the kinds of networks that a recipe can name by its ``kind``, in a plain dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """

    network: Callable[[Tables], nn.Module]
    start: Callable[[Any, Path | None, PictureCache], None]
    task: Callable[[Any, Tables, PictureCache, Sequence[Path]], Task]
    export: Callable[[Path, Tables, PictureCache, Path], str]


def _talbot() -> Kind:
    from ..networks.talbot import Talbot, TalbotConfig
    from .export import export_run
    from .klt import start_as_klt
    from .talbot import TalbotTask, initialise, make_network

    def start(network: Talbot, init: Path | None, pictures: PictureCache) -> None:
        if init:
            initialise(network, init)
        else:
            start_as_klt(network, pictures)

    def task(network: Talbot, tables: Tables, pictures: PictureCache, judges: Sequence[Path]) -> TalbotTask:
        return TalbotTask(network, pictures, configure(CropConfig, tables.get("crop", {})), judges)

    def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path) -> str:
        return export_run(state, configure(TalbotConfig, tables.get("network", {})), pictures, folder)

    return Kind(lambda tables: make_network(configure(TalbotConfig, tables.get("network", {}))), start, task, export)


KINDS: dict[str, Callable[[], Kind]] = {"talbot": _talbot}
DEFAULT = "talbot"


def kind_of(tables: Tables) -> Kind:
    """The kind that a recipe names; CalotypeError if there is no such kind."""
    name = tables.get("kind", DEFAULT)
    if name not in KINDS:
        raise CalotypeError(f"there is no kind of network '{name}'; there are: {', '.join(KINDS)}")
    return KINDS[name]()
