# SPDX-License-Identifier: BSD-3-Clause
"""Meaning of ``-o``: a file, a folder, standard output, or nothing said."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import typer

STREAM = "-"  # on the command line: standard input, standard output


class Place(Enum):
    """Kinds of destinations."""

    BESIDE = "beside each input"
    FILE = "into one file"
    FOLDER = "into a folder, which need not exist yet"
    STREAM = "to standard output"


@dataclass(frozen=True)
class Destination:
    """Destination of results; ``path`` belongs to a file or a folder."""

    kind: Place
    path: Path = Path()


def wrong(hint: str, message: str) -> typer.BadParameter:
    """Wrong usage of the option or argument ``hint``: to be raised, ends with exit code 2."""
    return typer.BadParameter(message, param_hint=f"'{hint}'")


def check_pipe(inputs: Collection[str]) -> None:
    """Refuse standard input among other inputs, or with a person at the other end.

    Raises:
        typer.BadParameter: says which.
    """
    if STREAM in inputs:
        if len(inputs) > 1:
            raise wrong("INPUT", "- (standard input) cannot be combined with other inputs")
        if sys.stdin.isatty():
            raise wrong("INPUT", "- reads standard input, and nothing is piped into it; name a file")


def is_single(inputs: Collection[str]) -> bool:
    """Whether one picture was named, rather than several or a folder."""
    return len(inputs) == 1 and not any(Path(name).is_dir() for name in inputs if name != STREAM)


def destination(
    output: str | None, inputs: Collection[str], *, suffixes: Collection[str], other: Collection[str] | None
) -> Destination:
    """Destination of the results of ``inputs`` for the option ``output``.

    Args:
        output: as written on the command line; a slash at the end makes it a folder.
        inputs: as written on the command line.
        suffixes: in lower case, with dots: what the name of an output file may end in.
        other: None if it may end in nothing else; otherwise the only suffixes that it may not end in.

    Raises:
        typer.BadParameter: the two do not fit together.
    """
    check_pipe(inputs)
    single = is_single(inputs)
    if output == STREAM or (output is None and STREAM in inputs):
        if not single:
            raise wrong("--output", "- (standard output) takes one picture; name a folder for several")
        if sys.stdout.isatty():
            raise wrong("--output", "a terminal cannot show the picture; pipe it on, or name a file with -o")
        return Destination(Place.STREAM)
    if output is None:
        return Destination(Place.BESIDE)
    if not output:
        raise wrong("--output", "the name is empty; name a file or a folder")
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return Destination(Place.FOLDER, path)
    suffix = path.suffix.lower()
    if not single:
        if path.exists() or suffix in suffixes:
            raise wrong("--output", f"{output} names a file, but there may be several outputs; name a folder")
        return Destination(Place.FOLDER, path)
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        return Destination(Place.FILE, path)  # a device or a pipe takes what it is given
    if suffix in suffixes or (other is not None and suffix not in other and (suffix or path.exists())):
        return Destination(Place.FILE, path)
    allowed = ", ".join(sorted(suffixes))
    raise wrong("--output", f"{output} is not a folder, and a file should end in {allowed}; a new folder is {output}/")


def keep_apart(inputs: Collection[str], place: Destination, example: str) -> None:
    """Refuse to put results where the next run would take them for inputs: beside those of a folder.

    Raises:
        typer.BadParameter: with ``example``, the name of a folder that would do.
    """
    folders = [Path(name) for name in inputs if Path(name).is_dir()]
    if folders and place.kind is Place.BESIDE:
        raise wrong("--output", f"name another folder for the results of {folders[0]}/, such as -o {example}/")
    if place.kind is Place.FOLDER and place.path.resolve() in [folder.resolve() for folder in folders]:
        raise wrong("--output", f"{place.path} is the folder of the pictures; name another for the results")


def check_json(as_json: bool, place: Destination) -> None:
    """Refuse two things on standard output. Raises typer.BadParameter."""
    if as_json and place.kind is Place.STREAM:
        raise wrong("--json", "standard output is taken by the picture; name a file with -o")
