# SPDX-License-Identifier: BSD-3-Clause
"""Record of outputs and their inputs: an output is done only if it was made from this very input, like this.

Beside the outputs of a run over several files lies a hidden file, ``.calotype-made``, with a line of JSON for each of
them. It holds no path and nothing of a picture: names and sizes of the outputs, and BLAKE2b hashes of the contents of
the input, of its path, and of the settings. It never travels within a picture. Who deletes it loses no picture: outputs
that it does not know are not taken for done, and stay until they may be overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from ..errors import CalotypeError, describe
from .names import shown

NAME = ".calotype-made"


@dataclass(frozen=True)
class Making:
    """Origin of an output; hashes, as hexadecimal digits."""

    source: str  # of the bytes of the input
    path: str  # of the place of the input
    settings: str  # of the command and its options


@dataclass(frozen=True)
class Receipt:
    """Record of one output."""

    file: str  # its name
    size: int  # bytes
    mtime_ns: int
    making: Making

    def is_of(self, there: os.stat_result) -> bool:
        """Whether the output is, by its size, what was made."""
        return self.size == there.st_size

    def is_untouched(self, there: os.stat_result) -> bool:
        """Whether nobody has written to the output since."""
        return self.is_of(there) and self.mtime_ns == there.st_mtime_ns


class Journal:
    """The records beside outputs, of any folders, each read once, and on when another run may have added some."""

    def __init__(self) -> None:
        self._found: dict[Path, dict[str, Receipt]] = {}  # by folder
        self._ends: dict[Path, int] = {}  # how many bytes of each were read
        self._lock = Lock()

    def find(self, folder: Path) -> dict[str, Receipt]:
        """The records in a folder, by the names of outputs."""
        with self._lock:  # several threads add to the same
            if folder not in self._found:
                self._found[folder] = {}
                self._read(folder)
            return self._found[folder]

    def of(self, target: Path) -> Receipt | None:
        """Record of an output."""
        return self.find(target.parent).get(target.name)

    def again(self, target: Path) -> Receipt | None:
        """Record of an output, which another run may have made since the records were read."""
        found = self.find(target.parent)
        with self._lock:
            self._read(target.parent)
        return found.get(target.name)

    def known(self, folder: Path) -> bool:
        """Whether records are kept in a folder."""
        return bool(self.find(folder))

    def add(self, target: Path, making: Making) -> None:
        """Note how the output that is there now was made. CalotypeError if that cannot be done."""
        try:
            there = target.stat()
            record = Receipt(target.name, there.st_size, there.st_mtime_ns, making)
            with open(target.parent / NAME, "ab+") as file:
                line = json.dumps(asdict(record)).encode("ascii") + b"\n"
                file.write(line if self._is_whole(file) else b"\n" + line)  # one: runs side by side do not mix theirs
        except OSError as error:
            raise CalotypeError(
                f"its output {shown(target)} is made, but not noted in {NAME} beside it ({describe(error)}): "
                "a later run will not know it"
            ) from error
        self.find(target.parent)[target.name] = record

    @staticmethod
    def _is_whole(file: BinaryIO) -> bool:
        """Whether the last line has an end; it has none where a full disk or a kill cut it."""
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

    def _read(self, folder: Path) -> None:
        """Read the records of a folder, or those that came since."""
        try:
            with open(folder / NAME, "rb") as file:
                file.seek(self._ends.get(folder, 0))
                lines = file.readlines()
        except OSError:
            return
        # A line that has no end is read again: another run may be writing it.
        self._ends[folder] = self._ends.get(folder, 0) + sum(len(line) for line in lines if line.endswith(b"\n"))
        for line in lines:
            try:
                found = json.loads(line)
                record = Receipt(**{**found, "making": Making(**found["making"])})
            except (ValueError, TypeError, KeyError):
                continue  # a line that was cut short, or of another version: that output is unknown
            self._found[folder][record.file] = record


def making(source: Path, settings: dict[str, Any]) -> Making:
    """Origin of an output of this input. Raises OSError if the input cannot be read."""
    with open(source, "rb") as file:
        contents = hashlib.file_digest(file, _blake2b).hexdigest()
    return Making(contents, place(source), _hash(json.dumps(settings, sort_keys=True, default=str).encode()))


def place(source: Path) -> str:
    """Hash of where a file lies."""
    return _hash(os.fsencode(os.path.realpath(source)))


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _blake2b() -> Any:
    return hashlib.blake2b(digest_size=16)
