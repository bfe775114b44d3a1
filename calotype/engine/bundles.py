# SPDX-License-Identifier: BSD-3-Clause
"""Model bundles: find, verify and load.

A bundle is a folder: ONNX graphs, integer tables (``tables.npz``) and ``model.json``, which says what it is: id,
title, paper, files and their hash, configuration, training provenance, licence. Its identity is the hash of its files;
a ``.calo`` file names the first four bytes of it.

Bundles ship in the package; the environment variable ``CALOTYPE_WEIGHTS`` names further folders of bundles, separated
like ``PATH``. Those that were replaced by better ones are in the package ``calotype-weights-archive``, where files that
name them find them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BundleError
from .once import once

if TYPE_CHECKING:
    import numpy.typing as npt

DESCRIPTION = "model.json"
ENVIRONMENT = "CALOTYPE_WEIGHTS"
TABLES = "tables.npz"
ARCHIVE = "calotype-weights-archive"


@dataclass(frozen=True)
class Bundle:
    """A folder of weights, as ``model.json`` describes it; ``load`` verifies that it is what it claims to be."""

    path: Path
    description: dict[str, Any] = field(hash=False)

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

    @property
    def files(self) -> list[str]:
        """Names of the files that belong to it, sorted; others (a file manager's, say) do not matter."""
        return sorted(str(name) for name in self.description["files"])

    def verify(self) -> None:
        """Compare the files with the hash; BundleError if they differ."""
        try:
            found = bundle_hash(self.path, self.files)
        except OSError as error:
            raise BundleError(
                f"the weights in {self.path} are incomplete: {error.strerror}; install them again"
            ) from error
        if found != self.hash:
            raise BundleError(
                f"the weights in {self.path} are damaged: their hash is {found[:8]}, not {self.hash[:8]}; "
                "install them again"
            )

    def arrays(self, name: str = TABLES) -> dict[str, npt.NDArray[Any]]:
        """The arrays of ``tables.npz``, or of another such file."""
        import numpy as np

        try:
            with np.load(self.path / name, allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"the tables of the weights in {self.path} cannot be read ({error}); install them again"
            ) from error


def bundle_hash(folder: Path, files: list[str]) -> str:
    """SHA-256, in hexadecimal, of the lines ``name sha256`` of the given files, sorted by name."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def search_folders(own: Path | None = None) -> list[Path]:
    """Folders searched for bundles: those of the environment first, then ``own``, or that of this package."""
    return [*_named(), own or Path(__file__).parents[1] / "weights"]


def _named() -> list[Path]:
    return [Path(p) for p in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if p]


def installed(own: Path | None = None) -> list[Bundle]:
    """All bundles in :func:`search_folders`, in its order.

    What does not describe one is passed over with a warning, and so is a folder of the environment that has none.
    """
    found = {folder: _in_folder(folder) for folder in search_folders(own)}
    for folder in _named():
        if not found[folder]:
            _warn_of_nothing(folder)
    return [bundle for bundles in found.values() for bundle in bundles]


@once()
def _warn_of_nothing(folder: Path) -> None:
    """Tell it once a process: others are taken for weights that somebody meant to use."""
    what = "where no weights are" if folder.is_dir() else "which is not a folder"
    hint = " (~ has no meaning there: write the path in full)" if str(folder).startswith("~") else ""
    warnings.warn(f"{ENVIRONMENT} names {folder}, {what}{hint}: it is passed over", stacklevel=4)


def retired() -> list[Bundle]:
    """All bundles of the archive, if it is installed: they decode, and are never encoded with."""
    spec = importlib.util.find_spec(ARCHIVE.replace("-", "_"))
    places = spec.submodule_search_locations if spec else None
    return [bundle for place in places or () for bundle in _in_folder(Path(place))]


def _in_folder(folder: Path) -> list[Bundle]:
    found = []
    # A folder of bundles, or a bundle itself.
    for description in [*folder.glob(DESCRIPTION), *sorted(folder.glob(f"*/{DESCRIPTION}"))]:
        try:
            bundle = Bundle(description.parent, json.loads(description.read_text(encoding="utf-8")))
            sound = bool(bundle.id) and len(bundle.tag) == 4 and bool(bundle.files)
        except (OSError, ValueError, KeyError, TypeError):
            sound = False
        if sound:
            found.append(bundle)
        else:
            warnings.warn(f"{description} does not describe a bundle of weights: it is left out", stacklevel=3)
    return found


@once()
def _verified(bundle: Bundle) -> None:
    bundle.verify()


def find(
    codec: str, tag: bytes | None = None, *, name: str | None = None,
    prefer: str | tuple[str, ...] | None = None, own: Path | None = None,
) -> Bundle:  # fmt: skip
    """A bundle for ``codec``, the first in order of preference that fits. It is verified once a process.

    Args:
        codec: id of the codec.
        tag: of the bundle that a file names, which may be in the archive; any that is not by default.
        name: id of the bundle, for a codec that has several; any by default.
        prefer: id of the bundle to take if several fit that lie in the same place, or ids, the best first.
        own: the folder of the package that the codec comes from, if it is not this one.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    known = [b for b in installed(own) if b.codec == codec]
    candidates = [b for b in known if tag in (None, b.tag) and name in (None, b.id)]
    if not candidates and tag is not None:
        candidates = [b for b in retired() if b.codec == codec and b.tag == tag]
    if not candidates:
        which = repr(name) if tag is None else tag.hex()
        what = "weights of" if tag is None and name is None else f"the weights {which} of"
        places = ", ".join(str(folder) for folder in search_folders(own))
        others = ", ".join(dict.fromkeys(b.id for b in known))
        there = f" (there are: {others})" if name and others else ""
        old = "" if tag is None else f"pip install --upgrade {ARCHIVE} for those of an older version, "
        new = "" if tag is None else " for those of a newer one"
        raise BundleError(
            f"{what} codec '{codec}' are not in {places}{there}; {old}upgrade the package{new}, or name their folder "
            f"in {ENVIRONMENT}"
        )
    place = candidates[0].path.parent
    wanted = (prefer,) if isinstance(prefer, str) else prefer or ()
    near = {b.id: b for b in reversed(candidates) if b.path.parent == place}
    found = next((near[name] for name in wanted if name in near), candidates[0])
    _verified(found)
    return found
