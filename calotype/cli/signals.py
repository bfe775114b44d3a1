# SPDX-License-Identifier: BSD-3-Clause
"""A request to end is an exception, so that temporary files are removed on the way out."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def die_cleanly() -> None:
    """Turn SIGTERM and a closed terminal into an orderly exit with 128 + the signal's number."""
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # a terminal that closes: SIGHUP, on Windows SIGBREAK
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP on purpose
            signal.signal(number, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
