# SPDX-License-Identifier: BSD-3-Clause
"""Pillow kept within bounds: our limit of pixels instead of its own, and one sentence for its many exceptions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from ..container import MAX_PIXELS
from ..errors import CalotypeError, CalotypeWarning, PictureError

_limit_lock = threading.Lock()
_limit_users = 0
_limit_before: int | None = None


@contextmanager
def pillow_limit(pixels: int = MAX_PIXELS) -> Iterator[None]:
    """Let Pillow read up to MAX_PIXELS without a warning (it warns at a third of that), in any number of threads.

    The limit is that of the whole process, and guards what other threads read: a picture that is known to have no more
    ``pixels`` than it allows leaves it as it is.
    """
    global _limit_users, _limit_before
    with _limit_lock:
        limit = _limit_before if _limit_users else Image.MAX_IMAGE_PIXELS
        needed = pixels == MAX_PIXELS or (limit is not None and pixels > limit)
    if not needed:
        yield
        return
    with _limit_lock:
        if _limit_users == 0:
            _limit_before = Image.MAX_IMAGE_PIXELS
            Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        _limit_users += 1
    try:
        yield
    finally:
        with _limit_lock:
            _limit_users = max(_limit_users - 1, 0)
            if _limit_users == 0:
                Image.MAX_IMAGE_PIXELS = _limit_before


def _after_fork() -> None:
    """Threads that read while the process forked are not in the child, and would never lower the limit again."""
    global _limit_lock, _limit_users
    _limit_lock = threading.Lock()
    if _limit_users:
        _limit_users, Image.MAX_IMAGE_PIXELS = 0, _limit_before


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises into a PictureError of one sentence; ``name`` is what it calls the picture."""
    try:
        yield
    except (CalotypeError, CalotypeWarning):  # a warning where the caller made errors of them
        raise
    except FileNotFoundError as error:
        raise PictureError(f"cannot read {name}: no such file") from error
    except UnidentifiedImageError as error:
        raise PictureError(f"cannot read {name}: not a picture in a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"cannot read {name}: it has more than {MAX_PIXELS} pixels") from error
    except MemoryError as error:
        raise PictureError(f"cannot read {name}: not enough memory") from error
    except OSError as error:
        raise PictureError(f"cannot read {name}: {reason(error)}") from error
    except Exception as error:  # damaged files make Pillow's readers raise SyntaxError, ValueError, struct.error, ...
        raise PictureError(f"cannot read {name}: damaged or unsupported ({first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or the exception's name if it has none."""
    said = str(error).strip()
    if not said and isinstance(error, AssertionError):
        return "its parts contradict each other, or one is missing"
    return (said or type(error).__name__).splitlines()[0]


def reason(error: OSError) -> str:
    """Reason given by the operating system, or else by Pillow."""
    if error.strerror:
        return error.strerror.lower()
    said = first_line(error)
    return f"{said}: a part of it is missing, fetch or copy it anew" if "truncated" in said.lower() else said
