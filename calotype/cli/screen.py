# SPDX-License-Identifier: BSD-3-Clause
"""The terminal: one console for reports and errors, and the progress bars on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .names import cell_width, fit

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

NAME_WIDTH = 28  # cells for the name of a file beside its progress bar


def errors() -> Console:
    """A console on standard error. Names are printed as they are: no markup, no colours for numbers."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def facts() -> Console:
    """A console on standard output, for what a command was asked to tell."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def emit(console: Console, line: str, style: str = "") -> None:
    """Print one line, never wrapped."""
    console.print(line, style=style, soft_wrap=True)


def table(console: Console, rows: list[list[str]], names: int | None = None) -> None:
    """Print ``rows`` of cells in columns, of which ``names`` is the width of the first.

    The names take what the other columns leave of a terminal; in a file or a pipe they are never cut.
    """
    for row in rows:
        rest = "  ".join(row[1:])
        wanted = names or max(cell_width(row[0]) for row in rows)
        width = min(wanted, console.width - len(rest) - 2) if console.is_terminal else wanted
        emit(console, f"{fit(row[0], max(width, 8))}  {rest}".rstrip())


class Bars:
    """Progress on standard error: one bar for the picture and, for several of them, one for all.

    Only a person sees bars: with ``quiet``, or when standard error is no terminal, nothing is drawn.
    """

    def __init__(self, console: Console, total: int, *, quiet: bool) -> None:
        self.progress: Progress | None = None
        self.all: TaskID | None = None
        if quiet or not sys.stderr.isatty() or console.is_dumb_terminal:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            expand=True,
            redirect_stdout=False,
        )
        if total > 1:
            self.all = self.progress.add_task("", total=total, label=fit("all", NAME_WIDTH), count=f"0/{total} files")
        self.total = total
        self.progress.start()

    @contextmanager
    def picture(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """The bar of one picture; what is yielded is to be called with (tiles done, tiles in all)."""
        progress = self.progress
        if progress is None:
            yield lambda done, total: None
            return
        task = progress.add_task("", total=None, label=fit(label, NAME_WIDTH), count="")

        def advance(done: int, total: int) -> None:
            # One tile is done or not: a bar that pulses says more than one that jumps.
            if total > 1:
                progress.update(task, completed=done, total=total, count=f"{done}/{total} tiles")

        try:
            yield advance
        finally:
            progress.remove_task(task)

    def advance(self, number: int) -> None:
        """``number`` of all are done."""
        if self.progress is not None and self.all is not None:
            self.progress.update(self.all, completed=number, count=f"{number}/{self.total} files")

    def close(self) -> None:
        """Remove the bars from the screen."""
        if self.progress is not None:
            self.progress.stop()
