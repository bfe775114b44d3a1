# SPDX-License-Identifier: BSD-3-Clause
"""``calotype selftest``: whether this machine decodes exactly, and how fast."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from .lesson import lesson
from .options import Json
from .problems import guarded
from .screen import facts

HELP = lesson(
    "Check that this machine decodes exactly, and say how fast.",
    {
        "selftest": "decodes files that ship with it; measures speed",
        "selftest --no-speed": "the check alone",
        "selftest --json": "for programs",
    },
    "Files decode to the same symbols on every machine. If one does not, the exit code is 1: please report it, with "
    "the output of calotype --version --verbose.",
)


@guarded
def selftest(
    speed: Annotated[bool, typer.Option("--speed/--no-speed", help="Measure the speed as well.")] = True,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    from ..engine.runtime import choose_threads
    from ..selftest import check
    from ..selftest.speed import measure

    verdicts = list(check())
    exact = all(verdict.passed for verdict in verdicts)
    speeds = [measure(threads) for threads in sorted({1, choose_threads(None)})] if speed else []
    if as_json:
        record = {
            "exact": exact,
            "files": [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts],
            "speed": [asdict(pace) for pace in speeds],
        }
        typer.echo(json.dumps(record, indent=2))
    else:
        console = facts()
        for verdict in verdicts:
            symbols = {True: "symbols exact", False: "SYMBOLS DIFFER", None: "no symbols of its own"}[verdict.exact]
            found = verdict.problem or f"{symbols}, pixels within {verdict.difference}"
            console.print(f"{verdict.name:<18}{verdict.weights}  {found}", soft_wrap=True)
        console.print("This machine is exact." if exact else "THIS MACHINE IS NOT EXACT.")
        for pace in speeds:
            threads = "1 thread" if pace.threads == 1 else f"{pace.threads} threads"
            console.print(f"{threads}: encodes {pace.encode:.1f}, decodes {pace.decode:.1f} megapixels a second")
    if not exact:
        raise typer.Exit(1)
