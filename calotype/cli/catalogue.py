# SPDX-License-Identifier: BSD-3-Clause
"""The codecs that can be named on the command line."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .destination import wrong

if TYPE_CHECKING:
    from ..codecs import Entry


def complete_codec(incomplete: str) -> list[tuple[str, str]]:
    """Ids and titles for the shell's completion of ``--codec``."""
    from .. import codecs

    with warnings.catch_warnings(action="ignore"):
        known = codecs.available()
    return [(codec.id, codec.title.split(",")[0]) for codec in known if codec.id.startswith(incomplete)]


def all_codecs() -> list[Entry]:
    """All codecs; those of other packages that cannot be loaded are a line on standard error."""
    from .. import codecs

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known = codecs.available()
    if caught:
        from .problems import complain
        from .screen import emit, errors

        for found in caught:
            emit(errors(), complain("", f"warning: {found.message}"), "yellow")
    return known


def named_codec(name: str) -> Entry:
    """The codec of that id.

    Raises:
        typer.BadParameter: there is none; with the ids that there are.
    """
    from .. import codecs
    from ..errors import PictureError

    try:
        return codecs.get(name)
    except PictureError as error:
        raise wrong("--codec", str(error)) from None
