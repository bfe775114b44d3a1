# SPDX-License-Identifier: BSD-3-Clause
"""The payloads of ``toderici2017``: the bits of one tile, layer by layer, in which cells stop one after the other.

A payload holds one iteration of one tile, 32x32 cells at most. It is empty if no cell goes on. Else::

    first layer     1 byte    check: the low byte of the CRC-32 of its bits
    other layers    2 bytes   how likely a cell stops, for each half of the cells
                    ...       which of the cells that were going have stopped
    all layers      ...       the bits of the cells that go on (:mod:`calotype.codecs.toderici2017.bits`)

All of it but the bytes in front is one stream. Cells where row + column is even say first whether they have stopped,
then the others. How likely a cell stops is told by a line: over the number of its eight neighbours that are known to
have stopped. The byte names the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...engine.binary import CHECK_BYTES, FINENESS, Mask, certainty, check, cost, squares, tables, wrong_ones
from ...engine.entropy import Decoder, Encoder
from ...errors import FormatError
from .bits import Bits, CodeModel

LINE_BYTES = 2
NEIGHBOURS = 8
START, RISE = 12, 3  # steps of a line's beginning (from -96) and slope, in logits of 1 / FINENESS


def encode_tile(model: CodeModel, bits: Bits) -> Iterator[bytes]:
    """Payloads of a tile, a layer each.

    Args:
        model: what predicts bits.
        bits: ``(T, C, h, w)`` of -1 and 1; 0 from where a cell has stopped on.
    """
    height, width = bits.shape[2:]
    state = model.start(height, width)
    before = np.ones((height, width), np.bool_)
    for t, layer in enumerate(bits):
        going = layer[0] != 0
        if not going.any():
            yield b""
        else:
            encoder = Encoder(tables())
            front = check(layer) if t == 0 else _encode_stops(encoder, before, going)
            model.encode_into(encoder, layer, state)
            yield front + encoder.finish()
        before = going


class TileDecoder:
    """The inverse of :func:`encode_tile`, payload by payload."""

    def __init__(self, model: CodeModel, height: int, width: int) -> None:
        self.model = model
        self.state = model.start(height, width)
        self.going: Mask = np.ones((height, width), np.bool_)

    def __call__(self, payload: bytes) -> Bits:
        """The bits of the next layer, ``(C, h, w)``; FormatError if they do not come out whole."""
        first = self.state.iteration == 0
        if first and not payload:
            raise FormatError("the first layer is empty: the tile is damaged")
        if not payload:
            self.going = np.zeros_like(self.going)
        if not self.going.any():
            if payload:
                raise FormatError("a layer goes on where all cells have stopped: the tile is damaged")
            return np.zeros((self.model.channels, *self.going.shape), np.int8)
        if self.state.iteration == self.model.iterations:
            raise FormatError(f"the tile goes on after {self.model.iterations} layers, the most that there are")
        size = CHECK_BYTES if first else LINE_BYTES
        if len(payload) < size:
            raise FormatError("a layer is shorter than what must stand in front of it: the tile is damaged")
        decoder = Decoder(tables(), payload[size:])
        if not first:
            self.going = _decode_stops(decoder, payload[:size], self.going)
        bits = self.model.decode_from(decoder, self.going, self.state)
        decoder.finish()
        if first and check(bits) != payload[:size]:
            raise FormatError(
                "the bits decoded differ from those encoded: the tile was written by other weights or arithmetic"
            )
        return bits


def _stopped_around(stopped: Mask) -> npt.NDArray[np.int64]:
    """Number of the eight neighbours that have stopped; those outside the tile have not."""
    height, width = stopped.shape
    padded = np.pad(stopped, 1).astype(np.int64)
    total = sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3))
    return np.asarray(total - stopped, np.int64)


def _logits(line: int) -> npt.NDArray[np.float32]:
    """Of stopping, for 0 to 8 neighbours that have: the line of a byte."""
    start, slope = line >> 4, line & 15
    return np.asarray(START * start - 6 * FINENESS + RISE * slope * np.arange(NEIGHBOURS + 1), np.float32)


@lru_cache(maxsize=1)
def _costs() -> npt.NDArray[np.float64]:
    """Bits that each line takes for a cell that goes on, or stops, with 0 to 8 neighbours that have: (256, 2, 9)."""
    logits = np.stack([_logits(line) for line in range(256)])
    no = np.zeros(logits.shape, np.bool_)
    return np.stack([cost(logits, no), cost(logits, ~no)], 1)


def _encode_stops(encoder: Encoder, before: Mask, going: Mask) -> bytes:
    """Encode which cells of ``before`` are not in ``going`` any more; returns the bytes of the lines."""
    stopped = ~before
    lines = []
    for half in squares(*going.shape):
        asked = half & before
        around, stops = _stopped_around(stopped), ~going
        counts = np.zeros((2, NEIGHBOURS + 1))
        np.add.at(counts, (stops[asked].astype(np.intp), around[asked]), 1)
        line = int(np.argmin((_costs() * counts).sum((1, 2))))
        logits = _logits(line)[around]
        wrong = (stops != (logits >= 0)) & asked
        encoder.encode(wrong.reshape(-1), np.where(asked, certainty(logits), 0).astype(np.uint8).reshape(-1))
        stopped = stopped | (asked & stops)
        lines.append(line)
    return bytes(lines)


def _decode_stops(decoder: Decoder, lines: bytes, before: Mask) -> Mask:
    """Inverse of :func:`_encode_stops`: the cells that go on."""
    stopped = ~before
    for half, line in zip(squares(*before.shape), lines, strict=True):
        asked = half & before
        logits = _logits(line)[_stopped_around(stopped)]
        levels = np.where(asked, certainty(logits), 0).astype(np.uint8)
        stops = (logits >= 0) != wrong_ones(decoder, levels)
        stopped = stopped | (asked & stops)
    return ~stopped
