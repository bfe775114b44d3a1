# SPDX-License-Identifier: BSD-3-Clause
"""Writing PNG with 16 bits a channel, in colour or with alpha, for which Pillow has no mode.

IHDR, iCCP, eXIf, iTXt (XMP), IDAT (every row with the Paeth filter), IEND.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..container import Metadata
from ..container.metadata import NOTHING

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COMPRESSION = 4  # of zlib: the low bytes are noise, on which higher levels spend time and win under 1 %
BAND_BYTES = 2**22  # bytes that are filtered at once: bounds the memory of the int16 temporaries

XMP_KEYWORD = b"XML:com.adobe.xmp\0\0\0\0\0"  # keyword, not compressed, no language, no translated keyword


def write(
    file: IO[bytes],
    samples: NDArray[Any],
    alpha: NDArray[Any] | None = None,
    metadata: Metadata = NOTHING,
) -> None:
    """Write a 16-bit PNG.

    ``samples`` is (H, W, 1 or 3) uint16, ``alpha`` (H, W) uint16.
    """
    height, width, channels = samples.shape
    colour_type = (0 if channels == 1 else 2) + (0 if alpha is None else 4)
    file.write(SIGNATURE)
    chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    if metadata.icc:
        chunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc))
    if metadata.exif:
        chunk(file, b"eXIf", metadata.exif)
    if metadata.xmp:
        chunk(file, b"iTXt", XMP_KEYWORD + metadata.xmp)

    pixel = 2 * (channels + (alpha is not None))  # bytes
    rows = max(1, BAND_BYTES // (width * pixel))
    above = np.zeros((1, width * pixel), np.uint8)
    deflate = zlib.compressobj(COMPRESSION)
    for top in range(0, height, rows):
        band = samples[top : top + rows]
        if alpha is not None:
            band = np.concatenate([band, alpha[top : top + rows, :, None]], axis=2)
        data = np.ascontiguousarray(band, ">u2").view(np.uint8).reshape(len(band), -1)
        packed = deflate.compress(_paeth(np.concatenate([above, data]), pixel))
        if packed:
            chunk(file, b"IDAT", packed)
        above = data[-1:]
    chunk(file, b"IDAT", deflate.flush())
    chunk(file, b"IEND", b"")


def _paeth(data: NDArray[np.uint8], pixel: int) -> bytes:
    """Rows (N + 1, bytes), of which the first is the one above, filtered with type 4: N rows with the type in front."""
    padded = np.pad(data, ((0, 0), (pixel, 0))).astype(np.int16)
    left, up, corner = padded[1:, :-pixel], padded[:-1, pixel:], padded[:-1, :-pixel]
    off_left, off_up = np.abs(up - corner), np.abs(left - corner)
    off_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(
        (off_left <= off_up) & (off_left <= off_corner), left, np.where(off_up <= off_corner, up, corner)
    )
    rows = np.empty((len(data) - 1, data.shape[1] + 1), np.uint8)
    rows[:, 0] = 4
    rows[:, 1:] = data[1:] - nearest.astype(np.uint8)
    return rows.tobytes()


def chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    """Write one chunk: length, kind, data, checksum."""
    file.write(struct.pack(">I", len(data)) + kind)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
