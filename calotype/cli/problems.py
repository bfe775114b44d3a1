# SPDX-License-Identifier: BSD-3-Clause
"""Errors as one sentence on standard error; never a traceback."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from ..errors import describe
from .names import shown
from .streams import is_closed_pipe

P = ParamSpec("P")


def complain(label: str, message: str) -> str:
    """The line for a problem with ``label``, which the message need not repeat."""
    message = shown(message).removeprefix(f"cannot read {label}: ")
    return f"calotype: {label}: {message}" if label else f"calotype: {message}"


def say(label: str, message: str) -> None:
    """Print a problem in red."""
    from .screen import emit, errors

    emit(errors(), complain(label, message), "red")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """A command that ends with a sentence and an exit code whatever happens inside."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except KeyboardInterrupt:
            say("", "interrupted; no file was left half-written")
            raise typer.Exit(130) from None
        except Exception as error:
            if is_closed_pipe(error):  # whoever read standard output has seen enough: no reason to say anything
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again at exit
                raise typer.Exit(1) from None
            say(_file(error), describe(error))
            raise typer.Exit(1) from error

    return run


def _file(error: Exception) -> str:
    """The file that the operating system complains of; empty if it names none."""
    name = error.filename if isinstance(error, OSError) else None
    return shown(os.fsdecode(name)) if isinstance(name, str | bytes) else ""  # a number is a descriptor
