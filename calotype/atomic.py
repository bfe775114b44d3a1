# SPDX-License-Identifier: BSD-3-Clause
"""Files that are either written whole or not at all.

What is written goes to a temporary name in the same folder, reaches the disk, and only then takes the place of the
target in one step. An interruption, an error or a full disk leaves the target as it was, and no debris.

    write_atomically(path, data)

    with atomic(path) as out:
        out.write(...)
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import CalotypeError

TEMPORARY_PREFIX = ".calotype-"  # hidden, so that nobody who walks the folder meanwhile takes it for a picture
WINDOWS = os.name == "nt"
PAUSES = (0.02, 0.1, 0.5) if WINDOWS else ()  # seconds between attempts to replace a file that another program has open


def write_atomically(path: str | os.PathLike[str], data: bytes, *, parents: bool = False) -> None:
    """Write ``data`` to ``path``, replacing what is there, or leave everything as it is.

    Args:
        path: the target. A symbolic link is followed: the file that it names is replaced. A device or a pipe is
            written to directly.
        data: the whole contents.
        parents: make the folders that are missing.

    Raises:
        CalotypeError: the target cannot be written; says why.
    """
    with atomic(path, parents=parents) as out:
        out.write(data)


@contextmanager
def atomic(path: str | os.PathLike[str], *, parents: bool = False) -> Iterator[BinaryIO]:
    """A binary file (seekable, readable) that becomes ``path`` when the block ends without an exception.

    Arguments and errors as for :func:`write_atomically`; the target keeps its permissions, a new one gets the usual.
    """
    try:
        mode = _mode(Path(path))
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder")  # Windows would speak of permissions
        if mode is not None and not stat.S_ISREG(mode):
            with open(path, "wb") as out:  # /dev/null or a named pipe: replacing it would destroy it
                yield out
            return
        target = Path(os.path.realpath(path))  # of /dev/stdout in a pipe, for one, it names nothing
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        if mode is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
        temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.tmp")
        try:
            with open(temporary, "x+b") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())  # or a power cut could leave the new name with nothing in it
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            _replace(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None:  # not from the operating system: Pillow uses OSError for what it cannot encode
            raise
        raise CalotypeError(f"cannot write {path}: {_reason(error, Path(path))}") from error


def _replace(temporary: Path, target: Path) -> None:
    """Windows refuses while a program has either file open, as virus scanners do for a moment: try a few times."""
    for pause in PAUSES:
        try:
            temporary.replace(target)
            return
        except PermissionError:
            time.sleep(pause)
    temporary.replace(target)


def _mode(path: Path) -> int | None:
    """Type and permissions of what is at ``path``; None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except ValueError as error:  # a zero byte, say
        raise OSError(errno.EINVAL, str(error)) from error


def _reason(error: OSError, path: Path) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "the disk is full; free some space or choose another place"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            in_use = ", or close the program that has it open" if WINDOWS else ""
            return f"no permission to write there; choose another place or change the permissions{in_use}"
        case errno.ENOENT if path.parent.is_dir():  # Windows says this of paths of 260 characters and more
            return "the path is too long; choose a shorter one"
        case errno.ENOENT:
            return "its folder does not exist; make the folder first"
        case errno.ENOTDIR | errno.EEXIST:
            return "a part of this path is a file, not a folder; choose another place"
        case errno.EISDIR:
            return "it is a folder; name a file"
        case errno.ENAMETOOLONG:
            return "the name is too long; choose a shorter one"
        case errno.EINVAL:
            return "such a name is not allowed there; choose another"
        case _:
            return error.strerror or type(error).__name__
