# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``toderici2017``: progressive."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Entry
from ..options import option

TUNINGS = ("ms-ssim", "psnr")  # the metrics whose errors calotype.codecs.toderici2017.cell_errors judges


@dataclass(frozen=True)
class Options:
    """Options of the encoder."""

    iterations: int | None = option(None, "The most layers that a file gets.", low=1, shown="all that the weights have")
    tune: str = option(TUNINGS[0], "The metric to be good at.", choices=TUNINGS)


ENTRY = Entry(
    "toderici2017",
    "progressive: opens when cut anywhere after its first layer, better with each further one",
    "recurrent networks, full resolution (Toderici 2017)",
    f"{__name__}.codec:Toderici2017",
    Options,
)
