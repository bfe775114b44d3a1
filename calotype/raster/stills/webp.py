# SPDX-License-Identifier: BSD-3-Clause
"""Lossless WebP, 8 bits: the simple file format, a single chunk ``VP8L``. Grey is three equal channels.

RIFF size WEBP VP8L size 2F, 32 bits: width - 1 (14), height - 1 (14), alpha (1), version (3), then the stream
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, features

from ...arrays import Samples
from ...errors import DependencyError, FormatError
from .reading import Size, pixels

METHOD, EFFORT = 4, 75  # of libwebp: (6, 100) takes ten times as long for files that are 0.1 to 0.9 % smaller


def needs() -> None:
    """DependencyError if this Pillow was built without it."""
    if not features.check("webp"):
        raise DependencyError("this Pillow was built without WebP: install one from a wheel (pip install pillow)")


def write(samples: Samples) -> bytes:
    """A file of samples ``(H, W, 1 or 3)``, 8 bits, sides up to 16383."""
    memory = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).convert("RGB")
    image.save(memory, "WEBP", lossless=True, method=METHOD, quality=EFFORT)
    return memory.getvalue()


def check(data: bytes, size: Size) -> None:
    """FormatError unless the file is a plain still of that size; nothing is decoded for it."""
    chunk = len(data) - 20
    head = data[:4] + data[8:16] + data[20:21]
    sizes = struct.unpack_from("<4xI8xI", data) if chunk >= 5 else (0, 0)
    if head != b"RIFFWEBPVP8L\x2f" or sizes[0] != len(data) - 8 or sizes[1] + sizes[1] % 2 != chunk:
        raise FormatError("the WebP inside is not a single lossless picture, or is cut short")
    bits = int.from_bytes(data[21:25], "little")
    found = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28
    if found != (size.width, size.height, 0) or size.depth != 8:
        raise FormatError(f"the WebP inside is {found[0]} x {found[1]} pixels of 8 bits, not {size}")


def read(data: bytes, size: Size) -> Samples:
    """Samples ``(H, W, channels)`` of a file that was checked."""
    found = pixels(data, "WEBP", "RGB", size)
    if size.channels == 3:
        return found
    grey = np.ascontiguousarray(found[..., 1:2])
    if not np.array_equal(found, np.broadcast_to(grey, found.shape)):
        raise FormatError("the WebP inside is in colour, the picture grey")
    return grey
