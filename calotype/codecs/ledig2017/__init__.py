# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``ledig2017``: the lowest rates, by super-resolution."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Entry
from ..options import option

SCALES = (2, 4)
MODELS = {  # those that ship
    "srresnet": "errs least on average",
    "srgan": "invents sharper detail",
    "mixture": "is fast, and errs less than interpolation",
}
DEFAULT_MODEL = next(iter(MODELS))
MODEL_NAME = r"[a-z0-9-]{1,32}"  # others may be installed


@dataclass(frozen=True)
class Options:
    """Options of the encoder. Scale 2 pays at more rates than 4 does."""

    scale: int = option(2, "By how much the stored picture is smaller.", choices=SCALES)
    model: str = option(DEFAULT_MODEL, "The network that enlarges it again.", choices=tuple(MODELS), pattern=MODEL_NAME)


ENTRY = Entry(
    "ledig2017",
    "the lowest rates: stores a smaller picture with talbot, and enlarges it by super-resolution",
    "SRResNet and SRGAN (Ledig 2017)",
    f"{__name__}.codec:Ledig2017",
    Options,
    prefer=f"{Options.model}-x{Options.scale}",
)
