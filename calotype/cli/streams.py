# SPDX-License-Identifier: BSD-3-Clause
"""Bytes in and out: files, pipes, standard input and output."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

from ..errors import CalotypeError


def stand_in() -> None:
    """Give a standard stream that is closed the null device: the next file to be opened would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def read(source: Path | None) -> bytes:
    """All bytes of a file, or of standard input for None."""
    data = sys.stdin.buffer.read() if source is None else source.read_bytes()
    if not data:
        raise CalotypeError("it is empty: no bytes at all")
    return data


def source(path: Path | None) -> tuple[Path | io.BytesIO, int]:
    """Something that can be read in any order, which a pipe cannot, and its size in bytes."""
    if path is not None and path.is_file():
        return path, path.stat().st_size
    data = read(path)
    return io.BytesIO(data), len(data)


def is_closed_pipe(error: Exception) -> bool:
    """Whether nobody reads what is written to a pipe, of which Windows has no clear word."""
    unclear = os.name == "nt" and isinstance(error, OSError) and error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or unclear


def write(data: bytes) -> None:
    """Write to standard output, all of it."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        if is_closed_pipe(error):
            raise BrokenPipeError from error
        raise CalotypeError(f"cannot write to standard output: {error.strerror or error}") from error
