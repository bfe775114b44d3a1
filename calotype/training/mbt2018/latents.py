# SPDX-License-Identifier: BSD-3-Clause
"""Latents of a finished ``talbot``, and what its four passes pay for them: what a serial context learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Samples
from ...codecs.quality import position
from ...codecs.talbot.codec import Talbot
from ...codecs.talbot.prior import LATTICE, Prior, lattices
from ...codecs.talbot.rdoq import nearest
from ...engine.entropy import Encoder, Levels
from ...engine.tiling import pad_to

FEATURE_BITS = 7  # features are integers of up to 10 bits; the network sees them in units of 2^7
PASSES = ("y1", "y2", "y3", "y4")


@dataclass(frozen=True)
class Tile:
    """One tile at one quality, as the four passes code it.

    Attributes:
        y: latents before rounding ``(M, h, w)``.
        y_hat: as the four passes round them.
        steps: of the quantiser at each place, like ``y``.
        features: integers of the hyper-prior ``(N, H / 2, W / 2)``; H and W are h and w up to multiples of 8.
        z_bits: of the side information.
        y_bits: of the latents in four passes.
    """

    y: Floats
    y_hat: Floats
    steps: Floats
    features: Floats
    z_bits: float
    y_bits: float


def tiles(codec: Talbot, samples: Samples, stored_quality: int) -> list[Tile]:
    """The tiles of a picture ``(H, W, 3)``, each residual rounded to the nearest integer."""
    gain = codec.gain("encoder", stored_quality)
    return [measured(codec.prior, y * gain, position(stored_quality)) for y in codec.latents(samples).tiles]


def measured(prior: Prior, y: Floats, quality: float) -> Tile:
    """Code ``y`` in four passes, and say what it took."""
    side, main = Encoder(prior.tables), Encoder(prior.tables)
    _, h, w = y.shape
    padded = pad_to(y, -(-h // LATTICE) * LATTICE, -(-w // LATTICE) * LATTICE)
    targets = lattices(padded, prior.h_a(padded[None])[0][0])

    def write(stage: str, means: Floats, levels: Levels, steps: Floats) -> Floats:
        residuals = nearest(stage, (targets[stage] - means) / steps, levels)
        residuals[levels == 0] = 0
        encoder = main if stage in PASSES else side
        encoder.encode(residuals.astype(np.int32).reshape(-1), levels.reshape(-1))
        values: Floats = means + residuals * steps
        return values

    y_hat, (_, f32) = prior.walk(write, h, w, quality)
    steps = step_map(prior, h, w)
    return Tile(y, y_hat, steps, f32, side.predicted_bits(), main.predicted_bits())


def step_map(prior: Prior, h: int, w: int) -> Floats:
    """The quantiser's step of each channel at each place, ``(M, h, w)``: that of the pass which codes it."""
    rows, columns = np.ogrid[:h, :w]
    even = (rows % 2 == 0) & (columns % 2 == 0)
    number = np.where((rows + columns) % 2 == 1, 3, np.where(even, 1, 2))
    number[(rows % 4 == 0) & (columns % 4 == 0)] = 0
    steps: Floats = prior.steps[:, :, 0, 0][number].transpose(2, 0, 1)
    return np.ascontiguousarray(steps)
