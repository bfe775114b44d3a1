# SPDX-License-Identifier: BSD-3-Clause
"""Hostile stills inside files of codec ``lossless``: refused by their headers, or at a cost that the picture bounds."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import calotype
from calotype import container
from tests.make_golden import drawing

WHOLE = container.unpack(calotype.encode(drawing(64, 64, 3, 8), lossless=True))
WEBP = WHOLE.tiles[0] or b""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 64, height: int = 64, extra: bytes = b"", data: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp_of(width: int, height: int) -> bytes:
    """A WebP that claims another size."""
    bits = (width - 1) | (height - 1) << 14
    return WEBP[:21] + bits.to_bytes(4, "little") + WEBP[25:]


def lossy() -> bytes:
    memory = io.BytesIO()
    Image.fromarray(drawing(64, 64, 3, 8)).save(memory, "WEBP", quality=50)
    return memory.getvalue()


HOSTILE = {
    "empty": b"",
    "text": b"not a picture at all",
    "a larger WebP": webp_of(16383, 16383),
    "a smaller WebP": webp_of(1, 1),
    "a lossy WebP": lossy(),
    "a WebP that goes on": WEBP + b"\0" * 8,
    "half a WebP": WEBP[: len(WEBP) // 2],
    "a damaged WebP": WEBP[:25] + bytes(len(WEBP) - 25),
    "a larger PNG": png(60000, 60000),
    "a PNG without data": png(),
    "a PNG with a bomb of text": png(extra=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**22)))),
    "an animated PNG": png(extra=chunk(b"acTL", struct.pack(">II", 1000, 0))),
    "a JPEG XL of nothing": b"\xff\x0a",
    "a JPEG XL of 2^30 x 2^30": b"\xff\x0a" + b"\xff" * 20,
    "a JPEG XL of boxes": b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I", 8) + b"jxlc",
    "a JPEG XL of endless boxes": b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x08skip" * 5000,
    "a JPEG of nothing": b"\xff\xd8\xff",
}


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore::calotype.DamageWarning")
def test_refused_at_little_cost(name: str, salvage: bool) -> None:
    data = container.pack(replace(WHOLE, tiles=(HOSTILE[name],)))
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(calotype.FormatError) as caught:
            calotype.decode(data, salvage=salvage)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < 5
    assert peak < 2**26
    assert str(caught.value).isprintable() and len(str(caught.value)) < 250


@pytest.mark.parametrize("seed", range(40))
def test_a_little_fuzzing(seed: int) -> None:
    """Whatever is inside, it decodes to a picture of the right size, or is a FormatError."""
    rng = np.random.default_rng(seed)
    payload = bytearray([WEBP, png(data=zlib.compress(bytes(64 * 193)))][seed % 2])
    for _ in range(int(rng.integers(1, 6))):
        payload[rng.integers(len(payload))] = int(rng.integers(256))
    try:
        found = calotype.decode(container.pack(replace(WHOLE, tiles=(bytes(payload),))), as_array=True)
    except calotype.FormatError as error:
        assert str(error).isprintable()
    else:
        assert found.shape == (64, 64, 3)
