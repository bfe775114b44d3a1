# SPDX-License-Identifier: BSD-3-Clause
"""The kinds of networks that a recipe can name by its ``kind``, in a plain dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import CalotypeError
from .data import PictureCache
from .loop import Task

Tables = Mapping[str, Any]  # of a recipe


@dataclass(frozen=True)
class Kind:
    """One kind of network: how to make, start, train and export it.

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


def _cheng2017() -> Kind:
    from .cheng2017 import kind

    return Kind(kind.network, kind.start, kind.task, kind.export)


def _talbot() -> Kind:
    from .talbot import judging, kind

    return Kind(kind.network, kind.start, kind.task, kind.export, judging.judge_state)


def _ledig2017() -> Kind:
    from .ledig2017 import kind

    return Kind(kind.network, kind.start, kind.task, kind.export)


def _tao2017() -> Kind:
    from .tao2017 import kind

    return Kind(kind.network, kind.start, kind.task, kind.export)


def _toderici2017() -> Kind:
    from .toderici2017 import kind

    return Kind(kind.network, kind.start, kind.task, kind.export)


KINDS: dict[str, Callable[[], Kind]] = {
    "cheng2017": _cheng2017,
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
