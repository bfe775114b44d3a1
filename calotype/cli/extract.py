# SPDX-License-Identifier: BSD-3-Clause
"""``calotype extract``: the standard files inside ``.calo`` files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CalotypeError
from . import many, streams
from .destination import STREAM, Place, check_json, destination
from .jobs import Job, plan
from .lesson import lesson
from .names import shown
from .options import Inputs, Json, Output, Overwrite, Preserve, Quiet
from .problems import guarded
from .walk import CALOTYPE_SUFFIXES
from .wrap import STANDARD_SUFFIXES
from .writing import put

if TYPE_CHECKING:
    from ..arrays import Progress

HELP = lesson(
    "Extract the standard file from a .calo file that holds one, byte for byte.",
    {
        "extract photo.calo": "photo.jpg, .jp2, .webp or .avif",
        "extract photo.calo -o small.jpg": "under another name",
        "extract small/ -o album/": "a folder, mirrored",
        "extract - < photo.calo > small.jpg": "in a pipe",
    },
    "Codec tao2017 keeps an ordinary JPEG, JPEG 2000, WebP or AVIF inside, which any program opens: the picture itself "
    "(scale 1), or half of it (scale 2). Nothing is decoded and no weights are needed. What [bold]calotype "
    "encode[/bold] made has colour profile, EXIF, XMP and alpha apart from it, in the .calo file; what [bold]calotype "
    "wrap[/bold] took in comes out as it was. For the restored picture, use [bold]calotype decode[/bold].",
    "Codec lossless keeps the JPEGs that it was given: the same bytes come out. It keeps other pictures as one WebP, "
    "PNG or JPEG XL, if they have at most 4096 pixels a side; and codec talbot keeps a WebP or AVIF where that is the "
    "whole picture, as [bold]calotype info[/bold] says. Of other files, decode the picture.",
    "The name loses .calo and gains the suffix of what is inside, unless it has that already: photo.jpg.calo becomes "
    "photo.jpg. Another file of the same name stays unless you say --overwrite.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def extract(
    inputs: Inputs,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    place = destination(output, inputs, suffixes=STANDARD_SUFFIXES | {".png", ".jxl"}, other=None)
    settings = {"command": "extract"}
    todo = plan(inputs, place, suffixes=CALOTYPE_SUFFIXES, suffix=".jpg", overwrite=overwrite, settings=settings)
    piped = streams.read(None) if STREAM in inputs else None  # a pipe gives its bytes once
    if place.kind in (Place.BESIDE, Place.FOLDER):
        todo.jobs = _named(todo.jobs, piped)
    todo.preserve = preserve
    check_json(as_json, place)

    def work(job: Job, progress: Progress) -> many.Result:
        from ..api.probe import probe
        from ..api.wrap import extract
        from ..codecs.tao2017.standard import StandardFile, kind

        data = streams.read(job.source) if piped is None else piped
        file = extract(data)
        title, suffixes = _kind(file)
        target = job.target if place.kind is Place.FILE else None
        if target and _is_named(target) and target.suffix.lower() not in suffixes:
            raise CalotypeError(f"the file inside is a {title}: name it {suffixes[0]}, not {shown(target)}")
        inside = StandardFile(file) if kind(file) else probe(data)
        return put(job, file, len(data), inside.width, inside.height)

    nothing = f"no .calo files in {', '.join(inputs)}"
    many.run(todo, work, verb="extracted", nothing=nothing, quiet=quiet, as_json=as_json)


def _named(jobs: list[Job], piped: bytes | None) -> list[Job]:
    """The jobs with the suffixes of what is inside, each with a target of its own.

    A name that has such a suffix already needs no second one, photo.jpg.calo becomes photo.jpg, unless that is also
    the name of what another file becomes.
    """
    short, long = zip(*(_targets(job, piped) for job in jobs), strict=True) if jobs else ((), ())
    keys = [os.path.normcase(target or "") for target in short]
    taken = Counter(keys) + Counter(os.path.normcase(b or "") for a, b in zip(short, long, strict=True) if a != b)
    return [
        Job(job.source, short[i] if taken[keys[i]] == 1 else long[i])  # one of a kind
        for i, job in enumerate(jobs)
    ]


def _targets(job: Job, piped: bytes | None) -> tuple[Path | None, Path | None]:
    """The short and the long name of a job's result; its target where that cannot be told, which its work will say."""
    from ..api.wrap import extract

    try:
        _, suffixes = _kind(extract(streams.read(job.source) if piped is None else piped))
    except (CalotypeError, OSError):
        return job.target, job.target
    if job.target is None:
        return None, None
    # Not with_suffix: "a.b.calo" and a target that kept its whole name have dots of their own.
    stem = Path(str(job.target).removesuffix(".jpg"))
    long = Path(f"{stem}{suffixes[0]}")
    return (stem if stem.suffix.lower() in suffixes else long), long


def _kind(file: bytes) -> tuple[str, tuple[str, ...]]:
    """Title of what was extracted, and suffixes of such files, the usual one first."""
    from ..codecs.tao2017 import standard
    from ..raster.stills import lossless

    base, still = standard.kind(file), lossless.kind(file)
    if base:
        return base.title, base.suffixes
    if still:
        return still.title, (still.suffix,)
    raise CalotypeError("the file inside is of an unknown format")


def _is_named(target: Path) -> bool:
    """Whether the target is a name that people see, rather than a device."""
    return target.is_file() or not target.exists()
