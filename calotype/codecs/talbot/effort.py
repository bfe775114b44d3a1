# SPDX-License-Identifier: BSD-3-Clause
"""Effort of the encoder of ``talbot`` on a tile. The decoder, and what it costs, are the same for all efforts.

======  ==============================================================================================
1       latents are rounded to the nearest integer
2, 3    rounded with a dead zone (:mod:`calotype.codecs.talbot.rdoq`): as fast
4 to 6  rounded in 2, 3 or 4 ways and decoded: the best of them is kept
7 to 9  refined by gradient descent through the decoder before that (needs PyTorch)
======  ==============================================================================================

From 4 on, the best is what has the least ``bits + lambda * distortion`` with bytes as they are written, and lambda
and distortion those that the weights were trained for (:mod:`calotype.codecs.talbot.distortion`). Each tries what the
lower ones of these try (7 to 9 what 6 tries, and a refinement of their own), so that 4 to 6 are never worse than the
efforts below by that measure, nor 7 to 9 than 6.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Floats, Samples, to_planes
from ...engine.presence import Mask
from ...engine.workers import Workers
from ...errors import DependencyError
from ..quality import position
from . import FIRST_REFINEMENT, LOWEST_EFFORT
from .distortion import Distortion
from .model import STRIDE, Model
from .prior import Coded
from .rdoq import Rounding, dead_zone, nearest

if TYPE_CHECKING:
    from ...training.talbot.refinement import Refinement

DEAD_ZONE = 24.0  # the weight of efforts 2 and 3
OTHER_WEIGHTS = (48.0, 16.0)  # what efforts 5 and 6 try besides
FIRST_SEARCH = 4
ITERATIONS = {7: 50, 8: 100, 9: 200}


def check_needs(effort: int) -> None:
    """DependencyError if an effort needs PyTorch, which is not installed."""
    if effort >= FIRST_REFINEMENT:
        for needed in ("torch", "onnx"):
            if find_spec(needed) is None:
                raise DependencyError(
                    f"effort {effort} needs {needed}: pip install 'calotype[train]'; efforts up to "
                    f"{FIRST_REFINEMENT - 1} do without"
                )


class Search:
    """Tiles -> payloads, with an effort at one quality."""

    def __init__(self, model: Model, effort: int, stored_quality: int) -> None:
        self.model, self.effort, self.quality = model, effort, position(stored_quality)
        self.gain = model.gain("decoder", stored_quality)
        tables = model.prior.tables
        self.roundings: list[Rounding] = [nearest]
        if self.effort > LOWEST_EFFORT:
            weights = (DEAD_ZONE, *OTHER_WEIGHTS[: max(0, self.effort - FIRST_SEARCH)])
            zones = [dead_zone(tables, weight) for weight in weights]
            self.roundings = [nearest, *zones] if self.effort >= FIRST_SEARCH else zones
        self.distortion = Distortion(0.0)
        if self.effort >= FIRST_SEARCH:
            self.distortion = Distortion.of(model.bundle, self.quality)
        self.refine: Refinement | None = None
        if self.effort >= FIRST_REFINEMENT:
            from ...training.talbot.refinement import refinement

            self.refine = refinement(model.bundle.path, ITERATIONS[self.effort], model.threads)

    def __call__(self, y: Floats, samples: Samples, kept: Mask | None = None) -> Coded:
        """The code of a tile.

        Args:
            y: latents ``(M, h, w)`` with the encoder's gain.
            samples: the pixels behind them.
            kept: the latents ``(h, w)`` that count; all by default.
        """
        if self.effort < FIRST_SEARCH:
            return self.model.prior.code(y, self.quality, self.roundings[0], kept)
        x = to_planes(samples)[: samples.shape[2]]
        tried = [self.model.prior.code(y, self.quality, rounding, kept) for rounding in self.roundings]
        if self.refine and kept is None:
            better = self.refine(y, x, tried[0].features, self.gain, self.distortion)
            tried += [self.model.prior.code(better, self.quality, rounding) for rounding in self.roundings]
        return min(tried, key=lambda coded: self.cost(coded, x, kept))

    def cost(self, coded: Coded, x: Floats, kept: Mask | None = None) -> float:
        """Bits and distortion of a tile on its own: its neighbours would be the same for all that is tried."""
        y_hat = coded.y_hat * self.gain
        if kept is not None:
            y_hat *= kept
        decoded = self.model.synthesis(y_hat.shape[2])(y_hat, Workers(1), kept)[:, : x.shape[1], : x.shape[2]]
        if len(x) == 1:  # as it will be shown
            decoded = decoded.mean(0, keepdims=True)
        if kept is not None:
            fine = kept.repeat(STRIDE, 0).repeat(STRIDE, 1)[: x.shape[1], : x.shape[2]]
            decoded = np.where(fine, decoded, x)
        return 8 * len(coded.data) + self.distortion.bits(decoded, x)
