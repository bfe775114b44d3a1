# SPDX-License-Identifier: BSD-3-Clause
"""Curves that others published, of codecs too slow or too large to run here, each with its source.

``kodak.json`` holds them, copied as they are; ``kodak_measured.json`` is an earlier measurement of the peers with an
independent script, which the benchmark's own results are checked against. All are means over the 24 Kodak pictures and
say nothing about others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ...errors import CalotypeError
from ..pictures import Photograph

ALL = "all"
KODAK = "9d2fddc339cb44249411cc9225fe9901e37e0fcfc9f057a718260951c8f325cf"  # SHA-256 of the sorted digests of the 24


@dataclass(frozen=True)
class Published:
    """One curve of the literature."""

    name: str  # on the command line, in tables and plots
    title: str
    source: str
    columns: dict[str, list[float | None]]  # bpp, psnr-rgb, ms-ssim-rgb: what the source has of them

    @property
    def pictures(self) -> tuple[str, ...]:
        """None: only means were published."""
        return ()

    def averages(self) -> dict[str, list[float | None]]:
        """The points, as columns."""
        return self.columns

    def of_picture(self, name: str) -> dict[str, list[float | None]]:
        """Never called: there are no pictures."""
        raise KeyError(name)


def stored(name: str) -> dict[str, Any]:
    """A JSON file of this folder."""
    values: dict[str, Any] = json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return values


def curves() -> dict[str, Published]:
    """All published curves."""
    found = {}
    for name, values in stored("kodak.json")["curves"].items():
        columns = {key: points for key, points in values.items() if isinstance(points, list)}
        found[name] = Published(name, values["title"], values["source"], columns)
    return found


def select(names: Iterable[str]) -> list[Published]:
    """Those named, or each of them for ``all``. Raises CalotypeError for a name that there is not."""
    known = curves()
    wanted = list(dict.fromkeys(names))
    if ALL in wanted:
        return list(known.values())
    if unknown := [name for name in wanted if name not in known]:
        raise CalotypeError(f"there is no published curve {', '.join(unknown)}; there are all, {', '.join(known)}")
    return [known[name] for name in wanted]


def is_kodak(photographs: Sequence[Photograph]) -> bool:
    """Whether these are the 24 pictures that the curves are about."""
    digests = "".join(sorted(photograph.digest for photograph in photographs))
    return hashlib.sha256(digests.encode()).hexdigest() == KODAK
