# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``talbot``: the flagship."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Entry
from ..options import option

# By what they are for: id of the bundle. The first is the default; where it is not installed, the next takes its place.
TUNINGS = {"eye": "talbot-eye", "psnr": "talbot"}
DEFAULT_TUNING = next(iter(TUNINGS))
STILLS = "talbot-stills"  # codec id of files of which some tiles hold a still
ANY_TILES, NETWORK_TILES = "any", "network"
LOWEST_EFFORT, HIGHEST_EFFORT = 1, 9
FIRST_REFINEMENT = 7  # the lowest effort that takes PyTorch, and all cores for one picture


@dataclass(frozen=True)
class Options:
    """Options of the encoder."""

    effort: int = option(
        3, "How hard to try for a smaller file; 7 to 9 need PyTorch.", low=LOWEST_EFFORT, high=HIGHEST_EFFORT
    )
    # None: the preferred weights that are at hand, which need not be one of these.
    tune: str | None = option(
        None, "What to be good at: what people see, or a metric.", choices=tuple(TUNINGS), shown=DEFAULT_TUNING
    )
    tiles: str = option(
        ANY_TILES, "What a tile may be: any kind, a WebP or AVIF too, or the network's only.",
        choices=(ANY_TILES, NETWORK_TILES),
    )  # fmt: skip


ENTRY = Entry(
    "talbot",
    "the flagship: photographs in real time on a plain CPU, any quality from one model",
    "transform codec with a hierarchical prior (Ballé 2018, Minnen 2018)",
    f"{__name__}.codec:Talbot",
    Options,
    prefer=tuple(TUNINGS.values()),
    also=(STILLS,),
)
