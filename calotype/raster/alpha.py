# SPDX-License-Identifier: BSD-3-Clause
"""The alpha channel as bytes, without loss: a grey PNG of 8 or 16 bits."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import FormatError
from .guard import first_line, pillow_limit
from .picture import pillow_image
from .png16 import SIGNATURE


def encode_alpha(alpha: NDArray[Any]) -> bytes:
    """Store alpha (H, W) of uint8 or uint16 without loss, as a grey PNG."""
    file = io.BytesIO()
    pillow_image(alpha).save(file, "PNG", optimize=True)
    return file.getvalue()


def decode_alpha(data: bytes, width: int, height: int, depth: int) -> NDArray[Any]:
    """Alpha (height, width) of uint8 or uint16 from what :func:`encode_alpha` made.

    Raises FormatError unless the data is a grey PNG of just this size and depth, before anything is decompressed.
    """
    expected = struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, depth, 0, 0, 0, 0)
    if data[:8] != SIGNATURE or data[8:29] != expected:
        raise FormatError(f"the alpha channel is damaged: not a grey PNG of {width} x {height} with {depth} bits")
    try:
        with pillow_limit(width * height), Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != (width, height) or image.mode != ("L" if depth == 8 else "I;16"):
                raise FormatError(f"the alpha channel is damaged: {image.size} of mode {image.mode}")
            array = np.asarray(image)
    except FormatError:
        raise
    except MemoryError as error:
        raise FormatError("the alpha channel cannot be read: not enough memory") from error
    except Exception as error:  # Pillow's readers answer damage with many kinds of exceptions
        raise FormatError(f"the alpha channel is damaged: {first_line(error)}") from error
    return array.astype(np.uint8 if depth == 8 else np.uint16, copy=False)
