# SPDX-License-Identifier: BSD-3-Clause
"""Which quality of AVIF looks like each of talbot's: the table in ``calotype/codecs/talbot/choice.py``.

    python tools/alike.py PHOTOS --count 40

Of each photograph a middle of 512 x 512 pixels is coded at each quality of the table, and at several of AVIF; the
quality of AVIF that has the same SSIMULACRA 2 is read between them. The table is their median. Take pictures that
nothing is judged on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import calotype
import calotype.raster
from calotype.engine.tiling import Rectangle
from calotype.metrics import ssimulacra2
from calotype.raster.stills import avif
from calotype.raster.stills.reading import Size

SIDE = 512
OURS = (1, 15, 25, 35, 45, 55, 65, 75, 85, 95, 100)
THEIRS = (4, 10, 16, 23, 33, 41, 50, 59, 69, 79, 86, 92)


def alike(samples: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> list[float]:
    """The quality of AVIF that looks like each of :data:`OURS`, for one picture."""
    size = Size(samples.shape[1], samples.shape[0], 3, 8)
    theirs = [ssimulacra2(samples, avif.read(avif.write(samples, q, avif.HASTY), size)) for q in THEIRS]
    rising = np.maximum.accumulate(theirs)
    ours = [
        ssimulacra2(samples, calotype.decode(calotype.encode(samples, quality=q, tiles="network"), as_array=True))
        for q in OURS
    ]
    return [float(np.interp(score, rising, THEIRS)) for score in ours]


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args(arguments)
    paths = sorted(path for path in options.photos.iterdir() if path.is_file() and path.suffix != ".md")
    found = []
    for path in paths[:: max(1, len(paths) // options.count)][: options.count]:
        samples = calotype.raster.load(path).samples
        height, width = samples.shape[:2]
        if min(height, width) < SIDE:
            continue
        place = Rectangle((width - SIDE) // 2, (height - SIDE) // 2, (width + SIDE) // 2, (height + SIDE) // 2)
        found.append(alike(np.ascontiguousarray(samples[place.slices])))
        print(path.name, [round(q) for q in found[-1]], file=sys.stderr, flush=True)
    print(tuple(zip(OURS, np.rint(np.median(found, 0)).astype(int).tolist(), strict=True)))


if __name__ == "__main__":
    sys.exit(main())
