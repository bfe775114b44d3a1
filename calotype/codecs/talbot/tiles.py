# SPDX-License-Identifier: BSD-3-Clause
"""Payload of a tile: the network's, or one that holds a still, or samples as they are.

A payload of 4 n + 2 bytes is the network's, see :mod:`calotype.codecs.talbot.prior`. One of 4 n bytes begins with

    ======  =====  ============================================================
    offset  bytes
    ======  =====  ============================================================
    0       1      kind: 1 a still, 2 a still and the network, 3 samples
    1       1      p, 0 to 3: so many zero bytes at the end make the length fit
    ======  =====  ============================================================

A still follows, or samples; of kind 2 before it come a u32, which says how many bytes are the network's, the cells, and
those bytes. A *cell* has 64 x 64 pixels. The cells are bits in raster order, from the highest bit of a byte on; 1 for
a cell whose pixels are the still's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import FormatError
from ...raster.stills import kinds

Cells = npt.NDArray[np.bool_]  # (rows, columns); True: the pixels are those of the still

CELL = 64  # pixels
STILL, BOTH, SAMPLES = 1, 2, 3  # kinds
_UNIT = 4
_NETWORK = 2  # what is left of a network's payload, divided by four


@dataclass(frozen=True)
class Payload:
    """Parts of a tile.

    Attributes:
        network: the network's bytes; None if all cells are the still's.
        still: a file; None if there is none.
        raw: samples, row by row; None if there are none.
        cells: that the network leaves out; None if it codes the whole tile.
    """

    network: bytes | None = None
    still: bytes | None = None
    raw: bytes | None = None
    cells: Cells | None = None


def cell_grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the cells of a tile of so many pixels."""
    return -(-height // CELL), -(-width // CELL)


def is_network(data: bytes) -> bool:
    """Whether a payload is the network's alone."""
    return len(data) % _UNIT == _NETWORK


def parse(data: bytes, height: int, width: int) -> Payload:
    """The parts of a tile of so many pixels; FormatError if they do not fit."""
    if is_network(data):
        return Payload(network=data)
    if len(data) % _UNIT or not data:
        raise FormatError(f"a tile cannot have {len(data)} bytes")
    kind, padding = data[0], data[1]
    if kind not in (STILL, BOTH, SAMPLES):
        raise FormatError(f"tiles of kind {kind} are unknown: a newer Calotype wrote this file, upgrade to read it")
    rest = data[2 : len(data) - padding]
    if padding >= _UNIT or any(data[len(data) - padding :]) or len(rest) + padding != len(data) - 2:
        raise FormatError("the tile does not end as it should")
    rows, columns = cell_grid(height, width)
    if kind == SAMPLES:
        return Payload(raw=rest, cells=np.ones((rows, columns), bool))
    if kind == STILL:
        return Payload(still=rest, cells=np.ones((rows, columns), bool))
    size, start = int.from_bytes(rest[:4], "little"), 4 + -(-rows * columns // 8)
    network, still = rest[start : start + size], rest[start + size :]
    if not is_network(network) or len(network) != size:
        raise FormatError("the network's part of the tile is cut short")
    bits = np.unpackbits(np.frombuffer(rest[4:start], np.uint8))
    cells = bits[: rows * columns].astype(bool).reshape(rows, columns)
    if bits[rows * columns :].any() or cells.all() or not cells.any():
        raise FormatError("the tile does not say which cells are the network's")
    return Payload(network, still, None, cells)


def named(data: bytes, height: int, width: int) -> str:
    """``network``, ``WebP``, ``AVIF and network``, ``samples``: what a tile of so many pixels holds; FormatError."""
    payload = parse(data, height, width)
    names = [kinds.named(payload.still)] if payload.still is not None else []
    names += ["samples"] if payload.raw is not None else []
    return " and ".join(names + (["network"] if payload.network is not None else []))


def write(payload: Payload) -> bytes:
    """The bytes of a tile."""
    if payload.cells is None:
        assert payload.network is not None
        return payload.network
    if payload.raw is not None:
        return _closed(SAMPLES, payload.raw)
    assert payload.still is not None
    if payload.network is None:
        return _closed(STILL, payload.still)
    size = len(payload.network).to_bytes(4, "little")
    return _closed(BOTH, size + np.packbits(payload.cells).tobytes() + payload.network + payload.still)


def _closed(kind: int, content: bytes) -> bytes:
    padding = -(2 + len(content)) % _UNIT
    return bytes([kind, padding]) + content + bytes(padding)
