# SPDX-License-Identifier: BSD-3-Clause
"""The payloads of ``rippel2017``: one tile's bit planes, layer by layer.

A payload is a check byte (the low byte of the CRC-32 of the latents as far as they are known, as whole numbers with
their signs modulo 256) and a stream of binary decisions (:mod:`calotype.engine.binary`). A group of a plane is coded
where row + column is even, then where it is odd: the next digit of each latent that can have one, in raster order
channel by channel, then the signs of those that have become significant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...engine.binary import CHECK_BYTES, Mask, certainty, check, squares, tables, wrong_ones
from ...engine.entropy import Decoder, Encoder
from ...errors import FormatError
from .context import Context
from .planes import GROUPS, OCTAVE, Moduli, Signs, finest, layers, moduli, values


class Coder(Protocol):
    """Passes decisions through a stream."""

    def __call__(self, logits: Floats, asked: Mask, yes: Mask | None) -> Mask:
        """Decisions where ``asked``, False elsewhere; ``yes`` are the right ones, where they are known."""
        ...


class Writer:
    """Writes decisions."""

    def __init__(self) -> None:
        self.encoder = Encoder(tables())

    def __call__(self, logits: Floats, asked: Mask, yes: Mask | None) -> Mask:
        """See :class:`Coder`."""
        assert yes is not None
        wrong = (yes != (logits >= 0)) & asked
        self.encoder.encode(wrong.reshape(-1), np.where(asked, certainty(logits), 0).astype(np.uint8).reshape(-1))
        right: Mask = yes & asked
        return right


class Reader:
    """Reads decisions; FormatError if the data holds none such."""

    def __init__(self, data: bytes) -> None:
        self.decoder = Decoder(tables(), data)

    def __call__(self, logits: Floats, asked: Mask, yes: Mask | None) -> Mask:
        """See :class:`Coder`."""
        wrong = wrong_ones(self.decoder, np.where(asked, certainty(logits), 0).astype(np.uint8))
        decided: Mask = ((logits >= 0) != wrong) & asked
        return decided


class Known:
    """What is known of a tile's latents.

    Attributes:
        held: moduli ``(C, h, w)``, each in units of its group's threshold.
        signs: of those that are not 0.
        exponents: of the thresholds of the groups.
    """

    def __init__(self, context: Context, height: int, width: int, stored_quality: int) -> None:
        self.context = context
        self.held: Moduli = np.zeros((context.channels, height, width), np.int16)
        self.signs: Signs = np.zeros(self.held.shape, np.int8)
        start = layers(stored_quality)[0][0][0] + OCTAVE
        self.exponents = [start] * GROUPS

    def take(self, exponent: int, group: int, coder: Coder, y: tuple[Moduli, Signs] | None = None) -> None:
        """Code a group of a plane; ``y`` are moduli in units of its threshold, and signs, where they are known."""
        part = slice(group * len(self.held) // GROUPS, (group + 1) * len(self.held) // GROUPS)
        self.held[part] <<= 1
        self.exponents[group] = exponent
        active = self.context.active(exponent, group)
        if not active.any():
            return
        held, signs = self.held[part], self.signs[part]
        digits = None if y is None else (y[0][part] & 1).astype(np.bool_)
        positive = None if y is None else y[1][part] > 0
        for odd, square in enumerate(squares(*held.shape[1:])):
            significance, sign = self.context.predict(self.view(exponent), self.signs, exponent, group, odd)
            new = held == 0
            logits = np.where(new, significance, self.context.refinement(held))
            ones = coder(logits, square & active, digits)
            new &= ones
            plus = coder(sign, new, positive)
            held += ones
            signs[new] = np.where(plus[new], 1, -1)

    def view(self, exponent: int) -> Moduli:
        """All moduli in units of one threshold, which no group is finer than."""
        halvings = [(own - exponent) // OCTAVE for own in self.exponents]
        return self.held << np.repeat(np.array(halvings, np.int16), len(self.held) // GROUPS)[:, None, None]

    def latents(self) -> Floats:
        """The latents ``(C, h, w)``."""
        return values(self.held, self.signs, self.exponents)

    def check(self) -> bytes:
        """The byte in front of a payload."""
        return check((self.held * self.signs).astype(np.int8))


def encode_tile(context: Context, y: Floats, stored_quality: int) -> Iterator[bytes]:
    """Payloads of a tile's latents ``y (C, h, w)``, a layer each."""
    known = Known(context, y.shape[1], y.shape[2], stored_quality)
    last = finest(stored_quality)
    held, signs = moduli(y, context.limits, last), np.sign(y).astype(np.int8)
    for layer in layers(stored_quality):
        writer = Writer()
        for exponent, group in layer:
            known.take(exponent, group, writer, (held >> ((exponent - last) // OCTAVE), signs))
        yield known.check() + writer.encoder.finish()


class TileDecoder:
    """The inverse of :func:`encode_tile`, payload by payload."""

    def __init__(self, context: Context, height: int, width: int, stored_quality: int) -> None:
        self.known = Known(context, height, width, stored_quality)
        self.plan: Sequence[list[tuple[int, int]]] = layers(stored_quality)
        self.layer = 0

    def __call__(self, payload: bytes) -> None:
        """Take the next layer; FormatError if it does not come out whole, after which there is no next one."""
        if self.layer == len(self.plan):
            raise FormatError(f"the tile goes on after {self.layer} layers, the most that there are at its quality")
        before = self.known.held.copy(), self.known.signs.copy(), list(self.known.exponents)
        try:
            self.read(payload)
        except FormatError:
            self.known.held, self.known.signs, self.known.exponents = before
            raise
        self.layer += 1

    def read(self, payload: bytes) -> None:
        """See :meth:`__call__`; what is known may be wrong after an error."""
        reader = Reader(payload[CHECK_BYTES:])
        for exponent, group in self.plan[self.layer]:
            self.known.take(exponent, group, reader)
        reader.decoder.finish()
        if self.known.check() != payload[:CHECK_BYTES]:
            raise FormatError(
                "the bits decoded differ from those encoded: the tile was written by other weights or arithmetic"
            )

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        """Binary logarithms of the groups' thresholds ``(GROUPS,)``, as the synthesis takes them."""
        octaves: npt.NDArray[np.float32] = np.array(self.known.exponents, np.float32) / np.float32(OCTAVE)
        return octaves
