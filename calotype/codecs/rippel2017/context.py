# SPDX-License-Identifier: BSD-3-Clause
"""How probable the bits of ``rippel2017`` are: an integer network for each group of channels.

What it sees of every latent, whose modulus is known down to one threshold or the next coarser one: the number of
binary digits of the modulus in units of the finer threshold, and that number with the latent's sign. From these, of the
place itself and 5x5 around it, it tells whether a latent that was 0 so far becomes significant, and which sign it has
then. Further digits of a significant latent have fixed probabilities.

All numbers are integers carried in float32 whose sums stay below 2^24, so every machine comes to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...engine.bundles import Bundle
from ...engine.runtime import graph
from ...errors import BundleError
from .planes import GROUPS, OCTAVE, TOP, Moduli, Signs

KIND = 16  # exponents that share biases: a quarter of an octave
KINDS = TOP // KIND
DIGITS = np.array([m.bit_length() for m in range(1 << (TOP // OCTAVE + 1))], np.int8)  # by modulus


@dataclass(frozen=True)
class Context:
    """The networks of a bundle, run by so many threads.

    ``tables.npz`` holds, for C channels and networks with H hidden integers: ``limits (C,)``, binary digits that moduli
    of each channel can have in units of the threshold 1; ``refinement``, logits of the next digit of a latent that has
    so many digits; and for each group g ``hidden_bias<g> (2, KINDS, H)``, of even and odd positions, and ``out_bias<g>
    (KINDS, C)``, whose first half is of significance and whose second is of signs.
    """

    bundle: Bundle
    threads: int
    arrays: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, bundle: Bundle, threads: int) -> Context:
        """Of a bundle; BundleError if it lacks something."""
        arrays = bundle.arrays()
        wanted = ["limits", "refinement", *(f"{name}_bias{g}" for name in ("hidden", "out") for g in range(GROUPS))]
        channels = len(arrays.get("limits", ()))
        if missing := [name for name in wanted if name not in arrays]:
            raise BundleError(f"the weights in {bundle.path} have no {missing[0]}: they are for another version")
        limits = arrays["limits"]
        if channels < GROUPS or channels % GROUPS or limits.min() < 0 or limits.max() > TOP // OCTAVE:
            raise BundleError(f"the tables of the weights in {bundle.path} contradict themselves: install them again")
        return cls(bundle, threads, arrays)

    @property
    def channels(self) -> int:
        """Of the latents."""
        return len(self.limits)

    @property
    def limits(self) -> npt.NDArray[np.int64]:
        """See the class."""
        limits: npt.NDArray[np.int64] = self.arrays["limits"].astype(np.int64)
        return limits

    def active(self, exponent: int, group: int) -> npt.NDArray[np.bool_]:
        """The channels of a group that can hold the threshold: ``(C / GROUPS, 1, 1)``."""
        active: npt.NDArray[np.bool_] = exponent < OCTAVE * self.limits.reshape(GROUPS, -1)[group]
        return active[:, None, None]

    def refinement(self, held: Moduli) -> Floats:
        """Logits of the last digit of latents that are significant already."""
        table = self.arrays["refinement"].astype(np.float32)
        logits: Floats = table[np.minimum(DIGITS[held], len(table) - 1)]
        return logits

    def predict(self, held: Moduli, signs: Signs, exponent: int, group: int, odd: int) -> tuple[Floats, Floats]:
        """Logits ``(C / GROUPS, h, w)`` of becoming significant at a threshold, and of being positive then.

        Args:
            held: moduli ``(C, h, w)`` in units of that threshold, even where its digit is not known yet.
            signs: 0 where the modulus is.
            exponent: of the threshold.
            group: of channels.
            odd: which half of the positions is asked for.
        """
        digits = DIGITS[held]
        known = np.concatenate([digits, digits * signs]).astype(np.float32)[None]
        kind = exponent // KIND
        hidden_bias, out_bias = self.arrays[f"hidden_bias{group}"][odd, kind], self.arrays[f"out_bias{group}"][kind]
        run = graph(self.bundle.path / f"context{group}.onnx", self.threads)
        logits = run(known, hidden_bias[None, :, None, None], out_bias[None, :, None, None])[0][0]
        half = len(logits) // 2
        return logits[:half], logits[half:]
