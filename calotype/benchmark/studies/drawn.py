# SPDX-License-Identifier: BSD-3-Clause
"""What ``talbot`` is worth on drawn pictures, at its default quality, against AVIF of the same SSIMULACRA 2.

python -m calotype.benchmark.studies.drawn [--out benchmarks/results/drawn]

Where every sample comes back, no lossy AVIF is as good; it is then compared at a SSIMULACRA 2 of 90, where people take
a copy for the original.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...api.decode import decode
from ...api.encode import DEFAULT_QUALITY, encode
from ...api.probe import probe
from ...metrics.ssimulacra2 import ssimulacra2
from ..contender import Picture
from ..curves import compact_json
from ..drawn import drawn_set
from ..peers import AVIF
from ..pictures import Photograph
from . import RESULTS, study

EXACT = 90.0  # what AVIF has to reach where we are exact


def least_avif(picture: Picture, wanted: float) -> tuple[int, float]:
    """Bytes and SSIMULACRA 2 of the smallest AVIF that reaches a value; of the best one if none does."""
    low, high = int(AVIF.lowest), int(AVIF.highest)
    tried: dict[int, tuple[int, float]] = {}

    def score(quality: int) -> float:
        data = AVIF.encode(picture, quality)
        tried[quality] = len(data), float(ssimulacra2(picture, AVIF.decode(data)))
        return tried[quality][1]

    while low < high:
        middle = (low + high) // 2
        if score(middle) >= wanted:
            high = middle
        else:
            low = middle + 1
    if high not in tried:
        score(high)
    return tried[high]


def measured(drawing: Photograph) -> dict[str, Any]:
    """A picture, ours and the others."""
    picture = drawing.samples
    data = encode(picture, quality=DEFAULT_QUALITY, threads=1)
    decoded = decode(data, as_array=True, threads=1)
    exact = bool(np.array_equal(decoded, picture))
    score = 100.0 if exact else float(ssimulacra2(picture, decoded))
    size, reached = least_avif(picture, EXACT if exact else score)
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG", optimize=True)
    return {
        "kinds": list(probe(data).kinds) or ["network"], "bytes": len(data), "ssimulacra2": round(score, 2),
        "avif_bytes": size, "avif_ssimulacra2": round(reached, 2), "png_bytes": len(png.getvalue()),
        "change": round(len(data) / size - 1, 4),
    }  # fmt: skip


@study
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / "drawn")
    chosen = parser.parse_args(arguments)
    found = {}
    for drawing in drawn_set():
        found[drawing.name] = row = measured(drawing)
        ours = f"{row['bytes']:>8,} {row['ssimulacra2']:>6}"
        print(f"{drawing.name:<10} {ours} {row['avif_bytes']:>8,} {row['change']:+.1%}")
    mean = float(np.mean([row["change"] for row in found.values()]))
    print(f"mean {mean:+.1%}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    record = {"quality": DEFAULT_QUALITY, "against": AVIF.description, "mean": round(mean, 4), "pictures": found}
    (chosen.out / "drawn.json").write_text(compact_json(record), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
