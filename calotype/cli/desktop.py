# SPDX-License-Identifier: BSD-3-Clause
"""``calotype desktop``: what file managers need to know of ``.calo`` files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .lesson import lesson
from .names import shown
from .plain import Command, Group
from .problems import guarded
from .screen import emit, errors

HELP = lesson(
    "Let the file managers of a Linux desktop know .calo files.",
    {
        "desktop install": "thumbnails, and a double click opens the album",
        "desktop remove": "takes it back",
    },
    "Files are written in your own folders (XDG_DATA_HOME, by default ~/.local/share), as freedesktop.org says: "
    "a MIME type, a program that opens it, a thumbnailer.",
)

app = typer.Typer(name="desktop", cls=Group, help=HELP, no_args_is_help=True, rich_markup_mode="rich")


@app.command(cls=Command)
@guarded
def install() -> None:
    """Write the files, and say which."""
    from ..desktop.install import install as write

    for path in write():
        emit(errors(), f"wrote {shown(path)}")


@app.command(cls=Command)
@guarded
def remove() -> None:
    """Remove the files, and say which."""
    from ..desktop.install import remove as take

    gone = take()
    for path in gone:
        emit(errors(), f"removed {shown(path)}")
    if not gone:
        emit(errors(), "nothing was installed")


@app.command(cls=Command, hidden=True)
@guarded
def thumbnail(
    source: Annotated[str, typer.Argument()],
    target: Annotated[str, typer.Argument()],
    size: Annotated[int, typer.Argument(min=1, max=4096)] = 256,
) -> None:
    """Write a small PNG: what file managers call."""
    from ..desktop.thumbnail import thumbnail as write

    write(Path(source), Path(target), size)
