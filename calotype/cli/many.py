# SPDX-License-Identifier: BSD-3-Clause
"""Many files: progress, a line for each in their order, what failed, and the sum at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from .jobs import Job, Plan
from .names import cell_width, counted, shown
from .problems import complain
from .screen import Bars, emit, errors, table
from .side_by_side import Fate, Result, Sharing, Work, outcomes
from .sizes import format_size

if TYPE_CHECKING:
    from rich.console import Console


__all__ = ["Result", "run", "saving"]

MOST_NAMED = 20  # of the files that failed, at the end; each was named when it did


@dataclass
class _Tally:
    done: int = 0
    skipped: int = 0
    before: int = 0
    after: int = 0
    failed: list[str] = field(default_factory=list)


def run(
    plan: Plan,
    work: Work,
    *,
    verb: str,
    nothing: str,
    quiet: bool,
    cells: Callable[[Result], list[str]] | None = None,
    as_json: bool = False,
    sharing: Sharing | None = None,
) -> None:
    """Do all of ``plan``, whatever happens to single files.

    Args:
        plan: the work.
        work: does one job; raises what it likes.
        verb: what was done to a file, for the sum: ``encoded``.
        nothing: what to say when there was nothing to do.
        quiet: print errors only.
        cells: the columns of the report, of constant widths, between the sizes and the time; the size in pixels if
            nothing is said.
        as_json: print, in the end, a list of what became of each file, for programs.
        sharing: how small pictures share the cores; None: one file after another.

    Raises:
        typer.Exit: with code 1, if anything went wrong.
    """
    console = errors()
    tally = _Tally()
    records: list[dict[str, Any]] = []
    start = time.perf_counter()

    def fail(name: str, message: str, told: Sequence[str] = ()) -> None:
        tally.failed.append(shown(name))
        records.append({"file": name, "error": message, "warnings": list(told)})
        emit(console, complain(shown(name), message), "red")

    def report(job: Job, outcome: Fate) -> None:
        for sentence in outcome.told:
            emit(console, complain(job.label, f"warning: {sentence}"), "yellow")
        result = outcome.result
        if outcome.error:
            fail(job.name, outcome.error, outcome.told)
        elif result is None:
            tally.skipped += 1
            records.append({"file": job.name, "output": job.result, "up_to_date": True, "warnings": []})
        else:
            tally.done += 1
            records.append({"file": job.name, "output": job.result, **asdict(result), "warnings": outcome.told})
            tally.before += result.before
            tally.after += result.after
            if not quiet:
                columns = [_change(result.before, result.after), *(cells or _dimensions)(result)]
                table(console, [[job.label, *columns, f"{_seconds(outcome.seconds):>8}"]], names)

    for label, message in plan.notes:
        emit(console, complain(shown(label), f"warning: {message}"), "yellow")
    for label, message in plan.problems:
        fail(label, message)
    names = max((cell_width(job.label) for job in plan.jobs), default=0)
    bars = Bars(console, len(plan.jobs), quiet=quiet)
    try:
        with closing(outcomes(plan, work, bars.picture, sharing)) as all_of_them:
            for number, (job, outcome) in enumerate(all_of_them, 1):
                report(job, outcome)
                bars.advance(number)
    finally:
        bars.close()
    if as_json and plan.jobs:
        typer.echo(json.dumps(records, indent=2))
    if not plan.jobs and not plan.problems:
        fail("", nothing + _passed_over(plan))
    elif plan.many and not quiet:
        _sum(console, plan, tally, verb, time.perf_counter() - start)
    if tally.failed:
        if plan.many and plan.jobs:
            named, more = ", ".join(tally.failed[:MOST_NAMED]), len(tally.failed) - MOST_NAMED
            named += f" and {more:,} more, named above" if more > 0 else ""
            emit(console, shown(f"calotype: {len(tally.failed):,} not {verb}: {named}"), "red")
        raise typer.Exit(1)


def saving(before: int, after: int) -> str:
    """``−93.4 %``: by how much ``after`` bytes are less than ``before``."""
    return f"{100 * (after / before - 1):+.1f} %".replace("-", "−") if before else ""


def _dimensions(result: Result) -> list[str]:
    return [f"{f'{result.width} × {result.height}':>13}"]


def _change(before: int, after: int) -> str:
    return f"{format_size(before):>7} → {format_size(after):>7}"


def _sum(console: Console, plan: Plan, tally: _Tally, verb: str, seconds: float) -> None:
    parts = [f"{tally.done} {verb}"]
    if tally.skipped:
        parts.append(f"{tally.skipped} up to date")
    if tally.failed:
        parts.append(f"{len(tally.failed)} failed")
    text = ", ".join(parts)
    if tally.done:
        change = " ".join(_change(tally.before, tally.after).split())
        percent = f", {saving(tally.before, tally.after)}" if tally.after < tally.before else ""
        text += f": {change}{percent}, {_seconds(seconds)}"
    emit(console, text + _passed_over(plan), "bold")


def _passed_over(plan: Plan) -> str:
    """Files of other kinds are named, so that nobody takes a folder for done that is not."""
    kinds = ", ".join(counted(kind, count) for kind, count in plan.ignored.most_common(6))
    return f" (passed over: {kinds})" if kinds else ""


def _seconds(seconds: float) -> str:
    if seconds >= 100:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
