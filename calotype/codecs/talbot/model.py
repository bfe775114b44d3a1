# SPDX-License-Identifier: BSD-3-Clause
"""The weights of one bundle of ``talbot``, loaded: transforms, prior, gains."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...arrays import Floats
from ...engine.bundles import Bundle
from ...engine.runtime import Graph, graph
from ...errors import BundleError
from ..quality import position
from .prior import Prior


@dataclass
class Model:
    """Shared parts of encoder and decoder.

    Attributes:
        bundle: where the weights are.
        threads: of the computation.
        optimise: let ONNX Runtime rewrite the graphs; tests do without, to see that nothing depends on it.
        prior: the integer networks and the probability tables.
        gains: of the encoder and of the decoder, ``(levels, M)``, logarithms.
    """

    bundle: Bundle
    threads: int
    optimise: bool = True
    prior: Prior = field(init=False)
    gains: dict[str, Floats] = field(init=False)

    def __post_init__(self) -> None:
        arrays = self.bundle.arrays()
        try:
            self.prior = Prior(self.bundle, arrays, self.threads, self.optimise)
            self.gains = {name: arrays[f"gain_{name}"] for name in ("encoder", "decoder")}
        except KeyError as error:
            raise BundleError(
                f"the weights in {self.bundle.path} have no table {error}: they are for another version"
            ) from error

    def graph(self, name: str) -> Graph:
        """``g_a`` or ``g_s``."""
        return graph(self.bundle.path / f"{name}.onnx", self.threads, self.optimise)

    def gain(self, name: str, stored_quality: int) -> Floats:
        """Factors for the latents ``(M, 1, 1)``, interpolated between the trained levels."""
        table = self.gains[name]
        level = position(stored_quality) * (len(table) - 1)
        low = min(int(level), len(table) - 2)
        row = table[low] * (low + 1 - level) + table[low + 1] * (level - low)
        factors: Floats = np.exp(row, dtype=np.float32)[:, None, None]
        return factors
