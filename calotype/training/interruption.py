# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C and requests to end, put off until a state of training is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # a terminal that closes: SIGHUP, on Windows SIGBREAK


class Interruption:
    """Whether a signal has asked to stop. The first one only asks; the next one acts at once, as it did before.

    Signals that were ignored stay ignored (``nohup``), and outside the main thread nothing changes.
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def number(self) -> int:
        """Of the signal that asked; 0 for none."""
        return 0 if self.asked is None else int(self.asked)

    def follow(self, number: int) -> None:
        """Stop as if the signal ``number`` had come here: it came to a process that trains with this one."""
        if number and self.asked is None:
            self._ask(number, None)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Put signals off within the block; leaving it, act on the one that asked, as its handler did before."""
        self._catch()
        try:
            yield
        finally:
            self._restore()
        if self.asked is not None:
            signal.raise_signal(self.asked)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within this block inside :meth:`put_off`, signals act at once: nothing could be lost."""
        self._restore()
        try:
            yield
        finally:
            self._catch()

    def _catch(self) -> None:
        if self.asked is not None or threading.current_thread() is not threading.main_thread():
            return
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            before = signal.getsignal(number)
            if before is not None and before != signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._ask)

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def _ask(self, number: int, frame: object) -> None:
        self.asked = signal.Signals(number)
        self._restore()
