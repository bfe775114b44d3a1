# SPDX-License-Identifier: BSD-3-Clause
"""Probability tables that fit what a codec really codes.

The prior is trained to predict the scales of Gaussians. What it codes has heavier tails: a scale that holds on the
average is too wide for some latents and too narrow for others, and the dead zone of the encoder adds zeros. So each
level's table is that of symbols counted on photographs, and of its Gaussian as far as few were seen. *Measured* on
other photographs: 1.1 % of rate. (The dead zone that is counted with is that of the Gaussians; the next one is so near
that counting again would not pay.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...arrays import Progress, Samples
from ...codecs.quality import position
from ...codecs.talbot.codec import Talbot
from ...codecs.talbot.effort import DEAD_ZONE
from ...codecs.talbot.rdoq import dead_zone
from ...engine.ans import Symbols
from ...engine.entropy import Tables, frequencies, from_frequencies, gaussian
from ..progress import silent

GAUSSIAN = 30.0  # symbols that the Gaussian counts for
TAIL = 6.0  # standard deviations that a table reaches, and 2 more symbols: tails are heavy


def fit(
    codec: Talbot, pictures: Sequence[Samples], qualities: Sequence[int], scales: npt.NDArray[np.float64],
    progress: Progress = silent,
) -> Tables:  # fmt: skip
    """Tables for what the encoder writes with its default effort.

    Args:
        codec: with any tables of the same levels.
        pictures: ``(H, W, 3)``, at most a tile each.
        qualities: as they are stored, to code each picture at.
        scales: standard deviations of the levels.
        progress: called with pictures coded.
    """
    counts = Counts(scales)
    rounding = dead_zone(codec.prior.tables, DEAD_ZONE)
    for done, picture in enumerate(pictures):
        progress(done, len(pictures))
        (y,) = codec.latents(picture).tiles
        for quality in qualities:
            encoder, _, _ = codec.prior.encoder(y * codec.gain("encoder", quality), position(quality), rounding)
            for level, symbols in encoder.groups:
                counts.add(level, symbols)
    return counts.tables()


class Counts:
    """Counts of each symbol in each level."""

    def __init__(self, scales: npt.NDArray[np.float64]) -> None:
        self.scales = scales
        self.limits = (np.ceil(TAIL * scales) + 2).astype(np.int64)
        self.seen = [np.zeros(2 * limit + 2, np.int64) for limit in self.limits]  # -limit .. limit, and all beyond

    def add(self, level: int, symbols: Symbols) -> None:
        """Count ``symbols`` of one level."""
        limit = self.limits[level]
        index = np.where(np.abs(symbols) > limit, 2 * limit + 1, symbols + limit)
        self.seen[level] += np.bincount(index, minlength=len(self.seen[level]))

    def tables(self) -> Tables:
        """Symmetric tables of all levels."""
        fitted = []
        for scale, limit, seen in list(zip(self.scales, self.limits, self.seen, strict=True))[1:]:
            counts = GAUSSIAN * gaussian(float(scale), int(limit))
            counts[:-1] += (seen[:-1] + seen[-2::-1]) / 2
            counts[-1] += seen[-1]
            fitted.append(frequencies(counts))
        return from_frequencies(fitted)
