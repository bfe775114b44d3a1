# SPDX-License-Identifier: BSD-3-Clause
"""The kinds of networks that a recipe can name by its ``kind``, in a plain dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ..arrays import Progress
from ..errors import CalotypeError
from .data import PictureCache
from .loop import LoopConfig, Task
from .recipe import configure

Tables = Mapping[str, Any]  # of a recipe
LOOP = "loop"
PLAIN = ("kind", "id", "bundle", "export")  # what a recipe says beside its tables of settings


@dataclass(frozen=True)
class Kind:
    """One kind of network: how to make, start, train and export it.

    Attributes:
        settings: the tables that a recipe may have beside that of the loop, and the dataclass of each.
        refused: why networks of a recipe cannot be exported, or an empty string.
        network: recipe -> a network with its first random weights.
        start: give a new network better first weights: those in a file, or from the photographs if there is no file.
        task: what the loop trains; the last argument is the picture files to validate on.
        export: state of a run -> a bundle in a folder, with the float weights beside it; returns the bundle's hash.
        judge: state of a run, and picture files -> figures of merit of what users would get: of real files, or of
            enlarged pictures.
    """

    settings: Mapping[str, type]
    refused: Callable[[Tables], str]
    network: Callable[[Tables], nn.Module]
    start: Callable[[Any, Path | None, PictureCache], None]
    task: Callable[[Any, Tables, PictureCache, Sequence[Path]], Task]
    export: Callable[[Path, Tables, PictureCache, Path, Progress | None], str]
    judge: Callable[[Path, Tables, PictureCache, Sequence[Path]], dict[str, float]]

    def check(self, tables: Tables) -> None:
        """CalotypeError if a recipe has a table or a setting that there is none of, or makes what cannot be exported.

        A recipe that is for its log alone says ``export = false``.
        """
        known = {LOOP: LoopConfig, **self.settings}
        if unknown := sorted(tables.keys() - known.keys() - set(PLAIN)):
            raise CalotypeError(f"the recipe has a table [{unknown[0]}]; there are: {', '.join(known)}")
        for name, settings in known.items():
            if name in tables:
                configure(settings, tables[name])
        if (reason := self.refused(tables)) and tables.get("export", True):
            raise CalotypeError(f"{reason}; to train for the log alone, say export = false at the top of the recipe")


def _cheng2017() -> Kind:
    from .cheng2017 import judging, kind

    return Kind(kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state)


def _rippel2017() -> Kind:
    from .rippel2017 import judging, kind

    return Kind(kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state)


def _talbot() -> Kind:
    from .talbot import judging, kind

    return Kind(
        kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state
    )  # fmt: skip


def _ledig2017() -> Kind:
    from .ledig2017 import judging, kind

    return Kind(kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state)


def _tao2017() -> Kind:
    from .tao2017 import judging, kind

    return Kind(kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state)


def _toderici2017() -> Kind:
    from .toderici2017 import judging, kind

    return Kind(kind.SETTINGS, kind.refused, kind.network, kind.start, kind.task, kind.export, judging.judge_state)


KINDS: dict[str, Callable[[], Kind]] = {
    "cheng2017": _cheng2017,
    "ledig2017": _ledig2017,
    "rippel2017": _rippel2017,
    "talbot": _talbot,
    "tao2017": _tao2017,
    "toderici2017": _toderici2017,
}
DEFAULT = "talbot"


def kind_of(tables: Tables) -> Kind:
    """The kind that a recipe names; CalotypeError if there is no such kind."""
    name = tables.get("kind", DEFAULT)
    if not isinstance(name, str) or name not in KINDS:
        raise CalotypeError(f"there is no kind of network '{name}'; there are: {', '.join(KINDS)}")
    return KINDS[name]()
