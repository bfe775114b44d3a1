# SPDX-License-Identifier: BSD-3-Clause
"""The weights of one bundle of ``talbot``, loaded: transforms, prior, gains."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...arrays import Floats
from ...engine.bundles import Bundle
from ...engine.strips import Transform, transform
from ...engine.workers import Workers
from ...errors import BundleError
from ..quality import position
from .prior import Prior

STRIDE = 16  # pixels a latent
TILE = 1024  # pixels
SIDE = TILE // STRIDE  # of a tile, in latents
WINDOW_HEIGHT = 8  # latents: with the width, what fits the cache of one core
WINDOW_WIDTHS = (32, 24)  # latents; what leaves less beyond the picture's border is taken


@dataclass
class Model:
    """Shared parts of encoder and decoder.

    Attributes:
        bundle: where the weights are.
        threads: that share the tiles and windows of a picture.
        optimise: let ONNX Runtime rewrite the graphs; tests do without, to see that nothing depends on it.
        bfloat16: of the synthesis, see :mod:`calotype.engine.bfloat16`.
        prior: the integer networks and the probability tables.
        gains: of the encoder and of the decoder, ``(levels, M)``, logarithms.
    """

    bundle: Bundle
    threads: int
    optimise: bool = True
    bfloat16: bool = False
    prior: Prior = field(init=False)
    gains: dict[str, Floats] = field(init=False)

    def __post_init__(self) -> None:
        arrays = self.bundle.arrays()
        try:
            self.prior = Prior(self.bundle, arrays, self.optimise)
            self.gains = {name: arrays[f"gain_{name}"] for name in ("encoder", "decoder")}
        except KeyError as error:
            raise BundleError(
                f"the weights in {self.bundle.path} have no table {error}: they are for another version"
            ) from error

    def analysis(self, width: int) -> Transform:
        """``g_a``, pixels -> latents, for an area so many latents wide."""
        return self._transform("g_a", width, STRIDE, False)

    def synthesis(self, width: int) -> Transform:
        """``g_s``, latents -> pixels, for an area so many latents wide."""
        return self._transform("g_s", width, 1, self.bfloat16)

    def _transform(self, name: str, width: int, unit: int, bfloat16: bool) -> Transform:
        best = min(WINDOW_WIDTHS, key=lambda side: -(-width // side) * side)
        return transform(self.bundle.path / f"{name}.onnx", WINDOW_HEIGHT * unit, best * unit, self.optimise, bfloat16)

    def workers(self) -> Workers:
        """Threads for one picture."""
        return Workers(self.threads)

    def gain(self, name: str, stored_quality: int) -> Floats:
        """Factors for the latents ``(M, 1, 1)``, interpolated between the trained levels."""
        table = self.gains[name]
        level = position(stored_quality) * (len(table) - 1)
        low = min(int(level), len(table) - 2)
        row = table[low] * (low + 1 - level) + table[low + 1] * (level - low)
        factors: Floats = np.exp(row, dtype=np.float32)[:, None, None]
        return factors
