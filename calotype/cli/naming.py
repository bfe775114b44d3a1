# SPDX-License-Identifier: BSD-3-Clause
"""Options that take several names with commas: metrics, codecs, curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .destination import wrong

if TYPE_CHECKING:
    from ..metrics.metric import Metric


def named(option: str, text: str, known: list[str]) -> list[str]:
    """A list with commas, each of a known name, once.

    Raises:
        typer.BadParameter: a name is unknown, or there is none.
    """
    chosen = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in chosen if name not in known]:
        raise wrong(option, f"there is no {', '.join(unknown)}; there are: {', '.join(known)}")
    if not chosen:
        raise wrong(option, f"name one or more of {', '.join(known)}")
    return chosen


def named_metrics(option: str, text: str) -> list[Metric]:
    """The metrics of these names.

    Raises:
        typer.BadParameter: a name is unknown.
        DependencyError: something that a metric needs is not installed.
    """
    from ..errors import DependencyError
    from ..metrics.catalogue import NAMED

    metrics = [NAMED[name] for name in named(option, text, list(NAMED))]
    for metric in metrics:
        if advice := metric.missing():
            raise DependencyError(advice)
    return metrics
