# SPDX-License-Identifier: BSD-3-Clause
"""What is costly to load, loaded once however many threads ask for it at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, lru_cache
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Once(Generic[P, T]):
    """A function with a cache like ``functools.lru_cache``, whose second caller waits for the first to have loaded.

    A child process has a lock of its own: the parent's may have been held by a thread that it does not have.
    """

    def __init__(self, function: Callable[P, T], maxsize: int | None) -> None:
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._kept = lru_cache(maxsize)(function)
        self.cache_clear = self._kept.cache_clear
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """From the cache, or made."""
        with self._lock:
            return self._kept(*arguments, **named)  # type: ignore[arg-type]  # its arguments only have to be hashable

    def _renew(self) -> None:
        self._lock = RLock()


def once(maxsize: int | None = None) -> Callable[[Callable[P, T]], Once[P, T]]:
    """Keep what a function makes, of the ``maxsize`` last sets of arguments."""
    return lambda function: Once(function, maxsize)


def cached_attribute(function: Callable[[Any], T]) -> cached_property[T]:
    """``functools.cached_property``, of which Python 3.11 has a lock: a child process gets its own."""
    made = cached_property(function)
    if "lock" in vars(made) and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: vars(made).update(lock=RLock()))
    return made
