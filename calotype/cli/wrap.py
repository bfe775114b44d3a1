# SPDX-License-Identifier: BSD-3-Clause
"""``calotype wrap``: standard files into ``.calo`` files, unchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ..container import EXTENSION
from . import many, streams
from .destination import check_json, destination, is_single, wrong
from .jobs import Job, plan
from .lesson import lesson
from .options import Inputs, Json, Output, Overwrite, Preserve, Quiet
from .problems import guarded
from .walk import PICTURE_SUFFIXES
from .writing import put

if TYPE_CHECKING:
    from ..arrays import Progress

STANDARD_SUFFIXES = frozenset({
    ".avif", ".avifs", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".webp",
})  # fmt: skip

HELP = lesson(
    "Put a JPEG, JPEG 2000, WebP or AVIF into a .calo file, so that decoding restores it.",
    {
        "wrap photo.jpg": "makes photo.calo",
        "wrap small.jpg -o p.calo --scale 2": "decoding doubles its size",
        "wrap small.jpg --scale 2 --size 799x533": "for a picture of odd sides",
        "wrap album/ -o wrapped/": "a folder, mirrored",
    },
    "Nothing is encoded again: the file stays inside byte for byte, and [bold]calotype extract[/bold] gives it back. "
    "It decodes to what [bold]calotype restore[/bold] would make of it (which leaves flat places alone), or with "
    "--scale 2 to a larger picture.",
    "Alpha, colour profile, EXIF and XMP are copied to where readers of .calo files look for them; --strip leaves the "
    "last three out there, and never touches the file inside.",
    "Exit codes: 0 all went well, 1 a file failed, 2 wrong usage.",
)


@guarded
def wrap(
    inputs: Inputs,
    output: Output = None,
    scale: Annotated[
        int,
        typer.Option(metavar="1|2", help="1: the file is the picture. 2: it is half of the picture, to be enlarged."),
    ] = 1,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Size of the full picture, for --scale 2. Default: twice that of the file."),
    ] = None,
    strip: Annotated[bool, typer.Option("--strip", help="Do not copy colour profile, EXIF and XMP.")] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    preserve: Preserve = False,
    as_json: Json = False,
) -> None:
    """See :data:`HELP`."""
    if scale not in (1, 2):
        raise wrong("--scale", f"{scale} is not 1 or 2")
    sides = None if size is None else _size(size)
    if sides is not None and not is_single(inputs):
        raise wrong("--size", "is for one picture, and there may be several; leave it out")
    place = destination(output, inputs, suffixes=[EXTENSION], other=PICTURE_SUFFIXES)
    settings = {"command": "wrap", "scale": scale, "size": sides, "strip": strip}
    todo = plan(inputs, place, suffixes=STANDARD_SUFFIXES, suffix=EXTENSION, overwrite=overwrite, settings=settings)
    todo.preserve = preserve
    check_json(as_json, place)

    def work(job: Job, progress: Progress) -> many.Result:
        from ..api.wrap import wrap
        from ..container import read_header

        data = streams.read(job.source)
        file = wrap(data, scale, size=sides, strip=strip)
        header = read_header(file)
        return put(job, file, len(data), header.width, header.height)

    nothing = f"no JPEG, JPEG 2000, WebP or AVIF files in {', '.join(inputs)}"
    many.run(todo, work, verb="wrapped", nothing=nothing, quiet=quiet, as_json=as_json)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", text, re.ASCII)
    if not found or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
        raise wrong("--size", f"{text!r} is not WIDTHxHEIGHT in pixels, such as 799x533")
    return int(found[1]), int(found[2])
