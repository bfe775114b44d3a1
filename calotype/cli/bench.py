# SPDX-License-Identifier: BSD-3-Clause
"""``calotype bench``: what it is worth, measured against other codecs on pictures of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .destination import wrong
from .lesson import lesson
from .names import fit, shown
from .naming import named, named_metrics
from .options import Quiet
from .problems import guarded
from .screen import emit, errors, facts

if TYPE_CHECKING:
    from rich.console import Console

    from ..benchmark.measure import LabelledProgress

HELP = lesson(
    "Measure codecs on a folder of photographs: real files, written, read back, compared and timed.",
    {
        "bench photos/ --out results/": "all, and a report to open",
        "bench photos/ --codecs talbot,avif": "two of them",
        "bench photos/ --metric psnr,ms-ssim": "two measures",
        "bench photos/ --speed": "only speed, on one core and all",
        "bench kodak/ --published vtm,bpg": "draw in curves of others",
        "bench drawn": "text, a chart, a map: no photos",
    },
    "Writes a JSON file a codec, records.csv, plots, summary.json with BD-rates, speeds and memory, and report.html, "
    "which opens without a network and lets you compare the pictures.",
    "What is measured is kept by the content of the pictures and codecs: an interrupted or repeated run goes on. The "
    "tables of speed and memory are measured anew each time; --speed-rounds 0 leaves them out.",
    "Needs matplotlib, and imagecodecs for JPEG XL: pip install 'calotype\\[bench]'.",
)
LABEL_WIDTH = 34  # cells for what is being measured beside the progress bar


def _cache_folder() -> Path:
    """Folder of measurements kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "calotype" / "bench"


def _settings(texts: list[str], known: list[str]) -> dict[str, tuple[float, ...]]:
    """``CODEC=NUMBER,NUMBER`` as numbers, from small files to large ones."""
    from ..benchmark import CODECS

    found = {}
    for text in texts:
        name, _, values = text.partition("=")
        if name not in known:
            raise wrong("--settings", f"{name!r} is none of the codecs of this run: {', '.join(known)}")
        try:
            numbers = tuple(sorted({float(value) for value in values.split(",")}))
        except ValueError:
            raise wrong("--settings", f"{text!r} is not CODEC=NUMBER,NUMBER,..., such as avif=30,60") from None
        low, high = CODECS[name].lowest, CODECS[name].highest
        if not all(low <= number <= high for number in numbers):
            raise wrong("--settings", f"the {CODECS[name].knob} of {name} is {low:g} to {high:g}")
        found[name] = numbers
    return found


@contextmanager
def _progress(console: Console, quiet: bool) -> Iterator[LabelledProgress | None]:
    """A bar with the time that is left, for a person."""
    if quiet or not sys.stderr.isatty() or console.is_dumb_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bars:
        task = bars.add_task("", total=None, label=fit("loading the codecs", LABEL_WIDTH))

        def report(done: int, total: int, label: str) -> None:
            bars.update(task, completed=done, total=total, label=fit(shown(label), LABEL_WIDTH))

        yield report


def _measure_speed(
    folder: Path, photograph: Path | None, out: Path, rounds: int, console: Console, quiet: bool
) -> None:
    """Write and print speeds on one core and on all."""
    from ..benchmark.cores import FILE, measure_cores
    from ..benchmark.curves import compact_json
    from ..benchmark.pictures import load_folder, load_photograph
    from ..benchmark.tables import cores_table

    large = load_photograph(photograph) if photograph else None
    with _progress(console, quiet) as progress:
        found = measure_cores(load_folder(folder), large, rounds, progress)
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_text(compact_json(found), encoding="utf-8")
    if not quiet:
        facts().print(cores_table(found))
        emit(console, f"{out / FILE}", "bold")


@guarded
def bench(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="The pictures that lie directly in it; drawn: some that are drawn here."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Where the results go.")] = Path("results"),
    codecs: Annotated[
        str, typer.Option(metavar="NAMES", help="Codecs, with commas. Default: talbot and most peers.")
    ] = "",
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Metrics. Default: ssimulacra2, butteraugli, psnr, ms-ssim, psnr-hvs, as installed."
        ),
    ] = "",
    published: Annotated[
        str, typer.Option(metavar="NAMES", help="Published curves on Kodak: vtm,bpg,... or all.")
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option(metavar="CODEC=Q,Q", help="Other settings for a codec; may be repeated.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Measure N files at a time, without their speed.")
    ] = 1,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Measure everything N times.")] = 1,
    speed_rounds: Annotated[
        int, typer.Option(min=0, metavar="N", help="Rounds of the speed table; 0 leaves it out.")
    ] = 3,
    speed_bpp: Annotated[float, typer.Option(min=0.01, metavar="BPP", help="The bit rate to compare speeds at.")] = 0.5,
    viewer: Annotated[int, typer.Option(min=0, metavar="N", help="Number of pictures in the report.")] = 3,
    viewer_rates: Annotated[str, typer.Option(metavar="BPP,BPP", help="Bit rates of these pictures.")] = "0.15,0.3,0.6",
    viewer_width: Annotated[
        int, typer.Option(min=0, metavar="PX", help="Width of the part that is shown; 0 shows all.")
    ] = 480,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name for the set of pictures. Default: the folder's.")
    ] = "",
    cache: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Earlier measurements. Default: in the user's cache.")
    ] = None,
    speed: Annotated[
        bool,
        typer.Option(
            "--speed", help="Only the speed of talbot: on 24 megapixels and on the pictures, one core and all."
        ),
    ] = False,
    photograph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Large photograph for --speed. Default: made of the pictures.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure everything again.")] = False,
    quiet: Quiet = False,
) -> None:
    """See :data:`HELP`."""
    from .. import benchmark
    from ..benchmark import published as literature
    from ..benchmark.drawn import pictures_of
    from ..benchmark.plots import OURS, require_matplotlib
    from ..benchmark.records import Cache
    from ..benchmark.results import write
    from ..benchmark.run import Benchmark, run
    from ..benchmark.tables import bd_rate_table, entropy_table, settings_table, speed_table
    from ..metrics.catalogue import NAMED

    codec_names = named("--codecs", codecs or ",".join(benchmark.DEFAULT_CODECS), list(benchmark.CODECS))
    metrics = (
        named_metrics("--metric", metric)
        if metric
        else [NAMED[item] for item in benchmark.DEFAULT_METRICS if not NAMED[item].missing()]
    )
    known = [literature.ALL, *literature.curves()]
    curves = literature.select(named("--published", published, known)) if published else []
    chosen = _settings(settings or [], codec_names)
    try:
        rates = tuple(sorted({float(rate) for rate in viewer_rates.split(",")}))
    except ValueError:
        raise wrong("--viewer-rates", f"{viewer_rates!r} is not BPP,BPP,..., such as 0.15,0.3") from None
    if not all(0 < rate <= 100 for rate in rates):
        raise wrong("--viewer-rates", "bit rates should be above 0 and at most 100")
    if out.exists() and not out.is_dir():
        raise wrong("--out", f"{out} is a file; name a folder")
    console = errors()
    if speed:
        _measure_speed(folder, photograph, out, rounds, console, quiet)
        return
    require_matplotlib()
    plan = Benchmark(
        data_set=name or folder.resolve().name,
        photographs=pictures_of(folder),
        codecs=[benchmark.CODECS[codec] for codec in codec_names],
        metrics=metrics,
        settings=chosen,
        published=curves,
        rounds=rounds,
        jobs=jobs,
        speed_rounds=speed_rounds,
        speed_bpp=speed_bpp,
        viewer_pictures=viewer,
        viewer_rates=rates,
        viewer_width=viewer_width,
        cache=None if fresh else Cache(cache or _cache_folder()),
    )
    with _progress(console, quiet) as progress:
        outcome = run(plan, progress)
    write(outcome, out)
    if outcome.remark:
        emit(console, f"calotype: {outcome.remark}", "yellow")
    if quiet:
        return
    tables = [settings_table(plan.codecs)]
    if outcome.comparisons:
        tables.append(bd_rate_table(outcome.comparisons, OURS if OURS in outcome.curves else codec_names[0]))
    if outcome.speeds:
        reference = "avif" if "avif" in outcome.curves else codec_names[0]
        tables.append(speed_table(outcome.speeds, reference, outcome.memory))
    if entropy := entropy_table(outcome.curves):
        tables.append(entropy)
    for table in tables:
        facts().print(table, end="\n\n")
    emit(console, f"{out / 'report.html'}", "bold")
