# SPDX-License-Identifier: BSD-3-Clause
"""Measure Calotype and other codecs on a folder of pictures, such as the 24 Kodak pictures, with real files.

    python benchmarks/kodak.py FOLDER --out benchmarks/results
    python benchmarks/kodak.py FOLDER --codecs talbot jpeg --qualities talbot=20,50,80 jpeg=10,50,90

Writes one JSON file a codec and ``summary.json``, and prints delta rates and speeds. What is measured is kept in a
cache (by the content of picture and codec), so that an interrupted or repeated run continues; the speed table is always
measured anew.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from calotype.benchmark import CODECS, DEFAULT_CODECS
from calotype.benchmark.compare import METRICS, Comparison, compare
from calotype.benchmark.curves import Curve, compact_json, measure, provenance
from calotype.benchmark.pictures import load_folder
from calotype.benchmark.records import Cache
from calotype.benchmark.speed import race, setting_at
from calotype.benchmark.tables import bd_rate_table, entropy_table, settings_table, speed_table
from calotype.errors import CalotypeError

ROOT = Path(__file__).resolve().parent


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure codecs on a folder of pictures, with real files.")
    parser.add_argument("folder", nargs="?", default=os.environ.get("CALOTYPE_KODAK"), type=Path, metavar="FOLDER",
                        help="the pictures (default: the environment variable CALOTYPE_KODAK)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=ROOT / "results", help="where the results go")
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=list(DEFAULT_CODECS), metavar="CODEC",
                        help=f"which of {', '.join(CODECS)}")  # fmt: skip
    parser.add_argument(
        "--qualities", nargs="+", default=[], metavar="CODEC=Q,Q", help="settings other than the default"
    )
    parser.add_argument("--rounds", type=int, default=1, help="times each measurement is repeated, for timing")
    parser.add_argument("--speed-rounds", type=int, default=3, help="rounds of the speed table; 0 leaves it out")
    parser.add_argument("--speed-bpp", type=float, default=0.5, help="the bit rate of the speed table")
    parser.add_argument(
        "--cache", type=Path, default=ROOT.parent / "runs" / "benchmark-cache", help="the cache's folder"
    )
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    parser.add_argument("--data-set", help="the name of the pictures in the results (default: the folder's name)")
    chosen = parser.parse_args(argv)
    if chosen.rounds < 1 or chosen.speed_rounds < 0 or chosen.speed_bpp <= 0:
        parser.error("--rounds and --speed-bpp must be above zero, --speed-rounds not below")
    if chosen.folder is None:
        parser.error("name a folder of pictures, or set CALOTYPE_KODAK")
    try:
        chosen.settings = {name: parse_settings(values) for name, values in (q.split("=") for q in chosen.qualities)}
    except ValueError:
        parser.error("--qualities takes CODEC=NUMBER,NUMBER,...")
    if unknown := set(chosen.settings) - set(CODECS):
        parser.error(f"no codec is called {', '.join(sorted(unknown))}; there are {', '.join(CODECS)}")
    return chosen


def parse_settings(values: str) -> tuple[float, ...]:
    """ "10,50,90" as numbers, from small files to large ones."""
    return tuple(sorted(float(value) for value in values.split(",")))


def comparisons(curves: dict[str, Curve]) -> list[Comparison]:
    """Every codec against every other one, in every metric."""
    return [
        compare(curves[codec], curves[anchor], metric)
        for codec in curves
        for anchor in curves
        if codec != anchor
        for metric in METRICS
    ]


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, write, print."""
    photographs = load_folder(options.folder)
    codecs = [CODECS[name] for name in options.codecs]
    data_set = options.data_set or options.folder.resolve().name
    console.print(settings_table(codecs))
    cache = None if options.fresh else Cache(options.cache)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None)

        def report(done: int, total: int, label: str) -> None:
            bars.update(task, completed=done, total=total, description=label)

        curves = measure(codecs, photographs, options.settings, rounds=options.rounds, cache=cache, progress=report)
        for name, curve in curves.items():
            curve.write(options.out / f"{name}.json", data_set)
        speeds = []
        if options.speed_rounds:
            at_rate = [(codec, setting_at(curves[codec.name], options.speed_bpp)) for codec in codecs]
            speeds = race(at_rate, photographs, rounds=options.speed_rounds, progress=report)
    compared = comparisons(curves)
    summary = {
        "description": f"{data_set}, {len(photographs)} pictures, real files",
        "provenance": provenance(),
        "bd-rate": {f"{item.codec} against {item.anchor}, {METRICS[item.metric]}": asdict(item) for item in compared},
        "speed": {speed.codec: asdict(speed) for speed in speeds},
    }
    (options.out / "summary.json").write_text(compact_json(summary), encoding="utf-8")
    if compared:
        console.print(bd_rate_table(compared))
    if speeds:
        console.print(speed_table(speeds, "avif" if "avif" in curves else options.codecs[0]))
    if entropy := entropy_table(curves):
        console.print(entropy)
    console.print(f"Results: {options.out}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0, or 1 with one sentence if something is wrong."""
    options = arguments(argv)
    try:
        run(options, Console())
    except (CalotypeError, OSError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmark: interrupted; what is measured stays in the cache", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
