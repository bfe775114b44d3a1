# SPDX-License-Identifier: BSD-3-Clause
"""A serial context run in integers: latents of one tile <-> entropy-coded bytes, position by position.

A position needs those on its left and, in the two rows above, up to two to its right. So positions with the same
``column + 3 * row`` need nothing of each other and are computed together: ``w + 3 (h - 1)`` steps, 253 for a tile of
64x64 latents, instead of 4,096. That is a *wavefront*.

All sums are of integers and stay below 2^24, so that float32 matrix products are exact whatever their order, and
encoder and decoder predict the same on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...codecs.talbot.prior import CHECK_BYTES, check
from ...engine.entropy import Decoder, Encoder, Levels, Tables
from ...errors import FormatError
from ...networks.layers import SLOPE
from ...networks.mbt2018 import REACH, TAPS
from ..integer import HIDDEN, INPUT, LEVELS, LINEAR, MEAN_BITS
from .integers import Arrays

SLANT = REACH + 1  # columns that a row lies behind the one above it
Places = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # rows and columns
Residuals = Callable[[Floats, Levels, Places], Floats]  # means, levels (n, M), places -> residuals in steps


def waves(h: int, w: int) -> Iterator[Places]:
    """The positions of each step, in coding order."""
    for t in range(w + SLANT * (h - 1)):
        rows = np.arange(max(0, -(-(t - w + 1) // SLANT)), min(h - 1, t // SLANT) + 1)
        yield rows, t - SLANT * rows


class Wavefront:
    """Codes latents with the integers of :func:`calotype.training.mbt2018.integers.integers`."""

    def __init__(self, arrays: Arrays, tables: Tables) -> None:
        self.tables = tables
        wide = {name: value.astype(np.float32) for name, value in arrays.items()}
        self.scale = {name: np.exp2(wide[f"{name}_exponent"]) for name in ("linear", "context")}
        self.taps = {name: np.ascontiguousarray(wide[f"{name}_taps"].T) for name in ("linear", "context")}
        names = ("linear", "context", "first", "hidden", "last")
        self.shift = {name: np.exp2(wide[f"{name}_shift"]) for name in names}
        self.known, self.hidden, self.last = (wide[name].T for name in ("known", "hidden", "last"))
        self.side, self.bias = wide["side"], {n: wide[f"{n}_bias"] for n in ("side", "hidden", "last")}

    def encode(self, y: Floats, steps: Floats, features: Floats) -> tuple[bytes, float, Floats]:
        """The stream of latents ``y (M, h, w)``, its size in bits by the tables, and what a decoder will have.

        Args:
            y: before rounding.
            steps: of the quantiser, like ``y``.
            features: integers of the hyper-prior ``(N, H, W)``, of which each sees 2x2 positions.
        """
        encoder = Encoder(self.tables)

        def write(means: Floats, levels: Levels, places: Places) -> Floats:
            residuals: Floats = np.rint((y[:, *places].T - means) / steps[:, *places].T)
            residuals[levels == 0] = 0
            encoder.encode(residuals.astype(np.int32).reshape(-1), levels.reshape(-1))
            return residuals

        y_hat = self.walk(write, steps, features)
        return check(encoder.symbols()) + encoder.finish(), encoder.predicted_bits(), y_hat

    def decode(self, data: bytes, steps: Floats, features: Floats) -> Floats:
        """The latents of :meth:`encode`; FormatError if they do not come out whole."""
        decoder = Decoder(self.tables, data[CHECK_BYTES:])

        def read(means: Floats, levels: Levels, places: Places) -> Floats:
            return decoder.decode(levels.reshape(-1)).reshape(means.shape).astype(np.float32)

        y_hat = self.walk(read, steps, features)
        decoder.finish()
        if check(decoder.symbols()) != data[:CHECK_BYTES]:
            raise FormatError("the symbols decoded differ from those encoded")
        return y_hat

    def walk(self, code: Residuals, steps: Floats, features: Floats) -> Floats:
        """Go over all positions; ``code`` turns each prediction into residuals."""
        m, h, w = steps.shape
        y_hat = np.zeros((h, w, m), np.float32)
        # What the layers see of y_hat, with a border of what is not there.
        seen = {n: np.zeros((h + REACH, w + 2 * REACH, m), np.float32) for n in ("linear", "context")}
        side = np.stack([np.tensordot(q, features, (1, 0)).transpose(1, 2, 0) for q in self.side])
        side += self.bias["side"][:, None, None]  # (4, H, W, width), integers
        for rows, columns in waves(h, w):
            means, levels = self.predict(seen, side, rows, columns)
            residuals = code(means, levels, (rows, columns))
            values = means + residuals * steps[:, rows, columns].T
            y_hat[rows, columns] = values
            for name, limit in (("linear", LINEAR), ("context", INPUT)):
                whole = np.clip(np.rint(values * self.scale[name]), -limit, limit)
                seen[name][rows + REACH, columns + REACH] = whole
        return np.ascontiguousarray(y_hat.transpose(2, 0, 1))

    def predict(
        self, seen: dict[str, Floats], side: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
    ) -> tuple[Floats, Levels]:
        """Means, multiples of 2^-6, and levels of the positions of a step, ``(n, M)`` each."""
        window = {
            name: sum(
                taps * seen[name][rows + REACH + i, columns + REACH + j]
                for taps, (i, j) in zip(self.taps[name], TAPS, strict=True)
            )
            for name in seen
        }
        linear = np.rint(window["linear"] * self.shift["linear"])
        x = np.clip(np.rint(window["context"] * self.shift["context"]), -INPUT, INPUT)
        x = x @ self.known + side[rows % 2 * 2 + columns % 2, rows // 2, columns // 2]
        for name, matrix in (("first", self.hidden), ("hidden", self.last)):
            x = np.where(x < 0, x * np.float32(SLOPE), x)
            x = np.clip(np.rint(x * self.shift[name]), -HIDDEN, HIDDEN)
            x = x @ matrix + self.bias["hidden" if name == "first" else "last"]
        x = np.rint(x * self.shift["last"])
        means, levels = np.split(x, 2, axis=1)
        means = np.clip(means + linear, -(1 << 22), 1 << 22) * np.float32(2.0**-MEAN_BITS)
        return means, np.clip(levels, 0, LEVELS - 1).astype(np.uint8)
