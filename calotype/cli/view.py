# SPDX-License-Identifier: BSD-3-Clause
"""``calotype view``: an album in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .lesson import lesson
from .names import shown
from .problems import guarded, say
from .screen import emit, errors

HELP = lesson(
    "Look at .calo files in the browser, as an album.",
    {
        "view album/": "all .calo files below a folder",
        "view photo.calo": "one picture",
        "view album/ --no-browser": "only say where the album is",
        "view --site public/": "a decoder and a page for a web server",
    },
    "The browser decodes the pictures itself; the album is served on 127.0.0.1 to this machine alone, and only read. "
    "An original of the same name beside a file can be compared with it. Ctrl-C ends it.",
    "With --site, a folder is written that any web server can serve: scripts, weights, and a page that encodes.",
)


@guarded
def view(
    path: Annotated[str | None, typer.Argument(metavar="FILE|FOLDER", show_default=False)] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, metavar="N", help="Port to serve at. Default: 8460, or any that is free."
        ),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the album in the browser.")] = True,
    site: Annotated[
        str | None, typer.Option("--site", metavar="FOLDER", help="Write a site for a web server instead.")
    ] = None,
) -> None:
    """See :data:`HELP`."""
    from ..errors import CalotypeError, PictureError
    from ..view import assets
    from ..view.album import Album
    from ..view.server import PORT, Server

    if site is not None:
        assets.export(Path(site))
        emit(errors(), f"the site is in {shown(site)}: serve it from any web server")
        return
    if path is None:
        raise PictureError("name a file or a folder to view, or --site FOLDER")
    album = Album(Path(path))
    try:
        server = Server(album, PORT if port is None else port)
    except OSError as error:
        if port is not None:
            raise CalotypeError(
                f"port {port} cannot be used: {error.strerror}; choose another, or leave out --port"
            ) from error
        server = Server(album, 0)
    with server:
        emit(errors(), f"{shown(path)} is at {server.url} (Ctrl-C ends)")
        if browser:
            import webbrowser

            if not webbrowser.open(server.url):
                say("", f"no browser was found: open {server.url} in one")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            emit(errors(), "")
