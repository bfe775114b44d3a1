# SPDX-License-Identifier: BSD-3-Clause
"""Half the size inside: what the networks of ``tao2017`` at scale 2 add to plain resampling, around JPEG.

    python -m calotype.benchmark.studies.half_size FOLDER        # of originals, for example the 24 Kodak pictures

Four ways to spend the same bytes: JPEG alone; a JPEG of half the size, enlarged by bicubic interpolation (what
``tao2017`` would be if it had learned nothing); that JPEG restored and then enlarged by ``srresnet-x2`` (networks that
never met each other); and ``tao2017``, whose networks were trained together. The last three are files of the same form.
Prints the mean PSNR at two rates, read picture by picture; results go to ``benchmarks/results/half-size.json``.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...api.restore import restore
from ...api.upscale import upscale
from ...api.wrap import extract, wrap
from ...codecs.tao2017.standard import BASES, write
from ...engine import bundles
from ...metrics.catalogue import MS_SSIM, PSNR
from ...raster.bands import to_8
from ...raster.resampling import resize
from ...version import __version__
from ..bdrate import slopes
from ..compare import Columns
from ..contender import Contender, Picture
from ..curves import Curve, compact_json, provenance
from ..measure import measure
from ..peers import JPEG
from ..pictures import load_folder
from ..records import Cache
from . import RESULTS, study
from .around_codecs import ours, points_of

OUT = RESULTS / "half-size.json"
RATES = (0.15, 0.3)  # bits per pixel
ALONE = (1, 2, 3, 5, 7, 10, 15, 20, 30)
HALF = (3, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80)
OURS = (5, 10, 20, 30, 50, 80)  # fewer, for they take longest
Enlarge = Callable[[bytes], Picture]


def halved(picture: Picture, quality: float) -> bytes:
    """A ``tao2017`` file whose compact picture is plain bicubic."""
    height, width = picture.shape[:2]
    small = resize(picture, -(-height // 2), -(-width // 2))
    return wrap(write(BASES["jpeg"], small, quality), scale=2, size=(width, height))


def bicubic(file: bytes) -> Picture:
    """The JPEG twice as large."""
    small = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    return to_8(resize(small, 2 * small.shape[0], 2 * small.shape[1]))


def restored_and_enlarged(file: bytes) -> Picture:
    """The JPEG as ``calotype restore`` and then ``calotype upscale --scale 2`` make it."""
    return np.asarray(upscale(restore(file, threads=1, as_array=True), 2, threads=1, as_array=True))


def plain(name: str, title: str, enlarge: Enlarge, weights: Sequence[str]) -> Contender:
    """Bicubic down, JPEG, and ``enlarge``, as a codec of the benchmark."""

    def decode(data: bytes) -> Picture:
        return enlarge(extract(data))

    def versions() -> dict[str, str]:
        hashes = {bundle.id: bundle.hash[:8] for bundle in bundles.installed() if bundle.id in weights}
        return {"calotype": __version__, **hashes, **JPEG.versions()}

    return Contender(name, title, ".calo", "quality", HALF, {"threads": 1}, halved, decode, versions)


CONTENDERS = (
    JPEG,
    plain("bicubic", "bicubic down, JPEG, bicubic up", bicubic, ()),
    plain(
        "restore, upscale",
        "bicubic down, JPEG, restore, srresnet-x2",
        restored_and_enlarged,
        ("tao2017", "srresnet-x2"),
    ),
    ours("jpeg", 2, OURS),
)


def psnr_along(columns: Columns, rate: float) -> float | None:
    """PSNR at a rate, by the curve of BD-rates over the logarithm of the rate; None outside of it."""
    points = dict(points_of(columns))  # of equal rates, one
    x, y, at = np.array(list(points)), np.array(list(points.values())), math.log(rate)
    if not x[0] <= at <= x[-1]:
        return None
    i = min(int(np.searchsorted(x, at, side="right")), len(x) - 1) - 1
    slope, step = slopes(x, y), x[i + 1] - x[i]
    t = (at - x[i]) / step
    rise = (3 * t**2 - 2 * t**3) * (y[i + 1] - y[i])
    return float(y[i] + rise + step * (t * (1 - t) ** 2 * slope[i] - t**2 * (1 - t) * slope[i + 1]))


def at_rate(curves: Mapping[str, Curve], rate: float) -> tuple[dict[str, float | None], int]:
    """Mean PSNR of each at a rate, over the pictures of which all curves reach it, and how many those are."""
    found: dict[str, list[float]] = {name: [] for name in curves}
    for picture in next(iter(curves.values())).pictures:
        values = {name: psnr_along(curve.of_picture(picture), rate) for name, curve in curves.items()}
        for name, value in values.items():
            if value is not None and None not in values.values():
                found[name].append(value)
    means = {name: round(statistics.fmean(values), 3) if values else None for name, values in found.items()}
    return means, len(next(iter(found.values())))


def table(results: Mapping[str, Any]) -> str:
    """In Markdown."""
    heads = [f"PSNR at {rate} ({found['pictures']} pictures)" for rate, found in results.items()]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for contender in CONTENDERS:
        values = [found["psnr"][contender.name] for found in results.values()]
        cells = ["none" if value is None else f"{value:.2f}" for value in values]
        lines.append(f"| {contender.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(folder: Path, out: Path, count: int | None, cache: Path | None) -> None:
    """Measure all of it."""
    photographs = load_folder(folder)[:count]
    curves = measure(
        CONTENDERS,
        photographs,
        {JPEG.name: ALONE},
        metrics=(PSNR, MS_SSIM),
        cache=Cache(cache) if cache else None,
        progress=lambda done, total, label: print(f"{done}/{total} {label:50}", end="\r", file=sys.stderr),
    )
    results = {}
    for rate in RATES:
        means, count_there = at_rate(curves, rate)
        results[f"{rate} bpp"] = {"psnr": means, "pictures": count_there}
    made = {**provenance(), "data": folder.name, "count": len(photographs), "versions": CONTENDERS[-1].versions()}
    content = {"results": results, "provenance": made, "curves": {n: c.averages() for n, c in curves.items()}}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(compact_json(content), encoding="utf-8")
    print(table(results))


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals, with even sides")
    parser.add_argument("--out", type=Path, default=OUT, help="the file of results")
    parser.add_argument("--count", type=int, help="only the first so many pictures")
    parser.add_argument("--cache", type=Path, help="a folder that keeps measurements for the next run")
    options = parser.parse_args(arguments)
    run(options.folder, options.out, options.count, options.cache)


if __name__ == "__main__":
    sys.exit(main())
