# SPDX-License-Identifier: BSD-3-Clause
"""Errors as one sentence on standard error; never a traceback."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from ..errors import CalotypeError
from .names import shown

TRACEBACK = "CALOTYPE_TRACEBACK"  # environment variable: show where an unexpected error came from
P = ParamSpec("P")


def describe(error: Exception) -> str:
    """A sentence for ``error``. One that nobody foresaw is named by its type, and shown in full when asked for."""
    match error:
        case CalotypeError():
            return str(error)
        case FileNotFoundError():
            return "there is no such file or folder"
        case PermissionError():
            return "permission denied"
        case OSError(strerror=str(reason)):
            return reason[:1].lower() + reason[1:]
        case MemoryError():
            return "not enough memory for this picture"
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error, file=sys.stderr)
        return f"unexpected {type(error).__name__}: {error}"
    return f"unexpected {type(error).__name__}: {error} (set {TRACEBACK}=1 to see where)"


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
        except BrokenPipeError:  # whoever read standard output has seen enough: no reason to say anything
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again at exit
            raise typer.Exit(1) from None
        except Exception as error:
            say("", describe(error))
            raise typer.Exit(1) from error

    return run
