# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``lossless``: every sample comes back; the tiles are ordinary lossless files, and a JPEG stays one."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Entry
from ..options import option

STILLS = ("webp", "png", "jxl")  # ids of the formats in calotype.raster.stills.lossless


@dataclass(frozen=True)
class Options:
    """How it encodes."""

    still: str | None = option(
        None,
        "The format of the tiles. jxl needs the package imagecodecs, also to decode.",
        choices=STILLS,
        shown="webp for 8 bits, png for 16",
    )


ENTRY = Entry(
    "lossless",
    "every sample as it was; a JPEG is kept byte for byte, and smaller with imagecodecs",
    "none: WebP, PNG and JPEG XL",
    f"{__name__}.codec:Lossless",
    Options,
    weightless=True,
    lossless=True,
)
