# SPDX-License-Identifier: BSD-3-Clause
"""JPEG XL: libjxl through the ``imagecodecs`` package, for Pillow does not write it."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from ..errors import DependencyError
from .contender import Contender, Picture

EFFORT = 7  # libjxl's default


def library() -> ModuleType:
    """The package, or a DependencyError that says how to get it."""
    try:
        import imagecodecs
    except ImportError as error:
        raise DependencyError("the codec jxl needs imagecodecs: pip install 'calotype[bench]'") from error
    module: ModuleType = imagecodecs
    return module


def distance(quality: float) -> float:
    """libjxl's own JxlEncoderDistanceFromQuality: 90 is distance 1, "visually lossless"; 0 is the largest, 25."""
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def encode(picture: Picture, setting: float) -> bytes:
    """A JPEG XL code stream, one thread."""
    data = library().jpegxl_encode(
        picture, distance=distance(setting), lossless=False, effort=EFFORT, usecontainer=False, numthreads=1
    )
    return bytes(data)


def decode(data: bytes) -> Picture:
    """Read it, one thread."""
    return np.asarray(library().jpegxl_decode(data, numthreads=1), np.uint8)


def versions() -> dict[str, str]:
    """imagecodecs and the libjxl in it."""
    module = library()
    return {"imagecodecs": str(module.__version__), "libjxl": str(module.jpegxl_version()).removeprefix("libjxl ")}


JXL = Contender(
    "jxl",
    f"JPEG XL (libjxl, effort {EFFORT})",
    ".jxl",
    "quality",
    (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 94),
    {"effort": EFFORT, "distance": "from quality as in cjxl", "threads": 1},
    encode,
    decode,
    versions,
    lowest=0,
    highest=99,
)
