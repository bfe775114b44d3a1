# SPDX-License-Identifier: BSD-3-Clause
"""What an album shows: the ``.calo`` files below a folder, and the originals beside them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..container import EXTENSION, HEADER_BYTES, read_header
from ..errors import CalotypeError, PictureError

ORIGINALS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp")  # what browsers show, in order of preference
SEPARATORS = {os.sep, os.altsep or os.sep, "\0"}  # what no name holds


@dataclass(frozen=True)
class Item:
    """One file of an album."""

    path: str  # from the album's folder, with slashes
    size: int  # bytes
    modified: float  # seconds since 1970
    width: int  # pixels; 0 if the file is damaged
    height: int
    codec: str
    quality: float  # 1 to 100
    original: str | None  # path of the picture beside it
    original_size: int
    problem: str | None = None  # what is wrong with the file

    @property
    def record(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)


class Album:
    """The files below a folder, or a single one.

    Attributes:
        root: the folder; nothing outside of it is ever read.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise PictureError(f"there is no file or folder {path}")
        self.single = None if path.is_dir() else path.name
        self.root = (path if self.single is None else path.parent).resolve()

    def items(self) -> Iterator[Item]:
        """All files, folder by folder, sorted by name; hidden ones and links to folders are passed over."""
        if self.single is not None:
            yield self.item(self.root, self.single, frozenset(path.name for path in self.root.iterdir()))
            return
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            there = frozenset(names)
            for name in sorted(names):
                if name.lower().endswith(EXTENSION) and not name.startswith("."):
                    yield self.item(Path(folder), name, there)

    def item(self, folder: Path, name: str, names: frozenset[str]) -> Item:
        """What the page needs to know of one file; damage is told, not raised."""
        path = folder / name
        where = PurePosixPath(folder.relative_to(self.root))
        address = os.fsencode(str(where / name)).decode("utf-8", "replace")  # which a browser asks for
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # a pipe may never end
                raise PictureError("it is not a file")
            if path.is_symlink() and not path.resolve().is_relative_to(self.root):
                raise PictureError("it is a link to a file outside of the album, which is not shown")
            if address != str(where / name):
                raise PictureError("its name is not UTF-8, so that no address leads to it")
            with path.open("rb") as file:
                header = read_header(file.read(HEADER_BYTES))
        except (CalotypeError, OSError) as error:
            problem = str(error) if isinstance(error, CalotypeError) else (error.strerror or "it cannot be read")
            return Item(address, 0, 0.0, 0, 0, "", 0.0, None, 0, problem)
        stem = name[: -len(EXTENSION)]
        possible = [stem + s for suffix in ORIGINALS for s in (suffix, suffix.upper())]
        possible[:0] = [stem] if stem.lower().endswith(ORIGINALS) else []  # a.png.calo, where an a.jpg was, too
        beside = next((name for name in possible if name in names), None)
        try:
            original_size = (folder / beside).stat().st_size if beside else 0
        except OSError:
            beside, original_size = None, 0
        return Item(
            path=address, size=status.st_size, modified=status.st_mtime, width=header.width,
            height=header.height, codec=header.codec, quality=header.quality / 256,
            original=str(where / beside) if beside else None, original_size=original_size,
        )  # fmt: skip

    def find(self, path: str) -> Path | None:
        """The file at a path that a browser asks for; None if it is not a picture within the folder."""
        parts = PurePosixPath(path).parts
        if not parts or any(part.startswith(".") or SEPARATORS & set(part) for part in parts):
            return None
        if not parts[-1].lower().endswith((EXTENSION, *ORIGINALS)):
            return None
        try:
            found = self.root.joinpath(*parts).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return found if found.is_relative_to(self.root) and found.is_file() else None
