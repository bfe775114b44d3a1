# SPDX-License-Identifier: BSD-3-Clause
"""The table of ``calotype compare``: a row for each file, in as many parts as the terminal needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .names import cell_width, fit, shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..comparison.outcome import Outcome, Picture
    from ..comparison.table import Column

BEST = "*"  # behind the best value of a column
UNLIMITED = 100_000  # cells: nothing is cut or split on its way into a file or a pipe


def print_table(console: Console, original: Picture, outcomes: Sequence[Outcome], columns: Sequence[Column]) -> None:
    """Print the rows of the original and the others on ``console``."""
    from ..comparison.outcome import best
    from ..comparison.table import cells

    if not console.is_terminal:
        console.width = UNLIMITED
    marked = {column.key: best(outcomes, column.key) for column in columns}
    rows = [[f"{shown(original.name)} (original)", *cells(original, columns)[1:]]]
    for outcome in outcomes:
        rows.append([shown(outcome.picture.name), *cells(outcome, columns)[1:]])
    widest = max(cell_width(row[0]) for row in rows)
    names = min(widest, max(12, console.width // 3))
    first = 0
    while first < len(columns):
        last = len(columns)
        made = _part(rows, columns, marked, range(first, last), names)
        while last > first + 1 and _width(console, made) > console.width:
            last -= 1
            made = _part(rows, columns, marked, range(first, last), names)
        console.print(made)
        first = last
        if first < len(columns):
            console.print()


def _width(console: Console, made: Table) -> int:
    """Preferred width of the table."""
    return console.measure(made, options=console.options.update(width=UNLIMITED)).maximum


def _part(
    rows: Sequence[Sequence[str]],
    columns: Sequence[Column],
    marked: dict[str, set[int]],
    chosen: range,
    names: int,
) -> Table:
    """The table of some of the columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    made.add_column("file", no_wrap=True, vertical="bottom")
    for place in chosen:
        column = columns[place]
        head = "\n".join([*column.title.split(" "), *([column.unit] if column.unit else [])])
        made.add_column(head, justify="right", no_wrap=True)
    for number, row in enumerate(rows):
        cells = [Text(fit(row[0], names) if cell_width(row[0]) > names else row[0])]
        for place in chosen:
            bests = marked[columns[place].key]
            is_best = number - 1 in bests  # the first row is the original's
            sign = BEST if is_best else " " if bests else ""
            cells.append(Text(row[place + 1] + sign, style="bold green" if is_best else ""))
        made.add_row(*cells)
    return made
