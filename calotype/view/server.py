# SPDX-License-Identifier: BSD-3-Clause
"""A web server for one person on this machine: the album's page, its pictures, the decoder and the weights.

It reads and never writes. It answers only who asks for 127.0.0.1 or localhost by name, so that a page elsewhere cannot
reach it through a name of its own (DNS rebinding), and only its own pages, so that no other site can look in.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from urllib.parse import unquote, urlsplit

from ..errors import CalotypeError
from . import assets
from .album import Album

PORT = 8460  # where the browser keeps the weights from the last time; another if it is taken
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".wasm": "application/wasm",
    ".json": "application/json", ".svg": "image/svg+xml", ".calo": "image/x-calotype", ".png": "image/png",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif", ".gif": "image/gif",
    ".bmp": "image/bmp",
}  # fmt: skip
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
FOREVER = "public, max-age=31536000, immutable"  # weights: their address is their hash
PAGES, SERVICE_WORKER = ("src", "demo"), "service-worker.js"  # of web/

Answer = tuple[bytes, str, str]  # content, media type, cache control


class Server(ThreadingHTTPServer):
    """Serves one album on 127.0.0.1.

    Args:
        album: what to show.
        port: 0 for any that is free.
    """

    daemon_threads = True  # so that Ctrl-C ends at once
    allow_reuse_address = os.name == "posix"  # at once after the last time; on Windows it means: also if it is taken

    def __init__(self, album: Album, port: int = PORT) -> None:
        self.album = album
        self.decoding = threading.Lock()  # pictures of codecs that browsers lack, one at a time
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind, without looking up the name of this machine, which takes seconds where the network is slow."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    @property
    def url(self) -> str:
        """Address of the album's page."""
        return f"http://127.0.0.1:{self.server_port}/"

    def answer(self, path: str) -> Answer | None:
        """What to say to a path; None if there is nothing."""
        first, _, rest = path.lstrip("/").partition("/")
        makers: dict[str, Callable[[str], Answer | None]] = {
            "": lambda _: self.file(assets.web() / "demo" / "album.html"),
            "album.json": self.listing,
            "files": self.picture,
            "decoded": self.decoded,
            "weights": self.weights,
        }
        if first in makers:
            return makers[first](rest)
        if first in (*PAGES, SERVICE_WORKER):
            return self.page(path)
        return None

    def listing(self, _: str) -> Answer:
        """All items of the album, as JSON."""
        entries = [item.record for item in self.album.items()]
        content = json.dumps({"name": self.album.root.name, "single": self.album.single, "entries": entries})
        return content.encode("utf-8", "replace"), TYPES[".json"], "no-store"

    def picture(self, path: str) -> Answer | None:
        """A file of the album, as it is."""
        found = self.album.find(path)
        return None if found is None else self.file(found)

    def decoded(self, path: str) -> Answer | None:
        """A PNG of a file that browsers cannot decode."""
        from ..api.decode import decode

        found = self.album.find(path)
        if found is None or found.suffix.lower() != ".calo":
            return None
        with self.decoding:
            content = io.BytesIO()
            decode(found.read_bytes()).save(content, "png", compress_level=1)
        return content.getvalue(), TYPES[".png"], "no-cache"

    def weights(self, path: str) -> Answer | None:
        """The index, or a file of a bundle, below the tag that names it."""
        if path == assets.INDEX:
            return assets.index(), TYPES[".json"], "no-cache"
        tag, _, name = path.partition("/")
        bundle = assets.weights(tag)
        if bundle is None:
            return None
        if name == assets.CHECKSUMS:
            return assets.checksums(bundle), "text/plain", FOREVER
        if name not in bundle.files:
            return None
        return (bundle.path / name).read_bytes(), "application/octet-stream", FOREVER

    def page(self, path: str) -> Answer | None:
        """A script or page of ``web/``."""
        root = assets.web().resolve()
        found = (root / path.lstrip("/")).resolve()
        inside = any(found.is_relative_to(root / part) for part in (*PAGES, SERVICE_WORKER))
        return self.file(found) if inside and found.suffix in TYPES and found.is_file() else None

    def file(self, path: Path) -> Answer:
        """A file, to be asked for again each time."""
        return path.read_bytes(), TYPES[path.suffix.lower()], "no-cache"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Calotype", ""
    timeout = 60  # seconds for a connection that says nothing

    def do_GET(self) -> None:
        """Answer with content."""
        self.reply()

    def do_HEAD(self) -> None:
        """Answer without content."""
        self.reply()

    def reply(self) -> None:
        """Check who asks, and say what there is."""
        if not self.allowed():
            self.say(HTTPStatus.FORBIDDEN, b"this album is for this machine alone\n")
            return
        try:
            found = self.server.answer(unquote(urlsplit(self.path).path, errors="strict"))
        except CalotypeError as error:
            self.say(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n".encode())
        except (OSError, ValueError):
            self.say(HTTPStatus.NOT_FOUND, b"there is no such file\n")
        else:
            if found is None:
                self.say(HTTPStatus.NOT_FOUND, b"there is no such file\n")
            else:
                self.say(HTTPStatus.OK, *found)

    def allowed(self) -> bool:
        """Whether the request names this machine and comes from a page of this server, or from the address bar."""
        port = self.server.server_port
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if self.headers.get("Host") not in hosts:
            return False
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "none")
        return site in ("none", "same-origin") and (origin is None or origin in {f"http://{host}" for host in hosts})

    def say(self, status: HTTPStatus, content: bytes, kind: str = "text/plain", cache: str = "no-store") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", cache)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the terminal belongs to whoever started the album."""

    def handle(self) -> None:
        """A browser that goes away is no reason for a traceback."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
