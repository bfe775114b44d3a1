# SPDX-License-Identifier: BSD-3-Clause
"""``calotype truncate``: progressive ``.calo`` files made smaller, without encoding them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..container import EXTENSION
from . import many, streams
from .destination import check_json, destination, keep_apart
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Json, Output, Overwrite, Preserve, Quiet
from .problems import guarded
from .sizes import size_option
from .walk import CALOTYPE_SUFFIXES
from .writing import put

if TYPE_CHECKING:
    from ..arrays import Progress

HELP = lesson(
    "Make a progressive .calo file smaller: drop trailing layers.",
    {
        "truncate photo.calo -o small.calo --size 20kB": "at most 20,000 bytes",
        "truncate photo.calo --size 20kB": "photo-truncated.calo",
        "truncate large/ -o small/ --size 64KiB": "a folder, mirrored",
        "truncate - --size 20kB < p.calo > small.calo": "in a pipe",
    },
    "Only files of codecs toderici2017 and rippel2017 can be truncated; nothing is decoded and no weights are needed. "
    "The result is what fits: whole parts of layers. A file that is small enough is copied as it is; one whose end is "
    "missing is made a sound one.",
    "With toderici2017, [bold]calotype encode --target-size[/bold] is better at the same size: it chooses where in the "
    "picture the bytes go.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def truncate(
    inputs: Inputs,
    size: Annotated[str, typer.Option(metavar="SIZE", help="Size at most: 80kB, 64KiB, 1.5MB.")],
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    most = size_option("--size", size, inputs)
    place = destination(output, inputs, suffixes=[EXTENSION], other=None)
    keep_apart(inputs, place, "truncated")
    suffix = f"-truncated{EXTENSION}" if output is None else EXTENSION
    settings = {"command": "truncate", "size": most}
    todo = plan(inputs, place, suffixes=CALOTYPE_SUFFIXES, suffix=suffix, overwrite=overwrite, settings=settings)
    todo.preserve = preserve
    check_json(as_json, place)

    def work(job: Job, progress: Progress) -> many.Result:
        from ..api.truncate import truncate
        from ..container import read_header

        data = streams.read(job.source)
        made = truncate(data, most)
        header = read_header(made)
        return put(job, made, len(data), header.width, header.height)

    nothing = f"no .calo files in {', '.join(inputs)}"
    many.run(todo, work, verb="truncated", nothing=nothing, quiet=quiet, as_json=as_json)
