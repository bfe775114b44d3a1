# SPDX-License-Identifier: BSD-3-Clause
"""``calotype batch``: a library of pictures, on all cores of one machine or of many."""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..codecs.ledig2017 import DEFAULT_MODEL, MODELS, SCALES
from ..container import EXTENSION
from .catalogue import complete_codec, named_codec
from .codec_options import chosen
from .destination import wrong
from .encode import request
from .lesson import lesson
from .names import counted, shown
from .options import Json, Quiet
from .problems import complain, guarded
from .screen import emit, errors
from .sizes import format_size
from .upscale import DEFAULT_SCALE, complete_model
from .walk import CALOTYPE_SUFFIXES, PICTURE_SUFFIXES
from .wrap import STANDARD_SUFFIXES
from .writing import Format, suffix_of

if TYPE_CHECKING:
    from rich.console import Console

    from ..cluster.order import Order
    from ..cluster.run import Totals
    from ..cluster.worker import Tally

MOST_SHOWN = 100  # errors that are printed; all are in the manifest

HELP = lesson(
    "Work on a library of pictures: all cores of this machine, or of a cluster.",
    {
        "batch photos/ small/": "a folder, mirrored",
        "batch s3://a/raw s3://a/small": "from store to store",
        "batch shards/ small/": "WebDataset tar shards",
        "batch train.parquet small/": "a table with pictures",
        "batch small/ back/ --do decode": "and back",
        "batch photos/ small/ --address auto": "on a Ray cluster",
    },
    "SOURCE is a folder or a file, here or behind a URL (s3://, gs://, file://). In folders, pictures become files of "
    "the same names; a .tar is a WebDataset shard and becomes one with .calo files among its captions and labels; a "
    ".parquet becomes a table with .calo files in its column of pictures. Files are the same bytes as those of "
    "[bold]calotype encode[/bold].",
    "DESTINATION/_manifest tells, in Parquet, what became of each picture: size, hash, settings, bytes, and the error "
    "of a bad one, which does not stop the others. Run the same command again, and it does what is missing, has "
    "changed or failed. A machine that is lost in the middle costs at most 64 pictures or a shard, which others make.",
    "It needs Ray Data: pip install 'calotype\\[cluster]'. Without --address a cluster of this machine's cores is "
    "started and ended; nothing is reported to anyone.",
    "Exit codes: 0 all went well, 1 a picture or folder failed, 2 wrong usage.",
)  # fmt: skip


class Verb(StrEnum):
    """Values of ``--do``."""

    ENCODE = "encode"
    DECODE = "decode"
    RESTORE = "restore"
    UPSCALE = "upscale"


SUFFIXES = {
    Verb.ENCODE: PICTURE_SUFFIXES,
    Verb.DECODE: CALOTYPE_SUFFIXES,
    Verb.RESTORE: STANDARD_SUFFIXES,
    Verb.UPSCALE: PICTURE_SUFFIXES | CALOTYPE_SUFFIXES,
}
ENCODE, UPSCALE, CLUSTER = "Encode", "Upscale", "Cluster"


@guarded
def batch(
    source: Annotated[str, typer.Argument(metavar="SOURCE", show_default=False, help="Folder, file or URL.")],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", show_default=False, help="Folder or URL.")],
    do: Annotated[
        Verb, typer.Option("--do", metavar="VERB", help="encode, decode, restore or upscale each picture.")
    ] = Verb.ENCODE,
    quality: Annotated[
        float | None,
        typer.Option(
            metavar="Q", min=1, max=100, help="From 1 (smallest) to 100. Default: 60.", rich_help_panel=ENCODE
        ),
    ] = None,
    target_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="The best quality within this size, for each.", rich_help_panel=ENCODE),
    ] = None,
    target_psnr: Annotated[
        float | None,
        typer.Option(metavar="DB", help="The smallest file with at least this PSNR.", rich_help_panel=ENCODE),
    ] = None,
    target_ssim: Annotated[
        float | None,
        typer.Option(metavar="S", help="The smallest file with at least this SSIM.", rich_help_panel=ENCODE),
    ] = None,
    target_ssimulacra2: Annotated[
        float | None,
        typer.Option(metavar="S", help="The smallest file with at least this SSIMULACRA 2.", rich_help_panel=ENCODE),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            autocompletion=complete_codec,
            help="See [bold]calotype codecs[/bold]. Default: talbot.",
            rich_help_panel=ENCODE,
        ),
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Every sample comes back.", rich_help_panel=ENCODE)
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Leave out metadata of pictures.", rich_help_panel=ENCODE)
    ] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Decode and compare each before its output appears.", rich_help_panel=ENCODE),
    ] = False,
    ssimulacra2: Annotated[
        bool,
        typer.Option("--ssimulacra2", help="Decode, and note the SSIMULACRA 2 of each.", rich_help_panel=ENCODE),
    ] = False,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the codec: effort=6, tune=psnr.", rich_help_panel=ENCODE),
    ] = None,
    format_: Format = None,
    scale: Annotated[
        int | None,
        typer.Option(
            metavar="2|4",
            help=f"Factor for width and height. Default: {DEFAULT_SCALE}.",
            rich_help_panel=UPSCALE,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_model,
            help=f"{', '.join(MODELS)}. Default: {DEFAULT_MODEL}.",
            rich_help_panel=UPSCALE,
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a table: the column with pictures. Default: the first with files."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of a Ray cluster, or auto. Default: none.", rich_help_panel=CLUSTER),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=1_000_000, help="Pictures at a time. Default: one a core.", rich_help_panel=CLUSTER
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make everything anew.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    from ..cluster.run import Work, run

    _check(do, {Verb.ENCODE}, {
        "quality": quality, "target-size": target_size, "target-psnr": target_psnr, "target-ssim": target_ssim,
        "target-ssimulacra2": target_ssimulacra2, "codec": codec, "lossless": lossless, "strip": strip,
        "verify": verify, "ssimulacra2": ssimulacra2, "option": option,
    })  # fmt: skip
    _check(do, {Verb.UPSCALE}, {"scale": scale, "model": model})
    _check(do, set(Verb) - {Verb.ENCODE}, {"format": format_})
    if do is Verb.ENCODE:
        demands = request(quality, target_size, psnr=target_psnr, ssim=target_ssim, ssimulacra2=target_ssimulacra2)
        flags = {name: True for name, said in (("strip", strip), ("verify", verify)) if said}
        order, suffix = _encoding(codec or "talbot", lossless, flags, ssimulacra2, demands, option or []), EXTENSION
    else:
        suffix = suffix_of(format_)
        order = _picturing(do, suffix, DEFAULT_SCALE if scale is None else scale, model or DEFAULT_MODEL)
    console, shown_errors = errors(), 0
    bar = Bar(console, quiet=quiet)

    def report(tally: Tally, totals: Totals) -> None:
        nonlocal shown_errors
        for name, message in tally.errors:
            shown_errors += 1
            if shown_errors <= MOST_SHOWN:
                emit(console, complain(shown(name), message), "red")
        bar.show(totals)

    work = Work(source, destination, order, frozenset(SUFFIXES[do]), suffix, column, actors, address, overwrite)
    began = time.perf_counter()
    try:
        bar.start()
        totals = run(work, report)
    finally:
        bar.close()
    seconds = time.perf_counter() - began
    for name, message in totals.problems[:MOST_SHOWN]:
        emit(console, complain(shown(name), message), "red")
    if len(totals.problems) > MOST_SHOWN:
        emit(console, complain("", f"and {len(totals.problems) - MOST_SHOWN:,} more like these"), "red")
    if as_json:
        facts = {name: getattr(totals, name) for name in ("done", "skipped", "failed", "before", "after", "ignored")}
        typer.echo(json.dumps(facts | {"seconds": round(seconds, 2)}, indent=2))
    if not totals.done + totals.skipped + totals.failed + len(totals.problems):
        emit(console, complain("", f"no pictures in {shown(source)}{_ignored(totals)}"), "red")
        raise typer.Exit(1)
    if not quiet:
        emit(console, _sum(do, totals, seconds), "bold")
    if totals.failed:
        told = f"{totals.failed:,} not {PAST[do]}; their errors are in {shown(destination.rstrip('/'))}/_manifest"
        emit(console, complain("", told), "red")
    if totals.failed or totals.problems:
        raise typer.Exit(1)


PAST = {Verb.ENCODE: "encoded", Verb.DECODE: "decoded", Verb.RESTORE: "restored", Verb.UPSCALE: "enlarged"}


def _encoding(
    codec: str, lossless: bool, flags: dict[str, bool], score: bool, demands: dict[str, Any], given: list[str]
) -> Order:
    from ..cluster.order import Order

    entry = named_codec("lossless" if lossless and codec == "talbot" else codec)
    if entry.lossless and demands:
        raise wrong(f"--{next(iter(demands)).replace('_', '-')}", f"codec '{entry.id}' gives back every sample")
    if lossless and not entry.lossless:
        raise wrong("--lossless", f"codec '{entry.id}' is not lossless")
    texts: dict[str, str | None] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise wrong("--option", f"{text!r} is not NAME=VALUE, such as effort=6")
        texts[name.replace("-", "_")] = value
    options = {"codec": entry.id, **demands, **chosen(entry, texts)}
    return Order("encode", options | flags, score=score)


def _picturing(do: Verb, suffix: str, scale: int, model: str) -> Order:
    from ..cluster.order import Order
    from ..raster.formats import FORMATS

    if do is not Verb.UPSCALE:
        return Order(do.value, format=FORMATS[suffix])
    if scale not in SCALES:
        raise wrong("--scale", f"{scale} is not one of {', '.join(map(str, SCALES))}")
    if model not in MODELS:
        raise wrong("--model", f"{model!r} is not one of {', '.join(MODELS)}")
    from ..codecs.ledig2017.enlarger import model_bundle

    model_bundle(model, scale)  # before any picture is touched
    return Order(do.value, {"scale": scale, "model": model}, FORMATS[suffix])


def _check(do: Verb, verbs: set[Verb], options: dict[str, object]) -> None:
    """Refuse options that were given and are of other verbs than this one."""
    for name, value in options.items():
        if value and do not in verbs:
            takers = " and ".join(sorted(verbs))
            raise wrong(f"--{name}", f"it belongs to --do {takers}, and this is --do {do.value}")


class Bar:
    """Progress for a person: pictures done, and time left by the bytes of what is to do."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._hidden = quiet or not sys.stderr.isatty() or console.is_dumb_terminal
        self._progress: Any = None
        self._first: tuple[float, int] | None = None  # time and pictures done, when the first were

    def start(self) -> None:
        """Show it."""
        if self._hidden:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.fields[count]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            expand=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task("", total=None, count="listing, starting Ray", speed="")
        self._progress.start()

    def show(self, totals: Totals) -> None:
        """Show the sums."""
        if self._progress is None:
            return
        count = totals.done + totals.failed
        began, before = self._first = self._first or (time.perf_counter(), count)  # Ray's start is not in the speed
        seconds = time.perf_counter() - began
        speed = f"{(count - before) / seconds:,.1f} pictures/s" if count > before else ""
        more = "" if totals.complete else ", more to list"
        self._progress.update(
            self._task, completed=totals.weight, total=totals.listed, count=f"{count:,} done{more}", speed=speed
        )

    def close(self) -> None:
        """Remove it."""
        if self._progress is not None:
            self._progress.stop()


def _sum(do: Verb, totals: Totals, seconds: float) -> str:
    parts = [f"{totals.done:,} {PAST[do]}"]
    parts += [f"{totals.skipped:,} up to date"] if totals.skipped else []
    parts += [f"{totals.failed:,} failed"] if totals.failed else []
    text = ", ".join(parts)
    if totals.done:
        text += f": {format_size(totals.before)} → {format_size(totals.after)}, {seconds:,.1f} s"
    return text + _ignored(totals)


def _ignored(totals: Totals) -> str:
    kinds = sorted(totals.ignored.items(), key=lambda kind: -kind[1])[:6]
    text = ", ".join(counted(kind, count) for kind, count in kinds)
    return f" (passed over: {text})" if text else ""
