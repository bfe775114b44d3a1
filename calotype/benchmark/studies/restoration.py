# SPDX-License-Identifier: BSD-3-Clause
"""Gain of ``calotype restore``: pictures through standard codecs, and PSNR and SSIM before and after restoring.

    python -m calotype.benchmark.studies.restoration FOLDER        # of originals, for example the 24 Kodak pictures

Each picture is written by Pillow in every way of :data:`CASES`, read back and restored from the file, on one thread.
Prints a table in Markdown and writes ``benchmarks/results/restoration.json``. Speed counts the whole call: reading
the file, finding out how hard it was compressed, and the network.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ... import metrics
from ...api.restore import CODEC, restore
from ...engine import bundles
from ...version import __version__
from ..contender import Picture
from ..curves import compact_json, provenance
from ..peers import decode
from ..pictures import Photograph, load_folder
from . import RESULTS, study

OUT = RESULTS / "restoration.json"


def jpeg(quality: int) -> dict[str, Any]:
    """Pillow's arguments."""
    return {"format": "JPEG", "quality": quality, "subsampling": "4:2:0"}


CASES: dict[str, dict[str, Any]] = {
    "JPEG 10": jpeg(10),
    "JPEG 20": jpeg(20),
    "JPEG 40": jpeg(40),
    "JPEG 95": jpeg(95),
    "WebP 10": {"format": "WEBP", "quality": 10},
    "AVIF 25": {"format": "AVIF", "quality": 25, "speed": 6, "subsampling": "4:4:4", "max_threads": 1},
    "JPEG 2000, 0.25 bpp": {
        "format": "JPEG2000",
        "quality_mode": "rates",
        "quality_layers": [96],
        "irreversible": True,
    },
}


@dataclass(frozen=True)
class Restored:
    """One picture in one way."""

    picture: str
    bpp: float
    psnr_before: float
    psnr_after: float
    ssim_before: float
    ssim_after: float
    seconds: float  # of restoring, one thread
    megapixels: float


def one(photograph: Photograph, options: Mapping[str, Any]) -> Restored:
    """Write, read, restore, compare."""
    memory = BytesIO()
    Image.fromarray(photograph.samples).save(memory, **options)
    data = memory.getvalue()
    before = decode(data)
    begin = time.perf_counter()
    after: Picture = np.asarray(restore(data, threads=1, as_array=True))
    seconds = time.perf_counter() - begin
    original = photograph.samples
    return Restored(
        photograph.name,
        metrics.bits_per_pixel(len(data), (original.shape[1], original.shape[0])),
        metrics.psnr(original, before),
        metrics.psnr(original, after),
        metrics.ssim(original, before),
        metrics.ssim(original, after),
        seconds,
        photograph.pixels / 1e6,
    )


def summary(outcomes: Sequence[Restored]) -> dict[str, float]:
    """Means over the pictures, what became of the single ones, and the median speed."""
    gains = [o.psnr_after - o.psnr_before for o in outcomes]
    columns = ("bpp", "psnr_before", "psnr_after", "ssim_before", "ssim_after")
    means = {name: statistics.fmean(getattr(o, name) for o in outcomes) for name in columns}
    return {
        **{name: round(value, 4) for name, value in means.items()},
        "psnr_gain": round(statistics.fmean(gains), 3),
        "psnr_gain_lowest": round(min(gains), 3),
        "psnr_rose": sum(gain > 0 for gain in gains),
        "ssim_rose": sum(o.ssim_after > o.ssim_before for o in outcomes),
        "pictures": len(outcomes),
        "mps": round(statistics.median(o.megapixels / o.seconds for o in outcomes), 3),
    }


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """In Markdown."""
    lines = [
        "| | bpp | PSNR before | after | gain (dB) | lowest gain | SSIM before | after | SSIM rose | MP/s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in results.items():
        lines.append(
            f"| {name} | {found['bpp']:.2f} | {found['psnr_before']:.2f} | {found['psnr_after']:.2f} | "
            f"{signed(found['psnr_gain'])} | {signed(found['psnr_gain_lowest'])} | {found['ssim_before']:.4f} | "
            f"{found['ssim_after']:.4f} | {found['ssim_rose']:.0f} of {found['pictures']:.0f} | {found['mps']:.2f} |"
        )
    return "\n".join(lines)


def signed(value: float) -> str:
    """With a sign that is one."""
    return f"{value:+.2f}".replace("-", "−")


def run(folder: Path, out: Path, count: int | None) -> None:
    """Measure all of it."""
    photographs = load_folder(folder)[:count]
    weights = bundles.find(CODEC)
    restore(photographs[0].samples[:64, :64], threads=1)  # loads the networks
    results, pictures = {}, {}
    for name, options in CASES.items():
        outcomes = []
        for photograph in photographs:
            print(f"{name}, {photograph.name}", end="\r", file=sys.stderr)
            outcomes.append(one(photograph, options))
        results[name] = summary(outcomes)
        pictures[name] = {o.picture: [round(v, 4) for v in list(asdict(o).values())[1:7]] for o in outcomes}
    made = {**provenance(), "calotype": __version__, "weights": weights.hash[:8], "data": folder.name}
    columns = ["bpp", "psnr_before", "psnr_after", "ssim_before", "ssim_after", "seconds"]
    cases = {name: {key: str(value) for key, value in options.items()} for name, options in CASES.items()}
    content = {"results": results, "provenance": made, "cases": cases, "columns": columns, "pictures": pictures}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(compact_json(content), encoding="utf-8")
    print(table(results))


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals")
    parser.add_argument("--out", type=Path, default=OUT, help="the file of results")
    parser.add_argument("--count", type=int, help="only the first so many pictures")
    options = parser.parse_args(arguments)
    run(options.folder, options.out, options.count)


if __name__ == "__main__":
    sys.exit(main())
