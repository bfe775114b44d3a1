# SPDX-License-Identifier: BSD-3-Clause
"""Binary decisions with integer logits <-> rANS bytes.

A model predicts each decision by a logit, a whole number in units of 1 / :data:`FINENESS`, above zero where it takes
"yes" to be likely. What is coded is whether the prediction is wrong, in the table of how sure it was. Decisions can be
coded for positions on alternate squares, see :func:`passes`, so that each pass knows the neighbours of the one before.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Floats
from ..errors import FormatError
from .ans import PRECISION
from .entropy import Decoder, Tables

Mask = npt.NDArray[np.bool_]

LEVELS = 96  # of how sure a prediction is; level 0 is not coded
FINENESS = 16  # levels in a unit of the logit
CHECK_BYTES = 1  # of :func:`check`


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Level l (from 1): a prediction is wrong with the probability 1 / (1 + e^((l - 1/2) / FINENESS)).

    Symbols are 0, right, and 1, wrong; -1 and the escape never come, and are left the least there is.
    """
    frequencies = []
    for level in range(1, LEVELS):
        wrong = round((1 << PRECISION) / (1 + float(np.exp((level - 0.5) / FINENESS))))
        frequencies += [1, (1 << PRECISION) - wrong - 2, wrong, 1]
    return Tables(np.array([0] + [1] * (LEVELS - 1), np.int32), np.array(frequencies, np.int32))


def certainty(logits: Floats) -> npt.NDArray[np.uint8]:
    """Certainty of a prediction: 1 .. LEVELS - 1."""
    levels: npt.NDArray[np.uint8] = np.clip(np.abs(logits) + (logits >= 0), 1, LEVELS - 1).astype(np.uint8)
    return levels


def cost(logits: Floats, yes: Mask) -> npt.NDArray[np.float64]:
    """Bits that decisions take, by the tables."""
    sure = (certainty(logits) - 0.5) / FINENESS
    bits: npt.NDArray[np.float64] = np.logaddexp(0, np.where(yes != (logits >= 0), sure, -sure)) / np.log(2)
    return bits


def wrong_ones(decoder: Decoder, levels: npt.NDArray[np.uint8]) -> Mask:
    """Predictions of this certainty that were wrong; False where the level is 0. FormatError if no code says that."""
    symbols = decoder.decode(levels.reshape(-1)).reshape(levels.shape)
    if (symbols < 0).any() or (symbols > 1).any():
        raise FormatError("the entropy-coded data holds what no encoder writes: the tile is damaged")
    wrong: Mask = symbols == 1
    return wrong


def squares(height: int, width: int) -> tuple[Mask, Mask]:
    """The positions where row + column is even, and where it is odd."""
    rows, columns = np.ogrid[:height, :width]
    odd: Mask = (rows + columns) % 2 == 1
    return ~odd, odd


def check(symbols: npt.NDArray[Any]) -> bytes:
    """The low byte of the CRC-32 of what was coded, as int8: whether the decoder comes to the same."""
    return (zlib.crc32(np.ascontiguousarray(symbols, np.int8).tobytes()) & 0xFF).to_bytes(CHECK_BYTES, "little")
