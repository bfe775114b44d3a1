# SPDX-License-Identifier: BSD-3-Clause
"""``calotype extract``: the standard files inside of ``.calo`` files."""

from __future__ import annotations

from pathlib import Path

from ..errors import CalotypeError
from ..files import write_atomically
from . import batch, streams
from .destination import STREAM, Kind, destination
from .jobs import Job, plan
from .lesson import lesson
from .names import shown
from .options import Inputs, Output, Overwrite, Quiet
from .problems import guarded
from .walk import CALOTYPE_SUFFIXES
from .wrap import STANDARD_SUFFIXES

HELP = lesson(
    "Take the standard file out of a .calo file of codec tao2017, byte for byte.",
    {
        "extract photo.calo": "makes photo.jpg, .jp2, .webp or .avif",
        "extract photo.calo -o small.jpg": "under another name",
        "extract small/ -o album/": "a folder, mirrored",
        "extract - < photo.calo > small.jpg": "in a pipe",
    },
    "Codec tao2017 keeps an ordinary JPEG, JPEG 2000, WebP or AVIF inside, which any program opens: the picture itself "
    "(scale 1), or half of it (scale 2). Nothing is decoded and no weights are needed. What [bold]calotype "
    "encode[/bold] made has colour profile, EXIF, XMP and alpha apart from it, in the .calo file; what [bold]calotype "
    "wrap[/bold] took in comes out as it was. For the restored picture, use [bold]calotype decode[/bold].",
    "An older file of the same name may be an original: it stays unless you say --overwrite.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def extract(inputs: Inputs, output: Output = None, overwrite: Overwrite = False, quiet: Quiet = False) -> None:
    """See :data:`HELP`."""
    place = destination(output, inputs, suffixes=STANDARD_SUFFIXES, other=None)
    todo = plan(inputs, place, suffixes=CALOTYPE_SUFFIXES, suffix=".jpg", refresh=False, overwrite=overwrite)
    piped = streams.read(None) if STREAM in inputs else None  # a pipe gives its bytes once
    if place.kind in (Kind.BESIDE, Kind.FOLDER):
        todo.jobs = [_named(job, piped) for job in todo.jobs]

    def work(job: Job, progress: batch.Progress) -> batch.Result:
        from calotype import probe
        from calotype.codecs.standard import kind
        from calotype.wrapping import extract

        data = streams.read(job.source) if piped is None else piped
        file = extract(data)
        found = kind(file)
        if job.target is None:
            streams.write(file)
        elif found and place.kind is Kind.FILE and job.target.suffix.lower() not in found.suffixes and _is_named(job):
            raise CalotypeError(
                f"the file inside is a {found.title}: name it {found.suffixes[0]}, not {shown(job.target)}"
            )
        else:
            write_atomically(job.target, file, parents=True)
        about = probe(data)
        progress(1, 1)
        return batch.Result(len(data), len(file), about.width, about.height)

    def cells(result: batch.Result) -> list[str]:
        return [f"{f'{result.width} × {result.height}':>13}"]

    batch.run(todo, work, cells, verb="extracted", nothing=f"no .calo files in {', '.join(inputs)}", quiet=quiet)


def _named(job: Job, piped: bytes | None) -> Job:
    """The job with the suffix of what is inside; as it is where that cannot be told, which its work will say."""
    from calotype.codecs.standard import kind
    from calotype.wrapping import extract

    try:
        found = kind(extract(streams.read(job.source) if piped is None else piped))
    except (CalotypeError, OSError):
        return job
    if found is None or job.target is None:
        return job
    # Not with_suffix: "a.b.calo" and a target that kept its whole name have dots of their own.
    return Job(job.source, Path(f"{str(job.target).removesuffix('.jpg')}{found.suffixes[0]}"))


def _is_named(job: Job) -> bool:
    """Whether the target is a name that people see, rather than a device."""
    return job.target is not None and (job.target.is_file() or not job.target.exists())
