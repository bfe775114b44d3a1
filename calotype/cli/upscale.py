# SPDX-License-Identifier: BSD-3-Clause
"""``calotype upscale``: pictures two or four times as large."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ..codecs.ledig2017 import DEFAULT_MODEL, MODELS, SCALES
from ..raster.formats import FORMATS
from . import many, streams
from .destination import Place, check_json, destination, keep_apart, wrong
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Jobs, Json, Output, Overwrite, Preserve, Quiet, Threads
from .problems import guarded
from .sharing import sharing
from .walk import CALOTYPE_SUFFIXES, PICTURE_SUFFIXES
from .writing import Format, format_for, put_picture, suffix_of

if TYPE_CHECKING:
    from ..arrays import Progress

DEFAULT_SCALE = 4  # as in calotype.api.upscale, which is not imported before there is work

HELP = lesson(
    "Enlarge pictures by super-resolution: a network adds detail that interpolation lacks.",
    {
        "upscale photo.png": "makes photo-4x.png",
        "upscale photo.jpg --scale 2 -o large.jpg": "the suffix is the format",
        "upscale photo.png --model srgan": "sharper, invents detail",
        "upscale photo.png --model mixture": "fast, less sharp",
        "upscale album/ -o large/ --format webp": "a folder, mirrored",
        "upscale photo.calo": "decodes it first",
        "upscale - < photo.png > large.png": "in a pipe",
    },
    "srresnet comes as near to the true picture as it can, and blurs what it cannot know. srgan makes up texture that "
    "looks right and need not be so: take it for looks, never for evidence. mixture is no network but a set of linear "
    "filters: between interpolation and srresnet, five times as fast at scale 2 and twice at 4. All were trained on "
    "pictures that were scaled down cleanly; noise and the blocks of JPEG are enlarged like everything else: "
    "[bold]calotype restore[/bold] takes blocks out.",
    "An input is never overwritten. Beside its input, an output says how much larger it is: photo-4x.png; in a folder "
    "named with -o it keeps the name of its input. A folder needs another folder for its results, or they would be "
    "enlarged in turn the next time. It is searched recursively for pictures and .calo files; hidden files and links "
    "to folders are passed over. With a folder or several files, what is up to date (made from this very picture with "
    "these settings) is not made again. A bad file does not stop the others.",
    "Depth, colour profile, EXIF and XMP are kept where the format holds them; alpha is interpolated.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


def complete_model(incomplete: str) -> list[tuple[str, str]]:
    """Models for the shell's completion of ``--model``."""
    return [(name, text) for name, text in MODELS.items() if name.startswith(incomplete)]


@guarded
def upscale(
    inputs: Inputs,
    output: Output = None,
    scale: Annotated[int, typer.Option(metavar="2|4", help="Factor for width and height.")] = DEFAULT_SCALE,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_model,
            help="; ".join(f"{name}: {text}" for name, text in MODELS.items()) + ".",
        ),
    ] = DEFAULT_MODEL,
    format_: Format = None,
    threads: Threads = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    if scale not in SCALES:
        raise wrong("--scale", f"{scale} is not one of {', '.join(map(str, SCALES))}")
    suffix = suffix_of(format_)
    place = destination(output, inputs, suffixes=FORMATS, other=None if format_ is None else CALOTYPE_SUFFIXES)
    keep_apart(inputs, place, "large")
    beside = place.kind is Place.BESIDE
    written = format_for(format_, place)
    todo = plan(
        inputs,
        place,
        suffixes=PICTURE_SUFFIXES | CALOTYPE_SUFFIXES,
        suffix=f"-{scale}x{suffix}" if beside else suffix,
        overwrite=overwrite,
        settings={"command": "upscale", "scale": scale, "model": model, "format": written},
    )
    todo.preserve = preserve
    check_json(as_json, place)

    def work(threads: int | None, job: Job, progress: Progress) -> many.Result:
        from ..api.open import open_picture
        from ..api.upscale import upscale_raster

        source, before = streams.source(job.source)
        small = open_picture(source, threads=threads)
        picture = upscale_raster(small, scale, model=model, threads=threads, progress=progress)
        return put_picture(job, picture, written, before)

    shared = sharing(jobs, threads, work, growth=scale**2)
    many.run(
        todo,
        partial(work, threads),
        verb="enlarged",
        nothing=f"no pictures in {', '.join(inputs)}",
        quiet=quiet,
        as_json=as_json,
        sharing=shared,
    )
