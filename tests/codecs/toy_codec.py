# SPDX-License-Identifier: BSD-3-Clause
"""The codec of ``tests/codecs/toy`` in this process, as if its package were installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from calotype import codecs

TOY = Path(__file__).parent / "toy"


@contextmanager
def foreign(*points: tuple[str, str]) -> Iterator[None]:
    """These entry points, ``(name, value)``, and no others."""
    found = [EntryPoint(name, value, codecs.GROUP) for name, value in points]

    def entry_points(*, group: str) -> list[EntryPoint]:
        return found if group == codecs.GROUP else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importlib.metadata.entry_points", entry_points)
        patch.syspath_prepend(TOY)
        forget()
        try:
            yield
        finally:
            forget()
            for name in [name for name in sys.modules if name.split(".")[0] == "calotype_toy"]:
                del sys.modules[name]


def forget() -> None:
    """What the registry found before."""
    codecs._foreign.cache_clear()
    codecs._load.cache_clear()
