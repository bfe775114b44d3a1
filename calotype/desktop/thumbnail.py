# SPDX-License-Identifier: BSD-3-Clause
"""A small PNG of a file, as file managers ask for it."""

from __future__ import annotations

from pathlib import Path

MOST = 2**26  # pixels: nobody waits for the thumbnail of a larger picture


def thumbnail(source: Path, target: Path, size: int) -> None:
    """Write a PNG that fits into ``size`` x ``size`` pixels; CalotypeError if there is none to make."""
    from ..api.decode import read

    image = read(source, max_pixels=MOST)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("L" if image.mode.startswith("I") else "RGB")
    image.thumbnail((size, size))
    image.save(target, "PNG")
