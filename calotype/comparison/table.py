# SPDX-License-Identifier: BSD-3-Clause
"""The columns of the table: their heads, and how a number is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..metrics.catalogue import METRICS
from ..metrics.metric import Metric
from .outcome import Outcome, Picture

NOTHING = "-"  # where a number was not measured


@dataclass(frozen=True)
class Column:
    """A size, a rate or a metric."""

    key: str
    title: str
    unit: str
    digits: int = 0

    def format(self, value: float | None) -> str:
        """The number as people read it."""
        if value is None:
            return NOTHING
        if math.isinf(value):
            return "inf"
        return f"{value:,.{self.digits}f}"


RATE_COLUMNS = (Column("bytes", "size", "bytes"), Column("bpp", "rate", "bpp", 3))
COLUMN = {column.key: column for column in RATE_COLUMNS} | {
    metric.key: Column(metric.key, metric.title, metric.unit, metric.digits) for metric in METRICS.values()
}


def columns(metrics: Sequence[Metric]) -> list[Column]:
    """Size, rate and these metrics."""
    return [*RATE_COLUMNS, *(COLUMN[metric.key] for metric in metrics)]


def cells(row: Outcome | Picture, columns: Sequence[Column]) -> list[str]:
    """The name and the numbers of one of the others, or of the original, which has a size and a rate only."""
    if isinstance(row, Outcome):
        return [row.picture.name, *(column.format(row.value(column.key)) for column in columns)]
    own = {"bytes": float(row.size), "bpp": row.bpp}
    return [row.name, *(column.format(own[column.key]) if column.key in own else "" for column in columns)]
