# SPDX-License-Identifier: BSD-3-Clause
"""Choice of what a tile is stored as: the network, a still, or a still in some cells and the network in the others.

A look (:mod:`calotype.codecs.talbot.look`) says which tiles are worth a try; from effort 5 on all are. Of what is
tried, that is kept which costs least: bits, and the distortion of the weights' training in bits
(:mod:`calotype.codecs.talbot.distortion`). An AVIF is tried at the quality that looks as good as the network's does
on photographs, so that no seam is seen. At the highest quality, lossy tiles must look lossless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from ...arrays import Samples, to_planes
from ...engine.tiling import Rectangle, grid
from ...raster.stills import avif, png, webp
from ..quality import QUALITY_MAX, QUALITY_STEPS
from .distortion import SMALLEST, Distortion
from .look import Look, look
from .model import TILE
from .plan import Plan
from .stills import raw
from .tiles import CELL, Cells, Payload, write

FIRST_EVERYWHERE = 5  # the lowest effort that tries all on every tile
# Quality of the network, and quality of AVIF that looks alike by SSIMULACRA 2; from tools/alike.py.
ALIKE = ((1, 11), (15, 26), (25, 36), (35, 44), (45, 51), (55, 60), (65, 68), (75, 78), (85, 85), (95, 88), (100, 89))
LOOKS_LOSSLESS = 90.0  # of SSIMULACRA 2
SURELY_LOSSLESS = (92, 95, 98)  # qualities of AVIF that are tried for it
HOPELESS = 1.2  # times the bits of what is exact, of an AVIF in haste: nothing will come of it
NOISE = 0.95  # of the bytes of its samples, is what exact noise takes; nothing else tells it from a picture
FEWEST_CELLS = 4  # of each kind, for a tile of both

# Payload of a tile and the samples that it decodes to, for what is planned in it.
Trial = Callable[[Samples, Payload | None], tuple[bytes, Samples]]


@dataclass(frozen=True)
class Choice:
    """Chooses at one quality.

    Attributes:
        stored_quality: of the header.
        everywhere: try all on every tile.
        distortion: of the weights; None where they do not say, so that only what is lossless can be told better.
        trial: codes and decodes a tile on its own.
        exact: lossless stills that are known, by tile; kept for other qualities.
    """

    stored_quality: int
    everywhere: bool
    distortion: Distortion | None
    trial: Trial
    exact: dict[int, Payload]

    @property
    def highest(self) -> bool:
        """Whether lossy tiles must look lossless."""
        return self.stored_quality >= QUALITY_MAX * QUALITY_STEPS

    def plan(self, samples: Samples) -> Plan:
        """The plan of a picture ``(H, W, 1 or 3)``."""
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        places = enumerate(place for _, _, place in grid(picture, TILE))
        chosen = {index: self.tile(index, samples[place.slices]) for index, place in places}
        return Plan({index: payload for index, payload in chosen.items() if payload is not None})

    def tile(self, index: int, samples: Samples) -> Payload | None:
        """What to store a tile ``(H, W, 1 or 3)`` as, whatever is the network's left out; None for the network."""
        seen = look(samples)
        if not (self.everywhere or self.highest or seen.drawn):
            return None
        if index not in self.exact:
            self.exact[index] = lossless(samples)
        best: Payload | None = self.exact[index]
        least = 8.0 * len(write(self.exact[index]))
        if self.highest and least > 8 * NOISE * samples.nbytes:
            return best
        for planned in self._lossy(samples, seen, least):
            data, decoded = self.trial(samples, planned)
            bits = 8.0 * len(data)
            if bits >= least or not self._good(samples, decoded):
                continue
            bits += self._cost(samples, decoded)
            if bits < least:
                best, least = planned, bits
                if self.highest:  # what comes next is larger
                    break
        return best

    def _lossy(self, samples: Samples, seen: Look, least: float) -> Iterator[Payload | None]:
        """What may cost less than ``least`` bits, the likely first."""
        every = np.ones_like(seen.cells)
        yield None
        if samples.dtype != np.uint8:
            return
        if self.highest:
            for quality in SURELY_LOSSLESS:
                still = avif.write(samples, quality)
                if 8 * len(still) >= least:  # and those of higher qualities are larger
                    return
                yield Payload(still=still, cells=every)
            return
        if min(seen.cells.sum(), (~seen.cells).sum()) >= FEWEST_CELLS:
            yield Payload(still=webp.write(filled(samples, seen.cells)), cells=seen.cells)
        ours, theirs = np.array(ALIKE, float).T
        quality = round(float(np.interp(self.stored_quality / QUALITY_STEPS, ours, theirs)))
        if 8 * len(avif.write(samples, quality, avif.HASTY)) < HOPELESS * least:
            yield Payload(still=avif.write(samples, quality), cells=every)

    def _good(self, samples: Samples, decoded: Samples) -> bool:
        """Whether a lossy tile may be taken."""
        if not self.highest:
            return self.distortion is not None
        from ...metrics.ssimulacra2 import score, weighted_sum

        if min(samples.shape[:2]) < SMALLEST:
            return bool(np.abs(samples.astype(int) - decoded).max() <= 1)
        return score(weighted_sum(samples, decoded)) >= LOOKS_LOSSLESS

    def _cost(self, samples: Samples, decoded: Samples) -> float:
        """Distortion in bits; at the highest quality, nothing that looks lossless costs any."""
        if self.highest or self.distortion is None:
            return 0.0
        channels = samples.shape[2]
        return self.distortion.bits(to_planes(decoded)[:channels], to_planes(samples)[:channels])


def lossless(samples: Samples) -> Payload:
    """The smallest of what gives back every sample."""
    every = np.ones((-(-samples.shape[0] // CELL), -(-samples.shape[1] // CELL)), bool)
    samples = cast(Samples, np.ascontiguousarray(samples))
    still = webp.write(samples) if samples.dtype == np.uint8 else png.write(samples)
    plain = raw(samples)
    return Payload(raw=plain, cells=every) if len(plain) <= len(still) else Payload(still=still, cells=every)


def filled(samples: Samples, cells: Cells) -> Samples:
    """Samples of which only cells count: the others have one colour."""
    fine = cells.repeat(CELL, 0).repeat(CELL, 1)[: samples.shape[0], : samples.shape[1]]
    return cast(Samples, np.where(fine[..., None], samples, samples[fine][0]))
