# SPDX-License-Identifier: BSD-3-Clause
"""From what was named on the command line to the files to work on."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..container import EXTENSION
from ..errors import describe

# What Pillow opens and people keep photographs and drawings in. A file of any other kind can be named itself.
PICTURE_SUFFIXES = frozenset({
    ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".j2c", ".j2k", ".jfif", ".jp2",
    ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".pbm", ".pcx", ".pgm", ".png",
    ".pnm", ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif", ".tiff", ".webp",
})  # fmt: skip
CALOTYPE_SUFFIXES = frozenset([EXTENSION])


@dataclass(frozen=True)
class Source:
    """A file to work on."""

    path: Path
    root: Path | None = None  # the folder in which it was found; None for a file that was named itself


@dataclass
class Finds:
    """Files found in the inputs."""

    files: list[Source] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)  # (name, what is wrong)
    ignored: Counter[str] = field(default_factory=Counter)  # kinds of files in folders that are no pictures


def find(inputs: Sequence[Path], suffixes: Collection[str], *, skip: Path | None = None) -> Finds:
    """The files among ``inputs`` and, recursively, in the folders among them, sorted by name, each once.

    In folders, hidden files and folders are passed over, links to folders are not followed (so no loop is), and
    files with other suffixes, pipes and devices are counted by kind.

    Args:
        inputs: files and folders.
        suffixes: in lower case, with dots: the files to pick from folders.
        skip: a folder not to descend into: that of the outputs, where it lies inside an input.
    """
    finds = Finds()
    seen: set[tuple[str, str, str | None]] = set()
    real = cache(os.path.realpath)  # looks at a folder once
    for path in inputs:
        if not path.is_dir():
            candidates: Iterator[Source] = iter([Source(path)])
        else:
            candidates = _walk(path, suffixes, skip, finds)
        for found in candidates:
            key = real(found.path.parent), found.path.name, real(found.root) if found.root else None
            if key not in seen:
                seen.add(key)
                finds.files.append(found)
    return finds


def _walk(root: Path, suffixes: Collection[str], skip: Path | None, finds: Finds) -> Iterator[Source]:
    def unreadable(error: OSError) -> None:
        finds.problems.append((str(error.filename), describe(error)))

    for folder, folders, names in os.walk(root, onerror=unreadable):
        here = Path(folder)
        outputs = {name for name in folders if _same(here / name, skip)}
        finds.ignored["folders of the outputs"] += len(outputs)
        links = {name for name in folders if _is_link(here / name)}
        finds.ignored["linked folders"] += len(links)
        folders[:] = sorted(
            name for name in folders if name not in links and not name.startswith(".") and name not in outputs
        )
        for name in sorted(names):
            path = here / name
            if name.startswith("."):
                continue
            if path.suffix.lower() in suffixes:
                if _is_special(path):
                    finds.ignored["special files"] += 1
                else:
                    yield Source(path, root)
            else:
                finds.ignored[path.suffix.lower() or "files without suffix"] += 1


def _is_link(path: Path) -> bool:
    """Whether a folder is a symbolic link, or a junction of Windows."""
    try:
        status = path.lstat()
    except OSError:
        return False
    junction = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)  # Python 3.11 has no isjunction, and walks into them
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == junction


def _is_special(path: Path) -> bool:
    """Whether it is a pipe or a device, which may never end. A link that leads nowhere is a problem to tell."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _same(path: Path, other: Path | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False
