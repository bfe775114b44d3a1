# SPDX-License-Identifier: BSD-3-Clause
"""The codecs that can be named on the command line."""

from __future__ import annotations

from .destination import wrong


def complete_codec(incomplete: str) -> list[tuple[str, str]]:
    """Ids and titles for the shell's completion of ``--codec``."""
    from .. import codecs

    return [(codec.id, codec.title.split(",")[0]) for codec in codecs.available() if codec.id.startswith(incomplete)]


def check_codec(name: str) -> None:
    """Refuse the id of a codec that there is not.

    Raises:
        typer.BadParameter: with the ids that there are.
    """
    from .. import codecs

    known = [codec.id for codec in codecs.available()]
    if name not in known:
        raise wrong("--codec", f"there is no codec {name!r}; there are: {', '.join(known)}")
