# SPDX-License-Identifier: BSD-3-Clause
"""``calotype restore``: pictures without the artefacts of JPEG, WebP, AVIF and JPEG 2000."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..raster.formats import FORMATS
from . import many, streams
from .destination import Place, check_json, destination, keep_apart
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Jobs, Json, Output, Overwrite, Preserve, Quiet, Threads
from .problems import guarded
from .sharing import sharing
from .walk import CALOTYPE_SUFFIXES
from .wrap import STANDARD_SUFFIXES
from .writing import Format, format_for, put_picture, suffix_of

if TYPE_CHECKING:
    from ..arrays import Progress

HELP = lesson(
    "Repair pictures that were compressed too hard: remove blocks, rings and smeared colours.",
    {
        "restore photo.jpg": "makes photo-restored.png",
        "restore photo.jpg -o better.webp": "the suffix is the format",
        "restore album/ -o better/ --format jpg": "a folder, mirrored",
        "restore - < photo.jpg > better.png": "in a pipe",
    },
    "It takes JPEG, WebP, AVIF and JPEG 2000 of any quality. A JPEG file itself says how hard it was compressed; "
    "otherwise that is estimated from the picture, also for a PNG of what was compressed before. Restore first, and "
    "turn, scale or retouch afterwards: what was scaled since has lost the grid of its blocks. A picture that was "
    "hardly compressed hardly changes. Detail that is gone does not come back.",
    "A folder is searched recursively for files of the four formats (name files of others themselves), and needs "
    "another folder for its results; hidden files and links to folders are passed over. An input is never overwritten. "
    "With a folder or several files, what is up to date (made from this very picture with these settings) is not made "
    "again. A bad file does not stop the others.",
    "Depth, alpha, colour profile, EXIF and XMP are kept where the format holds them; the picture is turned upright. "
    "Only PNG and TIFF keep all of the repair: other formats compress it again.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def restore(
    inputs: Inputs,
    output: Output = None,
    format_: Format = None,
    threads: Threads = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    suffix = suffix_of(format_)
    place = destination(output, inputs, suffixes=FORMATS, other=None if format_ is None else CALOTYPE_SUFFIXES)
    keep_apart(inputs, place, "restored")
    written = format_for(format_, place)
    todo = plan(
        inputs,
        place,
        suffixes=STANDARD_SUFFIXES,
        suffix=f"-restored{suffix}" if place.kind is Place.BESIDE else suffix,
        overwrite=overwrite,
        settings={"command": "restore", "format": written},
    )
    todo.preserve = preserve
    check_json(as_json, place)

    def work(threads: int | None, job: Job, progress: Progress) -> many.Result:
        from ..api.restore import restore_raster

        source, before = streams.source(job.source)
        picture = restore_raster(source, threads=threads, progress=progress)
        return put_picture(job, picture, written, before)

    nothing = f"no JPEG, WebP, AVIF or JPEG 2000 files in {', '.join(inputs)}"
    shared = sharing(jobs, threads, work)
    many.run(
        todo, partial(work, threads), verb="restored", nothing=nothing, quiet=quiet, as_json=as_json, sharing=shared
    )
