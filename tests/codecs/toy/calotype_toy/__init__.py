# SPDX-License-Identifier: BSD-3-Clause
"""The codec ``toy``, declared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calotype.codecs.base import Entry
from calotype.codecs.options import option


@dataclass(frozen=True)
class Options:
    """How it encodes."""

    level: int = option(6, "How hard zlib tries.", low=0, high=9)
    order: str = option("planes", "How samples are ordered.", choices=("planes", "pixels"))


ENTRY = Entry(
    "toy",
    "samples with fewer bits, through zlib",
    "DEFLATE (Deutsch 1996)",
    f"{__name__}.codec:Toy",
    Options,
    weights=Path(__file__).parent / "weights",
)
