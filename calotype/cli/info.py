# SPDX-License-Identifier: BSD-3-Clause
"""``calotype info``: what ``.calo`` files say of themselves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import describe
from . import streams
from .destination import STREAM, check_pipe, is_single
from .lesson import lesson
from .names import shown
from .options import Inputs, Json
from .problems import guarded, say
from .screen import emit, facts, table
from .sizes import format_size
from .walk import CALOTYPE_SUFFIXES, find

if TYPE_CHECKING:
    from ..api.probe import Info


LOSSLESS = "lossless"  # codec without a quality
TALBOT = "talbot"  # whose weights are behind those of ``ledig2017``
WRAPPED = "wrapped"  # instead of a quality: a file that somebody else encoded


def _named(codec: str, digits: str) -> str | None:
    """Name of the weights of a codec whose hash begins so, the archive's among them; None if they are not at hand."""
    from .. import codecs
    from ..engine import bundles

    entry = codecs.find(codec)
    known = [*(entry.bundles() if entry else ()), *bundles.retired()]
    return next((bundle.id for bundle in known if bundle.hash.startswith(digits)), None)


@dataclass(frozen=True)
class _Report:
    """A file and what its header says."""

    name: str
    info: Info

    @property
    def label(self) -> str:
        """The name, safe to print."""
        return shown(self.name)

    @property
    def installed(self) -> bool:
        """Whether the weights that decode the file are at hand."""
        inner = self.info.inner_bundle
        there = self.weights is not None and (not inner or _named(TALBOT, inner) is not None)
        return self.weightless or there

    @property
    def weightless(self) -> bool:
        """Whether the file needs no weights."""
        from .. import codecs

        entry = codecs.find(self.info.codec)
        return bool(entry and entry.weightless)

    @property
    def quality(self) -> str:
        """The quality, or the word that stands instead of it."""
        if self.info.codec == LOSSLESS:
            return ""
        return f"{self.info.quality:g}" if self.info.quality else WRAPPED

    @property
    def weights(self) -> str | None:
        """Name of the weights that decode the file; None if they are not at hand."""
        return _named(self.info.codec, self.info.bundle)

    @property
    def samples(self) -> str:
        return "grey" if self.info.channels == 1 else "RGB"

    @property
    def record(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {"file": self.name, **asdict(self.info), "bpp": self.info.bpp, "installed": self.installed}


HELP = lesson(
    "Show facts about .calo files, without decoding them.",
    {
        "info photo.calo": "one file in full",
        "info small/": "a folder, a line for each file",
        "info small/ --json": "for programs: a list; for one file an object",
        "info - < photo.calo": "in a pipe",
    },
    "Exit codes: 0 all went well, 1 a file is damaged or no .calo file, 2 wrong usage.",
)


@guarded
def info(inputs: Inputs, as_json: Json = False) -> None:
    """See :data:`HELP`."""
    from ..api.probe import probe

    check_pipe(inputs)
    single = is_single(inputs)
    sources: list[Path | None] = [None]
    problems: list[tuple[str, str]] = []
    if STREAM not in inputs:
        finds = find([Path(name) for name in inputs], CALOTYPE_SUFFIXES)
        sources, problems = [file.path for file in finds.files], finds.problems
        if not sources and not problems:
            problems = [("", f"no .calo files in {', '.join(inputs)}")]
    reports: list[_Report] = []
    for source in sources:
        name = "standard input" if source is None else str(source)
        try:
            reports.append(_Report(name, probe(streams.read(source))))
        except Exception as error:  # of any kind: the other files are told all the same
            problems.append((shown(name), describe(error)))
    if as_json:
        records = [report.record for report in reports]
        if records or not single:
            typer.echo(json.dumps(records[0] if single else records, indent=2))
    elif single:
        for report in reports:
            _sheet(report)
    elif reports:
        _table(reports)
    for label, message in problems:
        say(label, message)
    if problems:
        raise typer.Exit(1)


def _sheet(report: _Report) -> None:
    """Everything about one file."""
    from ..engine.bundles import ARCHIVE

    info = report.info
    parts = {"colour profile": info.icc, "EXIF": info.exif, "XMP": info.xmp, "IPTC": info.iptc, "text": info.text}
    called = f" ({report.weights})" if report.weights not in (None, info.codec) else ""
    inner = f" and {info.inner_bundle} of {TALBOT}" if info.inner_bundle else ""
    state = "installed" if report.installed else f"NOT installed: cannot be decoded here ({ARCHIVE} has old ones)"
    alpha = f", alpha of {format_size(info.alpha_bytes)}" if info.alpha else ""
    rows = {
        "picture": f"{info.width} × {info.height}, {report.samples}, {info.depth} bits a sample{alpha}",
        "codec": info.codec + (f", {words}" if (words := _quality(report)) else ""),
        "weights": "none needed" if report.weightless else f"{info.bundle}{called}{inner}, {state}",
        "tiles": f"{info.tiles} of {info.tile} × {info.tile} pixels",
        **({"inside": info.inside} if info.inside else {}),
        **({"layers": _layers(info)} if info.most_layers else {}),
        **({"colours": _colours(info.cicp)} if info.cicp else {}),
        **({"paper": " × ".join(f"{dots:g}" for dots in info.dpi) + " pixels an inch"} if info.dpi else {}),
        "metadata": ", ".join(f"{name} {format_size(size)}" for name, size in parts.items() if size) or "none",
        "file": f"{info.size:,} bytes, {info.bpp:.3f} bits per pixel",
    }
    console = facts()
    emit(console, report.label, "bold")
    for name, value in rows.items():
        emit(console, f"  {name:<8}  {value}")


def _colours(cicp: tuple[int, int]) -> str:
    """Code points by their names."""
    from ..container import CodePoints
    from ..raster.colour import name

    return f"{name(CodePoints(*cicp))} (code points {cicp[0]}, {cicp[1]})"


def _quality(report: _Report) -> str:
    """What a sheet says of the quality."""
    if report.quality == WRAPPED:
        return f"{WRAPPED} as it was"
    return f"quality {report.quality}" if report.quality else ""


def _layers(info: Info) -> str:
    """What is there of a progressive file; how many layers it could have says something where it just stops only."""
    return f"{info.layers} of at most {info.most_layers}, truncated" if info.truncated else f"{info.layers}, complete"


def _table(reports: list[_Report]) -> None:
    """A line for each file."""
    rows = []
    for report in reports:
        info = report.info
        kind = f"{report.samples}{' +alpha' if info.alpha else ''}{' 16' if info.depth == 16 else ''}"
        codec = f"{info.codec}{'' if report.installed else ' (?)'} {report.quality}"
        size = [f"{format_size(info.size):>7}", f"{info.bpp:6.3f} bpp"]
        rows.append([report.label, f"{f'{info.width} × {info.height}':>13}", kind, codec, *size])
    for column in (2, 3):
        width = max(len(row[column]) for row in rows)
        for row in rows:
            row[column] = row[column].ljust(width)
    console = facts()
    table(console, rows)
    if not all(report.installed for report in reports):
        emit(console, "(?): the weights that decode the file are not installed")
