# SPDX-License-Identifier: BSD-3-Clause
"""The codecs: one file each, in a plain dict by id.

A codec says what it is without loading anything; :meth:`Entry.open` brings in its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import PictureError

if TYPE_CHECKING:
    from ..bundles import Bundle
    from .talbot import Talbot


@dataclass(frozen=True)
class Entry:
    """What is known of a codec before its weights are loaded."""

    id: str
    title: str
    paper: str
    make: Callable[[Bundle, int], Talbot]

    def open(self, threads: int, tag: bytes | None = None) -> Talbot:
        """The codec with its preferred weights, or with those that a file names by ``tag``; BundleError if missing."""
        from .. import bundles

        return _opened(self.id, bundles.find(self.id, tag).path, threads)


def _make_talbot(bundle: Bundle, threads: int) -> Talbot:
    from .talbot import Talbot

    return Talbot(bundle, threads)


@lru_cache(maxsize=8)
def _opened(codec: str, path: object, threads: int) -> Talbot:
    from .. import bundles

    bundle = next(b for b in bundles.installed() if b.path == path)
    return REGISTRY[codec].make(bundle, threads)


REGISTRY: dict[str, Entry] = {
    "talbot": Entry(
        "talbot",
        "the flagship: photographs in real time on a plain CPU, any quality from one model",
        "transform codec with a hierarchical prior (Ballé 2018, Minnen 2018)",
        _make_talbot,
    ),
}
DEFAULT = "talbot"


def available() -> list[Entry]:
    """All codecs, the default first."""
    return list(REGISTRY.values())


def get(codec: str) -> Entry:
    """The codec of that id; PictureError if there is none."""
    if codec not in REGISTRY:
        raise PictureError(f"there is no codec '{codec}'; there are: {', '.join(REGISTRY)}")
    return REGISTRY[codec]
