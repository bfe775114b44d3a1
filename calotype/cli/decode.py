# SPDX-License-Identifier: BSD-3-Clause
"""``calotype decode``: ``.calo`` files back to pictures."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..raster.formats import FORMATS
from . import many, streams
from .destination import check_json, destination, wrong
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Jobs, Json, Output, Overwrite, Preserve, Quiet, Threads
from .problems import guarded
from .sharing import sharing
from .walk import CALOTYPE_SUFFIXES
from .writing import Format, format_for, put_picture, suffix_of

if TYPE_CHECKING:
    from ..arrays import Progress

Engine = Literal["openvino"]  # calotype.codecs.base.ENGINES

HELP = lesson(
    "Decode pictures: each .calo file becomes a PNG, or the format you name.",
    {
        "decode photo.calo": "makes photo.png",
        "decode photo.calo -o photo.jpg": "the suffix is the format",
        "decode small/ -o album/ --format webp": "a folder, mirrored",
        "decode photo.calo --region 0,0,640,480": "the upper left corner",
        "decode photo.calo --iterations 4": "only the first layers",
        "decode damaged.calo --salvage": "what can be saved",
        "decode - < photo.calo > photo.png": "in a pipe",
    },
    "A folder is searched recursively for .calo files; hidden files and links to folders are passed over. With a "
    "folder or several files, what is up to date (made from this very file with these settings) is not made again. Any "
    "other picture of the name of an output is an error, and stays unless you say --overwrite. A bad file does not "
    "stop the others.",
    "Pixels keep the depth they were encoded with; profile, EXIF and XMP are kept where the format holds them.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def decode(
    inputs: Inputs,
    output: Output = None,
    format_: Format = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="L,T,R,B", help="Only these pixels: LEFT,TOP,RIGHT,BOTTOM; the last two are excluded."),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Decode at most N layers of a file of toderici2017 or rippel2017."),
    ] = None,
    salvage: Annotated[
        bool, typer.Option("--salvage", help="Decode what is left of a damaged file, and say what is lost.")
    ] = False,
    engine: Annotated[
        Engine | None,
        typer.Option(help="Decode faster, in bfloat16, where the processor has it; pixels may differ by a level."),
    ] = None,
    threads: Threads = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    box = None if region is None else _region(region)
    suffix = suffix_of(format_)
    place = destination(output, inputs, suffixes=FORMATS, other=None if format_ is None else CALOTYPE_SUFFIXES)
    written = format_for(format_, place)
    settings = {"command": "decode", "format": written, "region": box, "iterations": iterations, "salvage": salvage}
    settings |= {} if engine is None else {"engine": engine}
    todo = plan(inputs, place, suffixes=CALOTYPE_SUFFIXES, suffix=suffix, overwrite=overwrite, settings=settings)
    todo.preserve = preserve
    check_json(as_json, place)

    def work(threads: int | None, job: Job, progress: Progress) -> many.Result:
        from ..api.decode import decode_raster

        data = streams.read(job.source)
        picture = decode_raster(
            data, region=box, iterations=iterations, threads=threads, salvage=salvage, progress=progress, engine=engine
        )
        return put_picture(job, picture, written, len(data))

    nothing = f"no .calo files in {', '.join(inputs)}"
    shared = sharing(jobs, threads, work)
    many.run(
        todo, partial(work, threads), verb="decoded", nothing=nothing, quiet=quiet, as_json=as_json, sharing=shared
    )


def _region(text: str) -> tuple[int, int, int, int]:
    if not re.fullmatch(r"\s*\d{1,6}(\s*,\s*\d{1,6}){3}\s*", text, re.ASCII):
        raise wrong("--region", f"{text!r} is not LEFT,TOP,RIGHT,BOTTOM in pixels, such as 0,0,640,480")
    left, top, right, bottom = map(int, text.split(","))
    if right <= left or bottom <= top:
        raise wrong("--region", f"{text!r} is empty: RIGHT must exceed LEFT, and BOTTOM must exceed TOP")
    return left, top, right, bottom
