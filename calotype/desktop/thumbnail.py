# SPDX-License-Identifier: BSD-3-Clause
"""A small PNG of a file, as file managers ask for it."""

from __future__ import annotations

from pathlib import Path

MOST = 2**26  # pixels: nobody waits for the thumbnail of a larger picture


def thumbnail(source: Path, target: Path, size: int) -> None:
    """Write a PNG that fits into ``size`` x ``size`` pixels; CalotypeError if there is none to make."""
    import numpy as np
    from PIL import Image

    from ..api.decode import read
    from ..raster.bands import to_8

    image = read(source, max_pixels=MOST)
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip at 255
        image = Image.fromarray(to_8(np.asarray(image)))
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    image.thumbnail((size, size))
    image.save(target, "PNG")
