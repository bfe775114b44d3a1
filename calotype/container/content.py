# SPDX-License-Identifier: BSD-3-Clause
"""A file as its parts."""

from __future__ import annotations

from dataclasses import dataclass

from .header import Header
from .metadata import NOTHING, Described, Metadata


@dataclass(frozen=True)
class Container(Described):
    """A whole file, unpacked. After salvaging, lost tiles are None, and so is a lost alpha channel."""

    header: Header
    metadata: Metadata = NOTHING
    alpha: bytes | None = None  # a PNG
    tiles: tuple[bytes | None, ...] = ()  # raster order; of a layered file layer by layer, as many as there are
    warnings: tuple[str, ...] = ()  # what salvaging found, in sentences; never packed
    truncated: bool = False  # a layered file stops without an end box; never packed
