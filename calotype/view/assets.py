# SPDX-License-Identifier: BSD-3-Clause
"""The files that a browser decodes with: scripts, engine, pages, and weights under the hash that ``.calo`` files name.

``web/`` of the repository holds them; the installed package has a copy (see ``setup.py``).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from ..engine import bundles
from ..engine.bundles import Bundle
from ..errors import PictureError

CODEC = "talbot"  # what browsers decode
CHECKSUMS, INDEX = "SHA256SUMS", "index.json"
PARTS = ("src", "demo", "service-worker.js", "index.html")  # of web/: what a site needs


def web() -> Path:
    """The folder ``web``: in the package, or in the repository beside it."""
    room = Path(__file__).parent / "web"
    return room if room.is_dir() else Path(__file__).parents[2] / "web"


def weights(name: str) -> Bundle | None:
    """The bundle of ``talbot`` with this tag, eight hexadecimal digits; None if it is not installed."""
    known = [*bundles.installed(), *bundles.retired()]
    return next((b for b in known if b.codec == CODEC and b.tag.hex() == name), None)


def index() -> bytes:
    """Tags of the bundles to encode with by their ids, as JSON."""
    found: dict[str, str] = {}
    for bundle in bundles.installed():
        if bundle.codec == CODEC:
            found.setdefault(bundle.id, bundle.tag.hex())
    return json.dumps(found).encode()


def checksums(bundle: Bundle) -> bytes:
    """Lines ``name sha256`` of a bundle's files. Their own SHA-256 is the hash that names the bundle."""
    lines = [f"{name} {hashlib.sha256((bundle.path / name).read_bytes()).hexdigest()}\n" for name in bundle.files]
    return "".join(lines).encode()


def export(folder: Path) -> None:
    """Write all that a web server needs to serve: scripts, pages and weights.

    Raises:
        PictureError: the folder exists and holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "src" / "engine.wasm").exists():
        raise PictureError(f"{folder} is not empty, and it is not a site that was written before: name another folder")
    for part in PARTS:
        source = web() / part
        if source.is_dir():
            shutil.copytree(source, folder / part, dirs_exist_ok=True)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / part)
    target = folder / "weights"
    for bundle in [*bundles.installed(), *bundles.retired()]:
        if bundle.codec == CODEC:
            place = target / bundle.tag.hex()
            place.mkdir(parents=True, exist_ok=True)
            for name in bundle.files:
                shutil.copyfile(bundle.path / name, place / name)
            (place / CHECKSUMS).write_bytes(checksums(bundle))
    (target / INDEX).write_bytes(index())
