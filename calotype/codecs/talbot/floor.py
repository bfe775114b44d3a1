# SPDX-License-Identifier: BSD-3-Clause
"""What tiles must look like at the highest qualities, and the AVIF that does where the network does not.

At its best the network has a SSIMULACRA 2 of 88 or so, and of 83 where a photograph is full of grain. So that the scale
goes on to where a copy cannot be told from the original, each tile must reach a floor there: it rises from 80 above
quality 95 to 90 at quality 100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ...arrays import Samples
from ...raster.stills import avif
from ...raster.stills.reading import Size
from ..quality import QUALITY_MAX, QUALITY_STEPS
from .distortion import SMALLEST

FROM, AT_FROM, AT_HIGHEST = 95.0, 80.0, 90.0  # above this quality there is a floor; its ends
LOWEST, HIGHEST = 50, 100  # qualities of AVIF that are tried
START = ((80, 74), (84, 82), (87, 86), (90, 89))  # score, and quality of AVIF that has it on many a photograph
SLOPE = 0.4  # of the score, for each step of AVIF's quality
CLOSE, TRIES = 0.3, 4  # so much above the floor is near enough, 1 % of the bytes; and anything above after these


def is_highest(stored_quality: int) -> bool:
    """Whether a stored quality is the highest, at which lossy tiles must look lossless."""
    return stored_quality >= QUALITY_MAX * QUALITY_STEPS


def floor(stored_quality: int) -> float | None:
    """The SSIMULACRA 2 that a lossy tile must reach; None for any."""
    share = (stored_quality / QUALITY_STEPS - FROM) / (QUALITY_MAX - FROM)
    return AT_FROM + share * (AT_HIGHEST - AT_FROM) if share > 0 else None


def score(samples: Samples, decoded: Samples) -> float:
    """SSIMULACRA 2 of a tile; one too small for it looks perfect (infinite) if no sample is off by more than one."""
    from ...metrics.ssimulacra2 import score, weighted_sum

    if min(samples.shape[:2]) < SMALLEST:
        return math.inf if np.abs(samples.astype(int) - decoded).max() <= 1 else -math.inf
    return score(weighted_sum(samples, decoded))


@dataclass
class Ladder:
    """AVIF files of one tile, by quality, with their scores; kept for other floors."""

    tried: dict[int, tuple[bytes, float]] = field(default_factory=dict)

    def reaching(self, samples: Samples, wanted: float, speed: int, most: float) -> bytes | None:
        """About the smallest file with that score; None if there is none below so many bytes.

        Args:
            samples: of the tile, 8 bits.
            wanted: the score.
            speed: of libaom.
            most: bytes.
        """
        tries = 0
        while True:
            low = max((q for q, (_, found) in self.tried.items() if found < wanted), default=LOWEST - 1)
            high = min((q for q, (_, found) in self.tried.items() if found >= wanted and q > low), default=HIGHEST + 1)
            if low in self.tried and len(self.tried[low][0]) >= most:  # those of higher qualities are larger
                return None
            near = high - low == 1 or tries >= TRIES or self.tried.get(high, (b"", math.inf))[1] < wanted + CLOSE
            if high in self.tried and near:
                data = self.tried[high][0]
                return data if len(data) < most else None
            if high - low == 1:
                return None
            tries += 1
            quality = min(max(self._guess(low, high, wanted), low + 1), high - 1)
            data = avif.write(samples, quality, speed)
            height, width, channels = samples.shape
            self.tried[quality] = data, score(samples, avif.read(data, Size(width, height, channels, 8)))

    def _guess(self, low: int, high: int, wanted: float) -> int:
        """A quality that may have a score, from those around it."""
        if low in self.tried and high in self.tried:
            below, above = self.tried[low][1], self.tried[high][1]
            return low + math.ceil((high - low) * (wanted - below) / (above - below))
        if low in self.tried or high in self.tried:
            near = low if low in self.tried else high
            return near + math.ceil((wanted - self.tried[near][1]) / SLOPE)
        scores, qualities = np.array(START, float).T
        return round(float(np.interp(wanted, scores, qualities)))
