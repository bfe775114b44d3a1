# SPDX-License-Identifier: BSD-3-Clause
"""``calotype`` and ``python -m calotype``: the command line."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line and exit.

    While it is imported there is nobody who could say a word: Ctrl-C ends the program at once, without a traceback.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not ignored, as in the background of a shell
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main as command_line

    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, before)
    command_line()


if __name__ == "__main__":
    main()
