# SPDX-License-Identifier: BSD-3-Clause
"""Noise in decoded latents: what those that were rounded to their prediction may have been, in place of their mean.

At low rates most latents are coded as zero: the decoder has what the prior predicts, and the synthesis makes of it a
smooth picture, the mean of all that the file can mean. The prior also says how far from its prediction a latent is
likely to lie: *measured* at qualities 1 to 35, the root of the mean square of what was rounded to zero is within a
tenth of the prior's scale, or of that of a uniform rounding error where that is smaller; at scales of 0.3 to 0.4
steps it is up to a quarter less. Noise of this size gives latents as they may have been. After L. Theis and
E. Agustsson 2021 (arXiv 2104.10544), decoding as sampling.

The noise follows from the bytes of a tile and from the place in it, in whole numbers.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ...codecs.talbot.prior import CHECK_BYTES, Mask, Prior, from_phases
from ...engine.entropy import Decoder, Levels
from ..integer import scales

ROUNDING = 1 / math.sqrt(12)  # standard deviation of a uniform rounding error: no noise is stronger
BYTES_MEAN, BYTES_DEVIATION = 510.0, 147.8  # of the sum of four random bytes
PASSES = ("y1", "y2", "y3", "y4")


class NoisyPrior(Prior):
    """A prior that decodes latents with noise in them; what it was decoded from is as it was.

    Args:
        prior: of a bundle.
        strength: of the noise: 1 for latents as they may have been.
    """

    def __init__(self, prior: Prior, strength: float) -> None:
        vars(self).update(vars(prior))
        deviations = np.minimum(scales(), ROUNDING)
        deviations[0] = 0.0  # never coded
        self.scales = (strength * deviations).astype(np.float32)

    def decode(self, data: bytes, h: int, w: int, quality: float, kept: Mask | None = None) -> Floats:
        """The latents ``(M, h, w)``, of a tile that is whole."""
        decoder, seed, added = Decoder(self.tables, data[CHECK_BYTES:]), zlib.crc32(data), {}

        def read(stage: str, means: Floats, levels: Levels, steps: Floats) -> Floats:
            residuals = decoder.decode(levels.reshape(-1)).reshape(means.shape)
            if stage in PASSES:
                normal = gaussian(residuals.shape, seed ^ PASSES.index(stage) << 30)
                added[stage] = normal * self.scales[levels] * steps * (residuals == 0)
            return means + residuals.astype(np.float32) * steps

        y_hat, _ = self.walk(read, h, w, quality, kept)
        y1, y2, d, bc = (added[stage] for stage in PASSES)
        (a2, a3, a4), (b, c) = np.split(y2, 3), np.split(bc, 2)
        noise = from_phases(from_phases(y1, a2, a3, a4), b, c, d)
        return np.asarray(y_hat + noise[:, :h, :w], np.float32)


def gaussian(shape: tuple[int, ...], seed: int) -> Floats:
    """Nearly normal numbers of deviation 1: sums of four bytes."""
    bits = mixed(np.arange(math.prod(shape), dtype=np.uint32) ^ np.uint32(seed))
    sums = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)
    normal: Floats = (sums.astype(np.float32) - np.float32(BYTES_MEAN)) / np.float32(BYTES_DEVIATION)
    return normal.reshape(shape)


def mixed(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Bits that look random, from any; the function ``lowbias32`` of C. Wellons 2018."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = np.bitwise_xor(x, np.right_shift(x, np.uint32(shift))) * np.uint32(factor)
    return np.bitwise_xor(x, np.right_shift(x, np.uint32(16)))
