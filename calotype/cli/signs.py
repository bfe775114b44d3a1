# SPDX-License-Identifier: BSD-3-Clause
"""What terminals and pipes get that cannot take our signs, such as those of Windows outside of its terminal."""

from __future__ import annotations

import codecs
import io
import sys

PLAIN = {"→": "->", "−": "-", "×": "x", "…": "~", "–": "-"}


def plain(error: UnicodeError) -> tuple[str, int]:
    """A handler of encoding errors: signs of the same meaning, and the number of any other letter (``\\u65e5``)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in letters), error.end


def allow_plain_signs() -> None:
    """Let standard output and standard error take everything: a name that they cannot show must not end the program."""
    codecs.register_error("calotype", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="calotype")
