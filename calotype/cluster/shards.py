# SPDX-License-Identifier: BSD-3-Clause
"""WebDataset shards: a tar in, a tar out, with each picture in its place among the captions and labels.

A picture keeps its key: ``0001.jpg`` becomes ``0001.calo``. A bad one is left out, and has a row with its error, and
so is a link. All other files stay as they are.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import IO

from ..errors import CalotypeError
from .attempts import Attempts
from .listing import Piece, renamed
from .store import Store

BLOCK = 512  # bytes
LINK = (
    "it is a link to another member, which a shard cannot keep: make the tar with tar --dereference --hard-dereference"
)


def convert(
    source: Store, destination: Store, item: Piece, attempts: Attempts, suffixes: Collection[str], suffix: str
) -> None:
    """Make one shard of another; a shard that cannot be read to its end is not made, and its row says why."""
    try:
        with source.open(item.source) as file, destination.writing(item.output) as out:
            _check_end(file)
            with tarfile.open(fileobj=out, mode="w|") as new:
                for member, data in _converted(file, item, attempts, suffixes, suffix):
                    new.addfile(member, io.BytesIO(data))
            size = out.tell()
    except (tarfile.TarError, EOFError, OSError) as error:
        attempts.rows.clear()
        attempts.make(item, CalotypeError(f"it is not a tar that can be read to its end: {error}"))
        return
    attempts.add(item, bytes=size)


def _check_end(file: IO[bytes]) -> None:
    """TarError if a tar lacks the block of zeros at its end: it was cut, which tarfile does not always say."""
    if file.seek(0, 2) < BLOCK:
        raise tarfile.ReadError("it is shorter than a block")
    file.seek(-BLOCK, 2)
    if file.read(BLOCK).strip(b"\0"):
        raise tarfile.ReadError("it is cut")
    file.seek(0)


def _converted(
    file: IO[bytes], item: Piece, attempts: Attempts, suffixes: Collection[str], suffix: str
) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=file, mode="r|") as old:
        for sample in _samples(old):
            names = [_parted(member.name)[1] for member, _ in sample]
            pictures = [name for name in names if PurePosixPath(name).suffix.lower() in suffixes]
            short = renamed(pictures, suffix, [name for name in names if name not in pictures])
            for member, data in sample:
                folder, last = _parted(member.name)
                if data is None:
                    attempts.make(item, CalotypeError(LINK), member=member.name, output=f"{item.output}/{member.name}")
                    continue
                if last not in short:
                    yield member, data
                    continue
                name = folder + short[last]
                made = attempts.make(item, data, member=member.name, output=f"{item.output}/{name}")
                if made is not None:
                    member.name, member.size, member.pax_headers = name, len(made), {}
                    yield member, made


def _parted(name: str) -> tuple[str, str]:
    """The folder, with its slash and as it is written, for it is part of the key; and the last part."""
    folder, slash, last = name.rpartition("/")
    return folder + slash, last


def _samples(tar: tarfile.TarFile) -> Iterator[list[tuple[tarfile.TarInfo, bytes | None]]]:
    """Files that follow each other and share a key: the name up to the first dot of its last part. A link is None."""
    sample: list[tuple[tarfile.TarInfo, bytes | None]] = []
    before = ""
    for member in tar:
        file = tar.extractfile(member) if member.isfile() else None
        if file is None and not (member.islnk() or member.issym()):
            continue
        folder, name = _parted(member.name)
        key = folder + name.partition(".")[0]
        if sample and key != before:
            yield sample
            sample = []
        before = key
        sample.append((member, None if file is None else file.read()))
    if sample:
        yield sample
