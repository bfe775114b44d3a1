# SPDX-License-Identifier: BSD-3-Clause
"""Progress of a training run or an export: one line on a terminal, drawn over and over."""

from __future__ import annotations

import os
import shutil
import sys
import time

from ..arrays import Progress

WIDTH = 24  # of the bar
FINE = 1000  # steps of a progress that has parts
PAUSE = 0.25  # seconds between two drawings


def silent(done: int, total: int) -> None:
    """A progress that nobody watches."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """The progress of a piece of work that is the share from ``start`` to ``stop`` of the whole."""
    return lambda done, total: progress(round(FINE * (start + (stop - start) * done / max(total, 1))), FINE)


class ProgressLine:
    """The last line of a terminal. Where standard error is no terminal, nothing is drawn."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.drawn = 0.0  # when, by the monotonic clock; 0 while the line is clear

    def draw(self, done: float, total: float, facts: str) -> None:
        """A bar for ``done`` of ``total`` seconds, the time left, and ``facts``."""
        if not self.shown or time.monotonic() - self.drawn < PAUSE:
            return
        self._draw(done / total if total else 1.0, f"{clock(total - done)} left  {facts}")

    def count(self, done: int, total: int, facts: str) -> None:
        """A bar for ``done`` of ``total`` parts, which may take unlike times."""
        if not self.shown or time.monotonic() - self.drawn < PAUSE:
            return
        self._draw(done / total if total else 1.0, facts)

    def _draw(self, share: float, facts: str) -> None:
        bar = "=" * round(WIDTH * min(1.0, share))
        self._write(f"[{bar:<{WIDTH}}] {min(1.0, share):4.0%}  {facts}")
        self.drawn = time.monotonic()

    def clear(self) -> None:
        """Make room for a sentence."""
        if self.drawn:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()
            self.drawn = 0.0

    def _write(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r" + text[:width].ljust(width))  # blanks: older consoles of Windows know no escape sequences
        sys.stderr.flush()


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: ``1:02:03``, or ``02:03`` below one hour."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"
