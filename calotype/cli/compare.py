# SPDX-License-Identifier: BSD-3-Clause
"""``calotype compare``: what pictures are worth beside their original."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..atomic import write_atomically
from ..errors import CalotypeError, PictureError, describe
from . import streams
from .compare_table import print_table
from .destination import STREAM, wrong
from .heed import heard, heeding
from .lesson import lesson
from .names import shown
from .naming import named_metrics
from .options import Json, Threads
from .problems import complain, guarded, say
from .screen import Bars, emit, errors, facts

if TYPE_CHECKING:
    from ..comparison.outcome import Outcome, Picture
    from ..metrics.metric import Metric

SUFFIXES = {"--map": (".png",), "--html": (".html", ".htm")}

HELP = lesson(
    "Measure pictures against their original: size, rate, and how close they are.",
    {
        "compare photo.png photo.calo photo.jpg": "a table",
        "compare photo.png *.webp --html page.html": "a page with a slider",
        "compare photo.png photo.jpg --map map.png": "where they differ",
        "compare photo.png *.calo --csv > all.csv": "for programs; or --json",
    },
    "Pictures are of any kind that Calotype or Pillow reads, and of equal size once they are upright. What differs "
    "otherwise is brought together, with a word: 8 bits are compared with 16 at 16 bits, grey with RGB as RGB, "
    "different colour profiles in sRGB, and transparency as it looks on medium grey.",
    "The best of several is marked with *. The PSNR of equal pictures is infinite (inf); a dash stands where a picture "
    "is too small. Luma is Y of BT.601 in full range. Butteraugli needs the program butteraugli_main, ColorVideoVDP "
    "the package cvvdp, the perceptual distance the weights of SqueezeNet 1.0. docs/metrics.md defines each number.",
    "Exit codes: 0 all went well, 1 a picture could not be compared, 2 wrong usage.",
)


@guarded
def compare(
    original: Annotated[str, typer.Argument(metavar="ORIGINAL", show_default=False, help="The original picture.")],
    others: Annotated[
        list[str],
        typer.Argument(metavar="OTHER", show_default=False, help="One or more pictures; - is standard input."),
    ],
    map_: Annotated[
        str | None,
        typer.Option("--map", metavar="PNG", help="Write the pictures side by side with their differences, amplified."),
    ] = None,
    html: Annotated[
        str | None, typer.Option(metavar="PAGE", help="Write a web page with a slider: one file, needs no network.")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="NPZ", help="Weights of SqueezeNet 1.0: adds the perceptual distance on its features."),
    ] = None,
    metric: Annotated[
        str, typer.Option(metavar="NAMES", help="Metrics, with commas: ssimulacra2,psnr,... Default: all but cvvdp.")
    ] = "",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for programs.")] = False,
    threads: Threads = None,
) -> None:
    """See :data:`HELP`."""
    _check([original, *others], {"--map": map_, "--html": html}, both=as_json and as_csv)
    from ..comparison import listing
    from ..comparison.page import page
    from ..comparison.table import columns

    metrics, left_out = _metrics(metric, features)
    first = _open(original, threads)
    outcomes, failed = _measure(first, others, metrics, threads)
    if outcomes:
        if as_json:
            typer.echo(listing.as_json(first, outcomes))
        elif as_csv:
            typer.echo(listing.as_csv(first, outcomes, metrics), nl=False)
        else:
            print_table(facts(), first, outcomes, columns(metrics))
        for note in [*left_out, *_notes(outcomes)]:
            emit(errors(), shown(note), "dim")
        if map_ is not None:
            failed |= not _write(map_, lambda: _map(first, outcomes))
        if html is not None:
            failed |= not _write(html, lambda: page(first, outcomes, columns(metrics)).encode())
    if failed:
        raise typer.Exit(1)


def _check(inputs: list[str], outputs: dict[str, str | None], *, both: bool) -> None:
    """Refuse wrong usage before any work is done."""
    if both:
        raise wrong("--csv", "cannot be combined with --json: choose one of them")
    if inputs.count(STREAM) > 1:
        raise wrong("OTHER", "- (standard input) can be read only once; name a file for the other picture")
    if STREAM in inputs and sys.stdin.isatty():
        raise wrong("OTHER", "- reads standard input, and nothing is piped into it; name a file")
    sources = [path for path in map(Path, inputs) if path.exists()]
    for option, name in outputs.items():
        if name is None:
            continue
        suffixes = SUFFIXES[option]
        if Path(name).suffix.lower() not in suffixes:
            raise wrong(option, f"{name} should end in {' or '.join(suffixes)}")
        if Path(name).exists() and any(source.samefile(name) for source in sources):
            raise wrong(option, f"{name} is one of the pictures, and an input is never overwritten")


def _metrics(names: str, features: str | None) -> tuple[list[Metric], list[str]]:
    """Metrics to measure, and sentences about those left out. Names that are not installed are an error."""
    from ..metrics.catalogue import available, with_network
    from ..metrics.squeezenet import load_squeezenet

    network = [] if features is None else [with_network(load_squeezenet(features))]
    if names:
        return [*named_metrics("--metric", names), *network], []
    metrics, left_out = available()
    return [*metrics, *network], left_out


def _open(name: str, threads: int | None) -> Picture:
    """A picture and its size; errors name the file."""
    from ..api.open import open_picture
    from ..comparison.outcome import Picture

    source = None if name == STREAM else Path(name)
    told: list[str] = []
    try:
        opened, size = streams.source(source)
        with heeding(), heard(told):
            picture = Picture(_label(name), open_picture(opened, threads=threads), size)
        for sentence in told:
            emit(errors(), complain(picture.name, f"warning: {sentence}"), "yellow")
        return picture
    except Exception as error:
        raise PictureError(complain(_label(name), describe(error)).removeprefix("calotype: ")) from error


def _measure(
    original: Picture, others: list[str], metrics: Sequence[Metric], threads: int | None
) -> tuple[list[Outcome], bool]:
    """Pictures that could be compared, and whether any could not."""
    from ..comparison.outcome import compare as measured

    outcomes: list[Outcome] = []
    failed = False
    console = errors()
    bars = Bars(console, len(others), quiet=False)
    try:
        for number, name in enumerate(others):
            bars.advance(number)
            try:
                with bars.picture(shown(name)):
                    other = _open(name, threads)
                    try:
                        outcomes.append(measured(original, other, metrics))
                    except PictureError as error:
                        raise PictureError(f"{other.name}: {error}") from error
            except Exception as error:  # of any kind: the other pictures do not pay for this one
                emit(console, complain("", describe(error)), "red")  # on the console that has the bars
                failed = True
    finally:
        bars.close()
    return outcomes, failed


def _notes(outcomes: Sequence[Outcome]) -> list[str]:
    """Each note once, with the pictures that it is about."""
    about: dict[str, list[str]] = {}
    for outcome in outcomes:
        for note in outcome.notes:
            about.setdefault(note, []).append(outcome.picture.name)
    return [f"{', '.join(names)}: {note}" for note, names in about.items()]


def _map(original: Picture, outcomes: Sequence[Outcome]) -> bytes:
    from ..comparison.difference import sheet
    from ..comparison.page import figures

    made = sheet(original.name, [(o.picture.name, figures(o), o.pair) for o in outcomes])
    file = io.BytesIO()
    made.save(file, "PNG")
    return file.getvalue()


def _write(name: str, make: Callable[[], bytes]) -> bool:
    """Write what ``make`` returns; False, after a sentence, if it cannot be written."""
    try:
        write_atomically(name, make(), parents=True)
    except CalotypeError as error:
        say("", str(error))
        return False
    emit(errors(), shown(f"written: {name}"))
    return True


def _label(name: str) -> str:
    return "standard input" if name == STREAM else shown(name)
