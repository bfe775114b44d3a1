# SPDX-License-Identifier: BSD-3-Clause
"""The codecs that can be named on the command line."""

from __future__ import annotations

from typing import Any

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


def check_options(name: str, options: dict[str, Any]) -> None:
    """Refuse options that the codec does not have, or values that it does not take, before any file is touched.

    Raises:
        typer.BadParameter: what the codec says of it.
        CalotypeError: weights, or a package, that an option needs are not installed.
    """
    from .. import codecs
    from ..errors import PictureError

    if not options:
        return
    opened = codecs.get(name).open(1)

    def refused(chosen: dict[str, Any]) -> str | None:
        try:
            opened.with_options(**chosen)
        except PictureError as error:
            return str(error)
        return None

    sentence = refused(options)
    if sentence is not None:
        wrong_alone = [option for option, value in options.items() if refused({option: value})]
        raise wrong(" ".join(f"--{option}" for option in wrong_alone or options), sentence)
