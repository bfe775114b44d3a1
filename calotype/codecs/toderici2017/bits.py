# SPDX-License-Identifier: BSD-3-Clause
"""The binary codes of ``toderici2017``: the bits of one iteration of one tile <-> entropy-coded bytes.

How probable a bit is, a small network tells for each iteration, from the bits that are known: those of the earlier
iterations (through a few sums over all of them, the *state*), and those of this iteration that were coded before. An
iteration is coded in four passes: the first half of the channels where row + column is even, then where it is odd, then
the other half of the channels likewise. A pass predicts all of its bits at once.

All arithmetic is of integers carried in float32 whose sums stay below 2^24, in any order: the training half checks
that (:mod:`calotype.training.toderici2017.bits`). So every machine comes to the same probabilities. The code of a bit
is whether the prediction was right, in the table of how sure it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...engine.binary import CHECK_BYTES, LEVELS, certainty, check, cost, squares, tables, wrong_ones
from ...engine.entropy import Decoder, Encoder
from ...errors import FormatError

Bits = npt.NDArray[np.int8]

STATE_LIMIT, HIDDEN_LIMIT = 2047, 1023  # largest magnitudes of the state's and the hidden layer's integers
KERNEL = 5  # side of the neighbourhood that is seen
PASSES = 4


def passes(channels: int, height: int, width: int) -> list[npt.NDArray[np.bool_]]:
    """Bits that each pass codes: masks that broadcast to ``(channels, height, width)``."""
    even, odd = squares(height, width)
    late = (np.arange(channels) >= channels // 2)[:, None, None]
    return [half & square for half in (~late, late) for square in (even, odd)]


@dataclass
class State:
    """State of a tile after the iterations so far.

    Attributes:
        sums: integers ``(F, h, w)``.
        iteration: how many iterations they are of.
        seen: what the depthwise layer of the next iteration makes of ``sums``, once that is known: all passes need it.
    """

    sums: Floats
    iteration: int = 0
    seen: Floats | None = None


class CodeModel:
    """Codes bits with the integer networks of a bundle.

    Args:
        arrays: for T iterations, F sums, C channels and H hidden integers: ``entry (T, F, C)``; ``depthwise (T, F + C,
            5, 5)``, ``depthwise_shift (T, F + C)``; ``hidden (T, H, F + C)``, ``hidden_bias (T, 4, H)``,
            ``hidden_shift (T, H)``; ``out (T, C, H)``, ``out_bias (T, C)``, ``out_shift (T, C)``. Shifts are exponents
            of two that sums are multiplied with.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        wide = {name: value.astype(np.float32) for name, value in arrays.items()}
        self.entry, self.out, self.hidden = wide["entry"], wide["out"], wide["hidden"]
        self.depthwise = wide["depthwise"]
        self.hidden_bias, self.out_bias = wide["hidden_bias"], wide["out_bias"]
        self.shifts = {n: np.exp2(wide[f"{n}_shift"]).astype(np.float32) for n in ("depthwise", "hidden", "out")}
        self.iterations, self.features, self.channels = self.entry.shape

    def start(self, height: int, width: int) -> State:
        """Before the first iteration of a tile of ``height x width`` cells."""
        return State(np.zeros((self.features, height, width), np.float32))

    def encode(self, bits: Bits, state: State) -> bytes:
        """The next iteration's ``bits (C, h, w)`` of -1 and 1, or 0 where a cell has stopped (not coded)."""
        encoder = Encoder(tables())
        self.encode_into(encoder, bits, state)
        return check(bits) + encoder.finish()

    def encode_into(self, encoder: Encoder, bits: Bits, state: State) -> None:
        """:meth:`encode` behind what ``encoder`` has been given, which has :func:`tables`; nothing guards it."""
        known = np.zeros(bits.shape, np.float32)
        going = bits[:1] != 0
        for index, mask in enumerate(passes(*bits.shape)):
            logits = self.predict(known, state, index)
            coded = mask & going
            levels = np.where(coded, certainty(logits), 0).astype(np.uint8)
            wrong = (bits > 0) != (logits >= 0)
            encoder.encode((wrong & coded).reshape(-1), levels.reshape(-1))
            known = np.where(mask, bits, known).astype(np.float32)
        self.advance(state, known)

    def decode(self, data: bytes, going: npt.NDArray[np.bool_], state: State) -> Bits:
        """The bits of :meth:`encode`, where ``going (h, w)``; FormatError if they do not come out whole."""
        decoder = Decoder(tables(), data[CHECK_BYTES:])
        bits = self.decode_from(decoder, going, state)
        decoder.finish()
        if check(bits) != data[:CHECK_BYTES]:
            raise FormatError(
                "the bits decoded differ from those encoded: the tile was written by other weights or arithmetic"
            )
        return bits

    def decode_from(self, decoder: Decoder, going: npt.NDArray[np.bool_], state: State) -> Bits:
        """The bits of :meth:`encode_into`; FormatError if there are none such."""
        known = np.zeros((self.channels, *going.shape), np.float32)
        for index, mask in enumerate(passes(*known.shape)):
            logits = self.predict(known, state, index)
            coded = mask & going[None]
            levels = np.where(coded, certainty(logits), 0).astype(np.uint8)
            positive = (logits >= 0) != wrong_ones(decoder, levels)
            known = np.where(coded, np.where(positive, 1, -1), known).astype(np.float32)
        self.advance(state, known)
        bits: Bits = known.astype(np.int8)
        return bits

    def predicted_bits(self, bits: Bits, state: State) -> float:
        """Predicted size of :meth:`encode`, by the tables; advances the state likewise."""
        known, total = np.zeros(bits.shape, np.float32), 0.0
        for index, mask in enumerate(passes(*bits.shape)):
            logits = self.predict(known, state, index)
            coded = np.broadcast_to(mask & (bits[:1] != 0), bits.shape)
            total += float(cost(logits[coded], bits[coded] > 0).sum())
            known = np.where(mask, bits, known).astype(np.float32)
        self.advance(state, known)
        return total

    def predict(self, known: Floats, state: State, index: int) -> Floats:
        """Integer logits ``(C, h, w)`` of a pass, in units of 1 / FINENESS, above zero for a likely 1."""
        t = state.iteration
        h, w = known.shape[1:]
        if state.seen is None:
            state.seen = _depthwise(np.clip(state.sums, -STATE_LIMIT, STATE_LIMIT), self.depthwise[t, : self.features])
        sums = np.zeros((self.features + self.channels, h, w), np.float32)
        sums[: self.features] = state.seen
        there = self.channels if index > 2 else self.channels // 2 if index else 0  # as passes() has it
        current = known[:there] * np.float32(STATE_LIMIT // 4)
        sums[self.features :][:there] = _depthwise(current, self.depthwise[t, self.features :][:there])
        x = _rescaled(sums.reshape(len(sums), -1), self.shifts["depthwise"][t], STATE_LIMIT)
        y = self.hidden[t] @ x + self.hidden_bias[t, index][:, None]
        y = _rescaled(np.maximum(y, 0), self.shifts["hidden"][t], HIDDEN_LIMIT)
        z = self.out[t] @ y + self.out_bias[t][:, None]
        return _rescaled(z, self.shifts["out"][t], LEVELS).reshape(self.channels, h, w)

    def advance(self, state: State, bits: Floats) -> None:
        """Take the bits of an iteration into the state."""
        flat = self.entry[state.iteration] @ bits.reshape(len(bits), -1)
        state.sums = state.sums + flat.reshape(state.sums.shape)
        state.iteration += 1
        state.seen = None


def _depthwise(x: Floats, weight: Floats) -> Floats:
    """Sums ``(C, h, w)`` over 5x5 neighbours, with weights ``(C, 5, 5)``; nothing stands outside."""
    h, w = x.shape[1:]
    padded = np.pad(x, ((0, 0), (KERNEL // 2,) * 2, (KERNEL // 2,) * 2))
    sums: Floats = np.zeros_like(x)
    for i in range(KERNEL):
        for j in range(KERNEL):
            sums += weight[:, i, j, None, None] * padded[:, i : i + h, j : j + w]
    return sums


def _rescaled(sums: Floats, factor: Floats, limit: int) -> Floats:
    """Multiply rows with powers of two, round half to even, clip."""
    result: Floats = np.clip(np.rint(sums * factor[:, None]), -limit, limit)
    return result
