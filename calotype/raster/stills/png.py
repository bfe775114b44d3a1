# SPDX-License-Identifier: BSD-3-Clause
"""PNG, 8 and 16 bits, grey or RGB: ``IHDR``, ``IDAT`` and ``IEND`` alone, so that nothing changes what samples mean."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from ...arrays import Samples
from ...errors import FormatError
from .. import load, png16
from .reading import Size, guarded, pixels


def needs() -> None:
    """Every Pillow has it."""


def write(samples: Samples) -> bytes:
    """A file of samples ``(H, W, 1 or 3)``."""
    memory = io.BytesIO()
    if samples.dtype == np.uint16:
        png16.write(memory, samples)
    else:
        Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(memory, "PNG", optimize=True)
    return memory.getvalue()


def check(data: bytes, size: Size) -> None:
    """FormatError unless the file is a plain still of that size; nothing is decompressed for it."""
    colour_type = 0 if size.channels == 1 else 2
    head = struct.pack(">I4sIIBBBBB", 13, b"IHDR", size.width, size.height, size.depth, colour_type, 0, 0, 0)
    if data[8:29] != head:
        raise FormatError(f"the PNG inside is not {size}")
    offset, kind = 33, b""
    while offset + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        if kind not in (b"IDAT", b"IEND"):
            raise FormatError(f"the PNG inside has a chunk {kind!r}, which does not belong there")
        offset += 12 + length
        if kind == b"IEND":
            break
    if kind != b"IEND" or offset != len(data):
        raise FormatError("the PNG inside is cut short, or something follows it")


def read(data: bytes, size: Size) -> Samples:
    """Samples ``(H, W, channels)`` of a file that was checked."""
    if size.depth == 16:
        with guarded("PNG"):
            return load(io.BytesIO(data)).samples
    found = pixels(data, "PNG", "L" if size.channels == 1 else "RGB", size)
    return found[..., None] if found.ndim == 2 else found
