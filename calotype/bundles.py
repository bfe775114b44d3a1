# SPDX-License-Identifier: BSD-3-Clause
"""Model bundles: find, verify and load.

A bundle is a folder: ONNX graphs, integer tables (``tables.npz``) and ``model.json``, which says what it is: id,
title, paper, hash, configuration, training provenance, measured points, licence. Its identity is the hash of its
files; a ``.calo`` file names the first four bytes of it.

Bundles ship in the package; the environment variable ``CALOTYPE_WEIGHTS`` names further folders of bundles, separated
like ``PATH``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .errors import BundleError

DESCRIPTION = "model.json"
ENVIRONMENT = "CALOTYPE_WEIGHTS"
FILE_ORDER_NOTE = "SHA-256 of the lines 'name sha256' of all files but model.json, sorted by name"


@dataclass(frozen=True)
class Bundle:
    """A folder of weights, as ``model.json`` describes it; ``load`` verifies that it is what it claims to be."""

    path: Path
    description: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the model, for example ``talbot``."""
        return str(self.description["id"])

    @property
    def codec(self) -> str:
        """Id of the codec that reads it."""
        return str(self.description.get("codec", self.id))

    @property
    def hash(self) -> str:
        """SHA-256 in hexadecimal."""
        return str(self.description["hash"])

    @property
    def tag(self) -> bytes:
        """The first four bytes of the hash, as they stand in a file's header."""
        return bytes.fromhex(self.hash[:8])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(p.stat().st_size for p in self.path.iterdir() if p.is_file())

    def verify(self) -> None:
        """Compare the files with the hash; BundleError if they differ."""
        found = bundle_hash(self.path)
        if found != self.hash:
            raise BundleError(
                f"the weights in {self.path} are damaged: their hash is {found[:8]}, not {self.hash[:8]}; "
                "install the package again"
            )


def bundle_hash(folder: Path) -> str:
    """Hash of a bundle's files, see FILE_ORDER_NOTE."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda p: p.name):
        if file.name != DESCRIPTION and file.is_file():
            total.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def search_folders() -> list[Path]:
    """Where bundles are looked for: those of the environment first, then the package's own."""
    extra = [Path(p) for p in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if p]
    return [*extra, Path(__file__).parent / "weights"]


def installed() -> list[Bundle]:
    """All bundles at hand, in order of preference."""
    found = []
    for folder in search_folders():
        for description in sorted(folder.glob(f"*/{DESCRIPTION}")):
            try:
                content = json.loads(description.read_text())
                bundle = Bundle(description.parent, content)
                _ = bundle.id, bundle.tag
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise BundleError(f"{description} does not describe a bundle: {error}") from error
            found.append(bundle)
    return found


@cache
def _verified(path: Path) -> Bundle:
    bundle = next(b for b in installed() if b.path == path)
    bundle.verify()
    return bundle


def find(codec: str, tag: bytes | None = None, tuning: str | None = None) -> Bundle:
    """The bundle for ``codec``: the one with ``tag``, else the preferred one. It is verified once a process.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    candidates = [b for b in installed() if b.codec == codec and (tuning is None or b.id == tuning)]
    if tag is not None:
        candidates = [b for b in candidates if b.tag == tag]
    if not candidates:
        what = f"the weights {tag.hex()} of" if tag is not None else "weights of"
        raise BundleError(
            f"{what} codec '{codec}' are not installed; upgrade the package, or name their folder in {ENVIRONMENT}"
        )
    return _verified(candidates[0].path)
