# SPDX-License-Identifier: BSD-3-Clause
"""Warnings of the work on each file, such as lost tiles or metadata that is left out, when several are worked on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_told: ContextVar[list[str] | None] = ContextVar("told", default=None)


@contextmanager
def heeding() -> Iterator[None]:
    """Let :func:`heard` work inside this, which the main thread enters: the machinery of warnings is global."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        usual = warnings.showwarning

        def hear(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            told = _told.get()
            if told is None:
                usual(message, category, *place, **more)
            elif issubclass(category, UserWarning) and str(message) not in told:
                told.append(str(message))

        warnings.showwarning = hear
        yield


@contextmanager
def heard(told: list[str]) -> Iterator[None]:
    """Collect the sentences of this thread, and of those that work for it, each once; other kinds are passed over."""
    before = _told.set(told)
    try:
        yield
    finally:
        _told.reset(before)
