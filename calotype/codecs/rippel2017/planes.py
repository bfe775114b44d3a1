# SPDX-License-Identifier: BSD-3-Clause
"""The bit planes of ``rippel2017``, most significant first: which there are at a quality, and which make a layer.

A plane tells of each latent y whether its modulus holds one more *threshold*: together with those before, it tells
``floor(|y| / threshold)``. Thresholds are powers of two with exponents in units of 1 / :data:`OCTAVE`, halved from
plane to plane down to the finest one, which the quality names. A plane is coded in :data:`GROUPS` groups of channels.

The first layer holds all planes that are too coarse for a picture; every further one holds one group of one plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...arrays import Floats
from ..quality import QUALITY_MAX, QUALITY_MIN, QUALITY_STEPS

OCTAVE = 64  # exponents in a factor of two
COARSEST = 5 * OCTAVE  # exponent of the finest threshold at quality 1; it is 0 at quality 100
FIRST = 6 * OCTAVE  # the first layer holds the planes of this exponent and above
TOP = 11 * OCTAVE  # latents are smaller than the threshold of this exponent
GROUPS = 2
CENTRE = 0.45  # where within its interval a modulus is taken to lie
MOST_LAYERS = 1 + GROUPS * (FIRST // OCTAVE)

Moduli = npt.NDArray[np.int16]
Signs = npt.NDArray[np.int8]


def finest(stored_quality: int) -> int:
    """Exponent of the last plane's threshold at a stored quality."""
    highest, span = round(QUALITY_MAX * QUALITY_STEPS), round((QUALITY_MAX - QUALITY_MIN) * QUALITY_STEPS)
    return (highest - stored_quality) * COARSEST // span


def layers(stored_quality: int) -> list[list[tuple[int, int]]]:
    """The layers of a file: each a list of the exponents and groups that it codes, in order."""
    last = finest(stored_quality)
    exponents = range(last + (TOP - 1 - last) // OCTAVE * OCTAVE, last - 1, -OCTAVE)
    first = [(exponent, group) for exponent in exponents if exponent >= FIRST for group in range(GROUPS)]
    return [first, *([(exponent, group)] for exponent in exponents if exponent < FIRST for group in range(GROUPS))]


def moduli(y: Floats, limits: npt.NDArray[np.int64], exponent: int) -> Moduli:
    """How many thresholds each latent of ``y (C, h, w)`` holds; those of a channel stay below 2^limit."""
    most = (np.exp2(limits.astype(np.float64)) - 1)[:, None, None]
    held: Moduli = np.floor(np.minimum(np.abs(y), most) * 2.0 ** (-exponent / OCTAVE)).astype(np.int16)
    return held


def values(held: Moduli, signs: Signs, exponents: Sequence[int]) -> Floats:
    """Latents ``(C, h, w)`` of which each group is known down to the threshold of its exponent."""
    thresholds = np.exp2(np.array(exponents, np.float32) / OCTAVE).repeat(len(held) // GROUPS)[:, None, None]
    y_hat: Floats = np.where(held > 0, signs * (held + np.float32(CENTRE)) * thresholds, 0).astype(np.float32)
    return y_hat
