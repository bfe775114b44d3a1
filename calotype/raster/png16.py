# SPDX-License-Identifier: BSD-3-Clause
"""Writing PNG with 16 bits a channel, in colour or with alpha, for which Pillow has no mode.

IHDR, metadata, IDAT (every row with the Paeth filter), IEND.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..container import Metadata
from ..container.metadata import NOTHING, write_code_points

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
    for kind, content in chunks(metadata):
        chunk(file, kind, content)

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


def chunks(metadata: Metadata) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and data of the chunks that hold metadata, to stand before the pixels."""
    if metadata.cicp:
        yield b"cICP", write_code_points(metadata.cicp)
    if metadata.icc:
        yield b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc)
    if metadata.density:
        yield b"pHYs", struct.pack(">IIB", *metadata.density, 1)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    if metadata.xmp:
        yield b"iTXt", XMP_KEYWORD + metadata.xmp
    if metadata.iptc:  # as ImageMagick and ExifTool have agreed
        lines = re.sub(r"(.{72})", r"\1\n", metadata.iptc.hex())
        raw = f"\niptc\n{len(metadata.iptc):8}\n{lines}\n".encode()
        yield b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw)
    for key, value in metadata.text or ():
        keyword = key.encode("latin-1", "replace")[:79].strip() or b"Comment"
        yield b"iTXt", keyword + b"\0\0\0\0\0" + value.encode("utf-8", "replace")


def chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    """Write one chunk: length, kind, data, checksum."""
    file.write(struct.pack(">I", len(data)) + kind)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
