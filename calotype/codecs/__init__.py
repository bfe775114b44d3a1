# SPDX-License-Identifier: BSD-3-Clause
"""The codecs by id: those of this package, and those that other packages add.

A codec is a folder that declares an :class:`Entry`, and a name in :data:`OURS`. Another package adds one by an entry
point: its name is the id, its object the entry.

    [project.entry-points."calotype.codecs"]
    toy = "calotype_toy:ENTRY"

An entry says what a codec is, and which options it takes, without loading anything; :meth:`Entry.open` brings in its
weights. ``calotype codecs`` and ``docs/codecs.md`` list the options.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import PictureError
from .base import Codec, Entry, Growing, NoWeights, SeveralIds

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "DEFAULT",
    "GROUP",
    "LOSSLESS",
    "OURS",
    "Codec",
    "Entry",
    "Growing",
    "NoWeights",
    "SeveralIds",
    "available",
    "find",
    "get",
    "own",
]

DEFAULT = "talbot"
LOSSLESS = "lossless"
OURS = (DEFAULT, "ledig2017", LOSSLESS, "rippel2017", "tao2017", "toderici2017")  # folders here, as they are listed
GROUP = "calotype.codecs"  # of entry points
ID = r"[a-z0-9-]{1,16}"


@cache
def own() -> tuple[Entry, ...]:
    """The codecs of this package, the default first."""
    return tuple(import_module(f".{name}", __name__).ENTRY for name in OURS)


def available() -> list[Entry]:
    """All codecs, the default first and other packages' last; of those that cannot be loaded, a warning says why."""
    return [*own(), *(entry for name in _foreign() if (entry := _load(name)))]


def find(codec: object) -> Entry | None:
    """The codec whose files can have that id, if there is one."""
    if not isinstance(codec, str):
        return None
    return next((entry for entry in own() if codec in (entry.id, *entry.also)), None) or _load(codec)


def get(codec: object) -> Entry:
    """The codec of that id; PictureError if there is none."""
    found = find(codec)
    if found is None or found.id != codec:
        raise PictureError(f"there is no codec '{codec}'; there are: {', '.join(e.id for e in available())}")
    return found


@cache
def _foreign() -> dict[str, EntryPoint]:
    """Entry points of other packages by name. One that takes the name of ours is passed over."""
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in OURS or point.name in found:
            _warn(point, "there is another codec of that name")
        else:
            found[point.name] = point
    return dict(sorted(found.items()))


@cache
def _load(codec: str) -> Entry | None:
    """A codec of another package; None if there is none, or it is broken."""
    point = _foreign().get(codec)
    if point is None:
        return None
    try:
        entry: Any = point.load()
        if not isinstance(entry, Entry) or entry.id != codec or not re.fullmatch(ID, codec):
            raise TypeError(f"{point.value} is not an Entry with the id '{codec}'")
        _ = entry.takes
    except Exception as error:  # whatever is wrong with it, the other codecs work
        _warn(point, f"{type(error).__name__}: {error}")
        return None
    return entry


def _warn(point: EntryPoint, reason: str) -> None:
    package = point.dist.name if point.dist else point.value
    warnings.warn(f"codec '{point.name}' of the package {package} is passed over: {reason}", stacklevel=3)
