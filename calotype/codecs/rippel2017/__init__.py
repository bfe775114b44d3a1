# SPDX-License-Identifier: BSD-3-Clause
"""Codec ``rippel2017``: bit planes."""

from __future__ import annotations

from ..base import Entry

ENTRY = Entry(
    "rippel2017",
    "progressive, by bit planes: opens when cut",
    "pyramidal analysis, bit planes (Rippel 2017)",
    f"{__name__}.codec:Rippel2017",
)
