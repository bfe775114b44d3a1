# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``tao2017``: a standard file inside, and networks that restore it."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Entry
from ..options import option

BASES = ("jpeg", "jpeg2000", "webp", "avif")  # ids of the formats in calotype.codecs.tao2017.standard


@dataclass(frozen=True)
class Options:
    """Options of the encoder."""

    base: str = option("jpeg", "The format of the file inside.", choices=BASES)
    scale: int = option(2, "By how much the stored picture is smaller.", choices=(1, 2))


ENTRY = Entry(
    "tao2017",
    "a JPEG, JPEG 2000, WebP or AVIF inside, which any program opens, and networks that restore it",
    "end-to-end compression framework (Tao 2017)",
    f"{__name__}.codec:Tao2017",
    Options,
)
