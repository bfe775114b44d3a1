# SPDX-License-Identifier: BSD-3-Clause
"""A static file server, as plain as one can be, and what tests put behind it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><script type="module">{}</script>'


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; what is posted becomes a report."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".calo": "image/x-calotype",
    }

    def do_POST(self) -> None:
        self.server.reports.append(self.rfile.read(int(self.headers["Content-Length"])).decode())  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def static(folder: Path, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Address of a server for the length of the block, and the reports that it gets."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))
    server.reports = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.reports  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
