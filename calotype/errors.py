# SPDX-License-Identifier: BSD-3-Clause
"""One family of errors: each says in a sentence what is wrong, where, and what to do about it."""

from __future__ import annotations

import os
import sys

TRACEBACK = "CALOTYPE_TRACEBACK"  # environment variable: show where an unexpected error came from


class CalotypeError(Exception):
    """Anything that Calotype refuses to do. Catch this one to catch them all."""


class FormatError(CalotypeError):
    """The data is not a ``.calo`` file, or is truncated, damaged, hostile or too new."""


class PictureError(CalotypeError):
    """The picture, or what was asked for it, is outside what the codecs can store."""


class BundleError(CalotypeError):
    """The weights that a file or a codec asks for are missing or are not what they claim to be."""


class DependencyError(CalotypeError):
    """An optional package is not installed."""


class CalotypeWarning(UserWarning):
    """Something did not come along. Catch this one to catch them all."""


class LossWarning(CalotypeWarning):
    """Something of a picture or of its file is left out, because there is no place for it."""


class DamageWarning(CalotypeWarning):
    """Something of a damaged file is lost, and the caller had asked for what can be saved."""


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
        import traceback

        traceback.print_exception(error, file=sys.stderr)
        return f"unexpected {type(error).__name__}: {error}"
    return f"unexpected {type(error).__name__}: {error} (set {TRACEBACK}=1 to see where)"
