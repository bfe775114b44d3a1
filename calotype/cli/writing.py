# SPDX-License-Identifier: BSD-3-Clause
"""Output of a command: the format that was asked for, into a file or to standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..atomic import write_atomically
from ..raster.formats import FORMATS
from . import streams
from .destination import Destination, Place, wrong
from .jobs import Job
from .many import Result
from .names import shown

if TYPE_CHECKING:
    from ..raster import Raster

CHOICES = {suffix[1:]: suffix for suffix in FORMATS}
DEFAULT_SUFFIX = ".png"


def complete_format(incomplete: str) -> list[str]:
    """Formats for the shell's completion of ``--format``."""
    return [name for name in CHOICES if name.startswith(incomplete)]


Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        autocompletion=complete_format,
        help=f"{', '.join(CHOICES)}. Default: as the output's name says, else png.",
    ),
]


def suffix_of(name: str | None) -> str:
    """The suffix of files of a format that ``--format`` names, or of the default; wrong usage if there is none."""
    if name is None:
        return DEFAULT_SUFFIX
    suffix = CHOICES.get(name.lower().lstrip("."))
    if suffix is None:
        raise wrong("--format", f"{name!r} is not one of {', '.join(CHOICES)}")
    return suffix


def format_for(name: str | None, place: Destination) -> str:
    """Pillow's name of the format to write: the one of ``--format``, else that of the output's name, else PNG."""
    written = FORMATS[suffix_of(name)]
    if place.kind is Place.FILE and name is None:
        return FORMATS.get(place.path.suffix.lower(), written)
    return written


def put(job: Job, data: bytes, before: int, width: int, height: int) -> Result:
    """Write what was made of a job, whole, where it goes.

    Args:
        job: says where.
        data: the whole file.
        before: bytes of the input.
        width, height: of the picture in the file.
    """
    if job.target is None:
        streams.write(data)
    else:
        write_atomically(job.target, data, parents=True)
    return Result(before, len(data), width, height)


def put_picture(job: Job, picture: Raster, written: str, before: int) -> Result:
    """Like :func:`put` for a picture, in the format of Pillow's name ``written``."""
    from .. import raster

    name = "standard output" if job.target is None else shown(job.target)
    return put(job, raster.to_file(picture, written, name=name), before, picture.width, picture.height)
