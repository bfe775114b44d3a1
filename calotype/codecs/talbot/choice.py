# SPDX-License-Identifier: BSD-3-Clause
"""Choice of what a tile is stored as: the network, a still, or a still in some cells and the network in the others.

A look (:mod:`calotype.codecs.talbot.look`) says which tiles are worth a try; from effort 5 on all are. Of what is
tried, that is kept which costs least: bits, and the distortion of the weights' training in bits
(:mod:`calotype.codecs.talbot.distortion`). An AVIF is tried at the quality that looks as good as the network's does
on photographs, so that no seam is seen. At the highest qualities tiles must reach a floor
(:mod:`calotype.codecs.talbot.floor`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ...arrays import Samples, to_planes
from ...engine.tiling import Rectangle, grid
from ...engine.workers import Workers
from ...raster.stills import avif, png, webp
from ..quality import QUALITY_STEPS
from .distortion import SMALLEST, Distortion
from .floor import Ladder, floor, is_highest, score
from .look import Look, look
from .model import TILE
from .plan import Plan
from .stills import raw
from .tiles import CELL, Cells, Payload, write

FIRST_EVERYWHERE = 5  # the lowest effort that tries all on every tile
# Quality of the network, and quality of AVIF that looks alike by SSIMULACRA 2; from tools/alike.py.
ALIKE = ((1, 11), (15, 26), (25, 36), (35, 44), (45, 51), (55, 60), (65, 68), (75, 78), (85, 85), (95, 88), (100, 89))
QUICK = 6  # speed of libaom where a photograph must reach the floor: 4 takes 5 % fewer bytes, and eight times as long
HOPELESS = 1.2  # times the bits of what is exact, of an AVIF in haste: nothing will come of it
NOISE = 0.95  # of the bytes of its samples, is what exact noise takes; nothing else tells it from a picture
FEWEST_CELLS = 4  # of each kind, for a tile of both

# Payload of a tile and the samples that it decodes to, for what is planned in it.
Trial = Callable[[Samples, Payload | None], tuple[bytes, Samples]]


@dataclass
class Known:
    """What is known of a tile, whatever the quality."""

    exact: Payload | None = None
    ladder: Ladder = field(default_factory=Ladder)
    network: dict[int, float] = field(default_factory=dict)  # its scores, by stored quality

    def lossless(self, samples: Samples) -> Payload:
        """The smallest of what gives back every sample."""
        self.exact = self.exact or lossless(samples)
        return self.exact


@dataclass(frozen=True)
class Choice:
    """Chooses at one quality.

    Attributes:
        stored_quality: of the header.
        everywhere: try all on every tile.
        distortion: of the weights; None where they do not say, so that only what is lossless can be told better.
        trial: codes and decodes a tile on its own.
        known: of tiles, by index, kept for other qualities; None if there will be none.
    """

    stored_quality: int
    everywhere: bool
    distortion: Distortion | None
    trial: Trial
    known: dict[int, Known] | None = None

    @property
    def highest(self) -> bool:
        """Whether all tiles must reach the floor."""
        return is_highest(self.stored_quality)

    @property
    def floor(self) -> float | None:
        """The SSIMULACRA 2 that tiles must reach: with weights that were trained for it, or at the highest quality."""
        trained = self.distortion is not None and self.distortion.shares.ssimulacra2 > 0
        return floor(self.stored_quality) if trained or self.highest else None

    def plan(self, samples: Samples, workers: Workers) -> Plan:
        """The plan of a picture ``(H, W, 1 or 3)``, whose tiles are shared among workers."""
        picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
        parts = [samples[place.slices] for _, _, place in grid(picture, TILE)]
        chosen = workers.map(lambda index: self.tile(index, parts[index]), range(len(parts)))
        return Plan({index: payload for index, payload in enumerate(chosen) if payload is not None})

    def tile(self, index: int, samples: Samples) -> Payload | None:
        """What to store a tile ``(H, W, 1 or 3)`` as, whatever is the network's left out; None for the network."""
        known = Known() if self.known is None else self.known.setdefault(index, Known())
        seen = look(samples)
        if (self.everywhere or seen.drawn) and not self.highest:
            return self._cheapest(samples, seen, known)
        if self.floor is not None and (self.highest or may_be_avif(samples)):
            return self._smallest(samples, seen, known, self.floor)
        return None

    def _cheapest(self, samples: Samples, seen: Look, known: Known) -> Payload | None:
        """What costs least."""
        exact = known.lossless(samples)
        best: Payload | None = exact
        least = 8.0 * len(write(exact))
        if self.distortion is None:
            return best
        for planned in self._lossy(samples, seen, least):
            data, decoded = self.trial(samples, planned)
            bits = 8.0 * len(data)
            if bits < least:
                channels = samples.shape[2]
                bits += self.distortion.bits(to_planes(decoded)[:channels], to_planes(samples)[:channels])
            if bits < least:
                best, least = planned, bits
        return best

    def _lossy(self, samples: Samples, seen: Look, least: float) -> Iterator[Payload | None]:
        """What may cost less than ``least`` bits, the likely first."""
        yield None
        if samples.dtype != np.uint8:
            return
        if min(seen.cells.sum(), (~seen.cells).sum()) >= FEWEST_CELLS:
            yield Payload(still=webp.write(filled(samples, seen.cells)), cells=seen.cells)
        ours, theirs = np.array(ALIKE, float).T
        quality = round(float(np.interp(self.stored_quality / QUALITY_STEPS, ours, theirs)))
        if avif.available() and 8 * len(avif.write(samples, quality, avif.HASTY)) < HOPELESS * least:
            yield Payload(still=avif.write(samples, quality), cells=np.ones_like(seen.cells))

    def _smallest(self, samples: Samples, seen: Look, known: Known, wanted: float) -> Payload | None:
        """The smallest of what reaches a score; the network below the highest quality, if it does."""
        if self.highest and len(write(known.lossless(samples))) > NOISE * samples.nbytes:
            return known.exact
        network = self._network(samples, known, wanted)
        if network is not None and not self.highest:
            return None
        exact = known.lossless(samples)
        most = len(write(exact))
        if network is not None:
            return None if network < most else exact
        if not may_be_avif(samples):
            return exact
        speed = avif.SPEED if self.everywhere or seen.drawn else QUICK
        still = known.ladder.reaching(samples, wanted, speed, most)
        return exact if still is None else Payload(still=still, cells=np.ones_like(seen.cells))

    def _network(self, samples: Samples, known: Known, wanted: float) -> int | None:
        """Bytes of the network's tile; None if it does not reach a score, as none of a lower quality does then."""
        if any(quality > self.stored_quality and found < wanted for quality, found in known.network.items()):
            return None
        data, decoded = self.trial(samples, None)
        found = known.network[self.stored_quality] = score(samples, decoded)
        return len(data) if found >= wanted else None


def may_be_avif(samples: Samples) -> bool:
    """Whether a tile can be an AVIF, and be judged."""
    return samples.dtype == np.uint8 and min(samples.shape[:2]) >= SMALLEST and avif.available()


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
