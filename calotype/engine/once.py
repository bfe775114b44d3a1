# SPDX-License-Identifier: BSD-3-Clause
"""What is costly to load, loaded once however many threads ask for it at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from functools import cached_property, lru_cache
from pathlib import Path
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Once(Generic[P, T]):
    """A function with a cache like ``functools.lru_cache``, whose second caller waits for the first to have loaded.

    A child process has a lock of its own: the parent's may have been held by a thread that it does not have.
    """

    def __init__(self, function: Callable[P, T], maxsize: int | None, state: Callable[..., Hashable] | None) -> None:
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._state = state
        self._kept = lru_cache(maxsize)(lambda _, *arguments, **named: function(*arguments, **named))
        self.cache_clear = self._kept.cache_clear
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """From the cache, or made."""
        with self._lock:
            state = self._state and self._state(*arguments, **named)
            return self._kept(state, *arguments, **named)  # type: ignore[arg-type]  # they only have to be hashable

    def _renew(self) -> None:
        self._lock = RLock()


def once(
    maxsize: int | None = None, *, state: Callable[..., Hashable] | None = None
) -> Callable[[Callable[P, T]], Once[P, T]]:
    """Keep what a function makes, of the ``maxsize`` last sets of arguments, and of the ``state`` of what they name."""
    return lambda function: Once(function, maxsize, state)


def file_state(path: Path, *_: object, **__: object) -> tuple[int, ...]:
    """State of the file in the first argument: another one when another file has taken its place."""
    try:
        found = path.stat()
    except OSError:
        return ()  # who opens it will say so
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def cached_attribute(function: Callable[[Any], T]) -> cached_property[T]:
    """``functools.cached_property``, of which Python 3.11 has a lock: a child process gets its own."""
    made = cached_property(function)
    if "lock" in vars(made) and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: vars(made).update(lock=RLock()))
    return made
