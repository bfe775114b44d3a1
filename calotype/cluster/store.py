# SPDX-License-Identifier: BSD-3-Clause
"""Folders here and in object stores, behind one interface: fsspec's.

A file appears whole: here by a temporary file that takes its name, in an object store by one PUT (or one multipart
upload, which shows nothing before it is complete).
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from ..atomic import TEMPORARY_PREFIX, atomic, write_atomically
from ..errors import CalotypeError, DependencyError, describe

PACKAGES = ("ray", "pyarrow", "fsspec")
NEEDED = "calotype batch needs Ray Data, PyArrow and fsspec: pip install 'calotype[cluster]'"
VERSIONS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "updated")  # what file systems know, the best first


class Stored(NamedTuple):
    """A file in a listing."""

    name: str
    size: int  # bytes
    version: str  # changes when the file does


def check_installed() -> None:
    """Refuse to begin without the packages that a run needs. Raises DependencyError."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise DependencyError(f"{NEEDED} (not there: {', '.join(missing)}; Ray has no wheels for the newest Python)")


@dataclass(frozen=True)
class Store:
    """A folder, or a single file.

    Attributes:
        url: a path, or a URL of fsspec: ``s3://bucket/folder``. Credentials and endpoints come from where the libraries
            of the store look for them, the environment or their own files.
    """

    url: str

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            import fsspec
        except ImportError as error:
            raise DependencyError(NEEDED) from error
        if self.url.startswith("memory:"):
            raise CalotypeError("memory:// is not shared between processes: name a folder or an object store")
        try:
            fs, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ImportError as error:
            raise DependencyError(f"{self.url} needs another package: {error}") from error
        except ValueError as error:
            raise CalotypeError(f"{self.url}: {error}") from error
        if "file" in _protocols(fs):  # by another name for the source, a run would write over it
            path = Path(root)
            root = path.parent.resolve() / path.name if path.is_file() else path.resolve()
        return fs, str(root).rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether it is in the file system of this machine."""
        return "file" in _protocols(self._opened[0])

    @property
    def root(self) -> str:
        """Its path, without the scheme."""
        return self._opened[1]

    def path(self, name: str) -> str:
        """The path of a file inside; the place itself for an empty name."""
        return f"{self.root}/{name}" if name else self.root

    def is_file(self) -> bool:
        """Whether it is a single file."""
        return bool(self._opened[0].isfile(self.root))

    def exists(self) -> bool:
        """Whether there is anything."""
        return bool(self._opened[0].exists(self.root))

    def ignores_case(self) -> bool:
        """Whether ``a`` and ``A`` are one file here, as on macOS, Windows and most cards; tried with a hidden file."""
        if not self.is_local:
            return False
        root = Path(self.root)
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(prefix=TEMPORARY_PREFIX, suffix=".tmp", dir=root) as file:
                return root.joinpath(Path(file.name).name.upper()).exists()
        except OSError:
            return False  # who writes there will be told
        finally:
            with suppress(OSError):
                for folder in missing:
                    folder.rmdir()

    def entry(self, name: str) -> Stored:
        """One file. Raises OSError."""
        return _entry(name, self._opened[0].info(self.path(name)))

    def folders(
        self, skip: str = "", problems: list[tuple[str, str]] | None = None, ignored: Counter[str] | None = None
    ) -> Iterator[tuple[str, list[Stored]]]:
        """Each folder inside, as a path from here, with its files by name; hidden ones are passed over.

        Args:
            skip: a path not to descend into: that of the outputs.
            problems: takes folders that cannot be listed, and why; CalotypeError for the first of them without it,
                and for this folder itself.
            ignored: counts links to folders, which could lead in a circle, and pipes and devices, which may never end.
        """
        passed_over = Counter[str]() if ignored is None else ignored
        waiting = [""]
        while waiting:
            here = waiting.pop()
            try:
                below, files = self._list(here, passed_over)
            except CalotypeError as error:
                if problems is None or not here:
                    raise
                problems.append((here, str(error)))
                continue
            inside = [f"{here}/{name}".lstrip("/") for name in sorted(below, reverse=True)]
            waiting += [folder for folder in inside if self.path(folder) != skip]
            yield here, sorted(files)

    def _list(self, folder: str, ignored: Counter[str]) -> tuple[list[str], list[Stored]]:
        """Names of folders, and files."""
        folders, files = [], []
        if self.is_local:
            try:
                found = list(os.scandir(self.path(folder) or "/"))
            except OSError as error:
                raise CalotypeError(f"cannot list {self.path(folder)}: {describe(error)}") from error
            for item in found:
                if item.name.startswith(("_manifest", ".")):
                    continue
                try:
                    facts = item.stat()
                except OSError:  # a link that leads nowhere, or a file that is gone meanwhile: who reads it is told
                    files.append(Stored(item.name, 0, ""))
                    continue
                if stat.S_ISREG(facts.st_mode):
                    files.append(Stored(item.name, facts.st_size, str(facts.st_mtime_ns)))
                elif not stat.S_ISDIR(facts.st_mode):
                    ignored["special files"] += 1
                elif item.is_symlink():
                    ignored["linked folders"] += 1
                else:
                    folders.append(item.name)
            return folders, files
        for facts in self._opened[0].ls(self.path(folder), detail=True):
            name = str(facts["name"]).rstrip("/").rpartition("/")[2]
            if name.startswith(("_manifest", ".")) or str(facts["name"]).rstrip("/") == self.path(folder):
                continue
            if facts["type"] == "directory":
                folders.append(name)
            else:
                files.append(_entry(name, facts))
        return folders, files

    def read(self, name: str) -> bytes:
        """All bytes of a file."""
        return cast(bytes, self._opened[0].cat_file(self.path(name)))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read, from any place in it."""
        with self._opened[0].open(self.path(name), "rb") as file:
            yield file

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole. CalotypeError if that cannot be done."""
        if self.is_local:
            write_atomically(self.path(name), data, parents=True)
            return
        with _storing(self.path(name)):
            self._opened[0].pipe_file(self.path(name), data)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file of any size that appears when the block ends without an exception."""
        if self.is_local:
            with atomic(self.path(name), parents=True) as out:
                yield out
            return
        with tempfile.NamedTemporaryFile(prefix=TEMPORARY_PREFIX) as out:
            yield cast(BinaryIO, out)
            out.flush()
            with _storing(self.path(name)):
                self._opened[0].put_file(out.name, self.path(name))

    def remove(self, name: str) -> None:
        """Delete a file, which may be gone already."""
        try:
            self._opened[0].rm_file(self.path(name))
        except FileNotFoundError:
            return

    def sweep(self) -> None:
        """Delete temporary files that a killed process has left behind; an object store has none."""
        if self.is_local and Path(self.root).is_dir():
            for folder, _, names in os.walk(self.root):
                for name in names:
                    if name.startswith(TEMPORARY_PREFIX) and name.endswith(".tmp"):
                        Path(folder, name).unlink(missing_ok=True)


def _protocols(fs: Any) -> tuple[str, ...]:
    """Names of what a file system of fsspec speaks."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _entry(name: str, facts: dict[str, Any]) -> Stored:
    version = next((facts[key] for key in VERSIONS if facts.get(key) is not None), "")
    return Stored(name, int(facts["size"] or 0), str(version))


@contextmanager
def _storing(path: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of any library
        raise CalotypeError(f"cannot write {path}: {describe(error)}") from error
