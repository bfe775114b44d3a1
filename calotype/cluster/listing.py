# SPDX-License-Identifier: BSD-3-Clause
"""From a source to units of work, folder by folder: nobody holds a list of everything.

::

    a/b.png        a file; several make a unit
    a/set.tar      a WebDataset shard: a unit; its output is a shard of the same name
    a/set.parquet  a table: each row group is a unit; its output is a table, one for each row group

"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import PurePosixPath

from ..errors import CalotypeError
from .store import Store, Stored

TAR, TABLE = ".tar", ".parquet"
MOST_FILES = 64  # of a unit: what a lost worker costs
MOST_BYTES = 32_000_000  # of the files of a unit, which are read ahead


@dataclass(frozen=True)
class Piece:
    """A file to work on, or a row group of one."""

    source: str  # path from the source; empty if the source is this file
    output: str  # path from the destination
    size: int  # bytes
    version: str
    group: int = -1  # of a table

    @property
    def key(self) -> bytes:
        """What it is called, in 16 bytes."""
        return digest(f"{self.source}\0{self.group}")


@dataclass(frozen=True)
class Unit:
    """What an actor does at a time. Its kind is that of its only file, or empty: files of pictures."""

    kind: str
    items: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes of input."""
        return sum(item.size for item in self.items)

    @property
    def id(self) -> str:
        """The same for the same work."""
        return digest("\0".join(f"{i.source}\0{i.group}\0{i.version}" for i in self.items)).hex()

    def to_json(self) -> str:
        """As text, for the way to an actor."""
        return json.dumps([self.kind, [list(asdict(item).values()) for item in self.items]])

    @classmethod
    def from_json(cls, text: str) -> Unit:
        """The unit of that text."""
        kind, items = json.loads(text)
        return cls(kind, tuple(Piece(*values) for values in items))


@dataclass
class Listing:
    """The items of a source, in the order of their names.

    Attributes:
        source: where they are.
        suffixes: of pictures, in lower case, with dots.
        suffix: of outputs, with its dot.
        skip: path of the outputs, if it may lie inside the source.
        ignored: kinds of files that are no pictures, and linked folders, counted while the items come.
        problems: folders that cannot be listed and tables that cannot be read, and why, noted while the items come.
    """

    source: Store
    suffixes: Collection[str]
    suffix: str
    skip: str = ""
    ignored: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, Piece]]:
        """Kinds and items."""
        if self.source.is_file():
            name = PurePosixPath(self.source.root).name
            yield from self._items("", [self.source.entry("")._replace(name=name)], single=True)
        elif not self.source.exists():
            raise CalotypeError(f"{self.source.url}: there is no such file or folder")
        else:
            for folder, files in self.source.folders(self.skip, self.problems, self.ignored):
                yield from self._items(folder, files)

    def _items(self, folder: str, files: list[Stored], single: bool = False) -> Iterator[tuple[str, Piece]]:
        before = f"{folder}/" if folder else ""
        pictures = [file.name for file in files if PurePosixPath(file.name).suffix.lower() in self.suffixes]
        outputs = renamed(pictures, self.suffix)
        for name, size, version in files:
            source = "" if single else f"{before}{name}"
            kind = PurePosixPath(name).suffix.lower()
            if name in outputs:
                yield "", Piece(source, f"{before}{outputs[name]}", size, version)
            elif kind == TAR:
                yield TAR, Piece(source, f"{before}{name}", size, version)
            elif kind == TABLE:
                yield from ((TABLE, item) for item in self._groups(source, before, name, size, version))
            else:
                self.ignored[kind or "files without suffix"] += 1

    def _groups(self, source: str, before: str, name: str, size: int, version: str) -> Iterator[Piece]:
        import pyarrow.parquet as pq

        try:
            with self.source.open(source) as file:
                groups = pq.ParquetFile(file).metadata.num_row_groups
        except Exception as error:  # PyArrow's share no base class
            self.problems.append((source or name, f"it is not a Parquet file that can be read: {error}"))
            return
        stem = name.removesuffix(PurePosixPath(name).suffix)
        for group in range(groups):
            output = name if groups == 1 else f"{stem}-{group:05}-of-{groups:05}{TABLE}"
            yield Piece(source, f"{before}{output}", size // groups, version, group)


def renamed(names: Collection[str], suffix: str, others: Collection[str] = ()) -> dict[str, str]:
    """Each name with another suffix; those that would meet keep theirs before it: ``a.png.calo``, ``a.jpg.calo``.

    They meet on any file system: ``a.calo`` and ``A.calo`` are one file on macOS and Windows. ``others`` are names that
    stay as they are.
    """
    others = {folded(name) for name in others}
    chosen = {name: f"{PurePosixPath(name).stem}{suffix}" for name in names}
    while True:  # a whole name may meet a short one in turn: a.png, a.jpg and a.png.jpg
        seen = {name: folded(new) for name, new in chosen.items()}
        meeting = Counter(seen.values())
        clashes = [n for n in chosen if (meeting[seen[n]] > 1 or seen[n] in others) and chosen[n] != f"{n}{suffix}"]
        if not clashes:
            return chosen
        chosen |= {name: f"{name}{suffix}" for name in clashes}


def folded(name: str) -> str:
    """The same for all names that a file system without regard to case may take for one."""
    return unicodedata.normalize("NFC", name).casefold()


def units(items: Iterator[tuple[str, Piece]], most_files: int = MOST_FILES) -> Iterator[Unit]:
    """Items together as units of bearable size."""
    files: list[Piece] = []
    weight = 0
    for kind, item in items:
        if kind:
            yield Unit(kind, (item,))
            continue
        if files and (len(files) == most_files or weight + item.size > MOST_BYTES):
            yield Unit("", tuple(files))
            files, weight = [], 0
        files.append(item)
        weight += item.size
    if files:
        yield Unit("", tuple(files))


def storable(name: str) -> str:
    """A name as UTF-8 holds it: bytes in it that are no text become what Python writes for them, ``\\udcff``."""
    return name.encode("utf-8", "backslashreplace").decode()


def digest(text: str) -> bytes:
    """16 bytes that stand for a text, and for what :func:`storable` makes of it."""
    return blake2b(storable(text).encode(), digest_size=16).digest()
