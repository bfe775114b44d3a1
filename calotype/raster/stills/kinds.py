# SPDX-License-Identifier: BSD-3-Clause
"""Names of what stands in tiles, from their first bytes: for ``info``, which decodes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_KINDS = (
    (b"\xff\xd8\xff", "JPEG"), (b"RIFF", "WebP"), (b"\x89PNG", "PNG"), (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000"),
)  # fmt: skip


def described(tiles: Sequence[bytes | None]) -> str:
    """``6 WebP``, ``JPEG as it was``, ``JPEG, kept as JPEG XL``."""
    if len(tiles) == 1 and tiles[0]:
        if tiles[0].startswith(_KINDS[0][0]):
            return "JPEG as it was"
        if b"jbrd" in tiles[0][:4096]:
            return "JPEG, kept as JPEG XL"
    return counted([named(tile) for tile in tiles if tile])


def named(still: bytes) -> str:
    """Title of a format."""
    if still[4:8] == b"ftyp":
        return "AVIF"
    return next((name for start, name in _KINDS if still.startswith(start)), "unknown")


def counted(names: Sequence[str]) -> str:
    """``6 WebP, 1 PNG``."""
    return ", ".join(f"{count} {name}" for name, count in Counter(names).items())
