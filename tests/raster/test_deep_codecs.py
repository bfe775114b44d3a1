# SPDX-License-Identifier: BSD-3-Clause
"""Deep colour that Pillow does not give is read right, or its loss is told, or it is refused."""

from __future__ import annotations

import io
import struct
import sys
from typing import Any

import numpy as np
import pytest

from calotype.errors import LossWarning, PictureError
from calotype.raster import load
from tests.raster.drawing import pattern

DEEP = pattern(48, 64, dtype=np.uint16) * 257


def tiff(samples: np.ndarray, photometric: int, planar: int = 1) -> io.BytesIO:
    """An uncompressed 16-bit TIFF."""
    height, width = samples.shape[:2]
    planes = 3 if samples.ndim == 3 else 1
    data = (np.moveaxis(samples, 2, 0) if planar == 2 else samples).astype("<u2").tobytes()
    strips = planes if planar == 2 else 1
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, 4, (width,)), (257, 4, (height,)), (258, 3, (16,) * planes), (259, 3, (1,)), (262, 3, (photometric,)),
        (273, 4, (0,) * strips), (277, 3, (planes,)), (278, 4, (height,)), (279, 4, (len(data) // strips,) * strips),
        (284, 3, (planar,)),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    where = start + sum(_size(k, v) for _, k, v in tags if _size(k, v) > 4)
    table, rest = b"", b""
    for tag, kind, values in tags:
        if tag == 273:
            values = tuple(where + i * len(data) // strips for i in range(strips))
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, rest = struct.pack("<I", start + len(rest)), rest + packed
        table += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(tags)) + table + bytes(4) + rest + data)


def _size(kind: int, values: tuple[int, ...]) -> int:
    return len(values) * (2 if kind == 3 else 4)


def test_white_is_zero() -> None:
    assert (load(tiff(DEEP[..., 0], 0)).samples[..., 0] == 65535 - DEEP[..., 0]).all()
    assert (load(tiff(DEEP[..., 0], 1)).samples[..., 0] == DEEP[..., 0]).all()


def test_ppm_of_16_bits() -> None:
    head = b"P6\n# made by hand\n%d %d\n%d\n"
    height, width = DEEP.shape[:2]
    assert (load(io.BytesIO(head % (width, height, 65535) + DEEP.astype(">u2").tobytes())).samples == DEEP).all()
    ten = load(io.BytesIO(head % (width, height, 1023) + np.full_like(DEEP, 1023).astype(">u2").tobytes()))
    assert (ten.samples == 65535).all()
    with pytest.raises(PictureError, match="ends before its last pixel"):
        load(io.BytesIO(head % (width, height, 65535) + b"short"))


def test_planes_and_jpeg_2000_and_avif_by_imagecodecs() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    assert (load(tiff(DEEP, 2, planar=2)).samples == DEEP).all()
    assert (load(io.BytesIO(imagecodecs.jpeg2k_encode(DEEP))).samples == DEEP).all()
    ten = load(io.BytesIO(imagecodecs.avif_encode(DEEP >> 6, level=100, bitspersample=10)))
    assert ten.depth == 16 and np.abs(ten.samples.astype(int) - DEEP).max() < 65


def test_without_it_losses_are_told_and_nonsense_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    imagecodecs: Any = pytest.importorskip("imagecodecs")
    files = imagecodecs.jpeg2k_encode(DEEP), imagecodecs.avif_encode(DEEP >> 6, level=90, bitspersample=10)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for file in files:
        with pytest.warns(LossWarning, match="bits a sample become 8"):
            assert load(io.BytesIO(file)).depth == 8
    with pytest.raises(PictureError, match=r"in planes needs the package imagecodecs: pip install 'calotype\[deep\]'"):
        load(tiff(DEEP, 2, planar=2))
