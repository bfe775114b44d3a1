# SPDX-License-Identifier: BSD-3-Clause
"""What an adversary is worth to ``rippel2017``: two bundles, trained on from the same state for as many steps, with it
and without, by measures that they were not trained for as well.

    python -m calotype.benchmark.studies.adversary CID22 --without weights/plain --with weights/adversarial
        --squeezenet squeezenet_v1_0.npz

Each folder holds that of a bundle. All of real files. Writes ``adversary.json`` into the folder of results and prints a
table: values at equal rates, between those of the qualities.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ... import metrics
from ..curves import provenance
from ..pictures import Photograph, load_folder
from . import RESULTS, study
from .bit_planes import at, mean, opened, rows_of

QUALITIES = (30, 50, 70, 90)
RATES = (0.25, 0.5, 0.75)
TITLES = {"decibels": "MS-SSIM, dB", "psnr": "PSNR", "ssimulacra2": "SSIMULACRA 2", "squeezenet": "perceptual distance"}


def markdown(averages: dict[str, list[dict[str, float]]]) -> str:
    """Both bundles at equal rates."""
    lines = [f"| bpp | | {' | '.join(TITLES.values())} |", "|--:|---|" + "--:|" * len(TITLES)]
    for bpp in RATES:
        for name, rows in averages.items():
            lines.append(f"| {bpp:g} | {name} | " + " | ".join(f"{at(rows, key, bpp):.4g}" for key in TITLES) + " |")
    return "\n".join(lines)


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals")
    parser.add_argument("--without", type=Path, required=True, help="folder with the bundle trained without it")
    parser.add_argument("--with", dest="adversarial", type=Path, required=True, help="folder with the other bundle")
    parser.add_argument("--squeezenet", type=Path, required=True, help="weights of the perceptual distance")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth picture")
    parser.add_argument("--out", type=Path, default=RESULTS / "adversary.json", help="the file of results")
    options = parser.parse_args(arguments)
    network = metrics.load_squeezenet(options.squeezenet)

    def judge(picture: Photograph, decoded: Any, size: int) -> dict[str, float]:
        x, y = picture.samples, np.asarray(decoded)
        return {
            "bpp": metrics.bits_per_pixel(size, x),
            "psnr": metrics.psnr(x, y),
            "ms-ssim": metrics.ms_ssim(x, y),
            "ssimulacra2": metrics.ssimulacra2(x, y),
            "squeezenet": metrics.perceptual_distance(x, y, network),
        }

    codecs = {"without": opened(options.without), "with": opened(options.adversarial)}
    rows: dict[str, list[list[dict[str, float]]]] = {name: [] for name in codecs}
    for picture in load_folder(options.folder)[:: options.every]:
        for name, codec in codecs.items():
            rows[name].append(rows_of(codec, picture, QUALITIES, judge))
        print(picture.name, file=sys.stderr, flush=True)
    averages = {name: mean(found) for name, found in rows.items()}
    weights = {name: codec.bundle.hash[:8] for name, codec in codecs.items()}
    content = {"weights": weights, "pictures": len(rows["with"]), "provenance": provenance(), "averages": averages}
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(markdown(averages))


if __name__ == "__main__":
    sys.exit(main())
