# SPDX-License-Identifier: BSD-3-Clause
"""Gain of networks around a standard codec: ``tao2017`` with each base and scale against the same base alone.

    python -m calotype.benchmark.studies.around_codecs FOLDER        # of originals, for example the 24 Kodak pictures

For each base: rate-distortion curves of real files, the gain in PSNR at 0.15 bit per pixel at equal bytes, the rate
above which half the size (scale 2) is worse than the base alone, the BD-rate of scale 1, and a plot. Prints a table
in Markdown; results go to ``benchmarks/results/around-codecs.json`` and ``benchmarks/results/plots``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...api.decode import decode as decode_file
from ...api.encode import encode as encode_picture
from ...codecs.tao2017.standard import decibels
from ...metrics.catalogue import MS_SSIM, PSNR
from ...version import __version__
from ..bdrate import BDRate
from ..compare import Columns, compare
from ..contender import Contender, Picture
from ..curves import Curve, compact_json, provenance
from ..measure import measure
from ..peers import AVIF, JPEG, JPEG2000, WEBP
from ..pictures import load_folder
from ..plots import plot, require_matplotlib
from ..records import Cache
from . import RESULTS, study

OUT = RESULTS
LOW_RATE = 0.15  # bits per pixel
METRICS = (PSNR, MS_SSIM)

PEERS = {"jpeg": JPEG, "jpeg2000": JPEG2000, "webp": WEBP, "avif": AVIF}
# Settings of the base alone, and qualities of tao2017 at scale 1 (the same files) and 2 (a quarter of the pixels).
SETTINGS: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    "jpeg": (
        (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95),
        (1, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95),
        (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95),
    ),
    "jpeg2000": (
        (23, 24, 25, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44),
        (4, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88),
        (8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 92),
    ),
    "webp": (
        (0, 1, 5, 10, 20, 30, 50, 70, 80, 90, 95, 100),
        (1, 5, 10, 20, 30, 50, 70, 80, 90, 95, 100),
        (1, 5, 10, 20, 30, 50, 70, 80, 90, 95),
    ),
    "avif": (
        (1, 3, 5, 10, 15, 25, 35, 45, 55, 65, 75, 85, 92),
        (1, 3, 5, 10, 15, 25, 35, 45, 55, 65, 75, 85, 92),
        (5, 15, 25, 35, 45, 55, 65, 75, 85),
    ),
}


def ours(base: str, scale: int, settings: tuple[float, ...]) -> Contender:
    """``tao2017`` as a codec of the benchmark."""

    def encode(picture: Picture, setting: float) -> bytes:
        return encode_picture(picture, codec="tao2017", base=base, scale=scale, quality=setting, threads=1)

    def decode(data: bytes) -> Picture:
        return np.asarray(decode_file(data, threads=1, as_array=True))

    def versions() -> dict[str, str]:
        from ...engine import bundles

        return {"calotype": __version__, "weights": bundles.find("tao2017").hash[:8], **PEERS[base].versions()}

    parameters: dict[str, object] = {"base": base, "scale": scale, "threads": 1}
    title = f"Calotype, codec tao2017 around {PEERS[base].description}, scale {scale}"
    return Contender(
        f"{base}, scale {scale}", title, ".calo", "quality", settings, parameters, encode, decode, versions
    )


def psnr_at(columns: Columns, rate: float) -> float | None:
    """PSNR at a rate, linear over the logarithm of the rate between two files; None outside the curve."""
    points = points_of(columns)
    wanted = math.log(rate)
    for (left, low), (right, high) in pairwise(points):
        if left <= wanted <= right and left < right:
            return low + (high - low) * (wanted - left) / (right - left)
    return None


def points_of(columns: Columns) -> list[tuple[float, float]]:
    """(logarithm of the rate, PSNR), sorted by rate."""
    pairs = zip(columns["bpp"], columns[PSNR.key], strict=True)
    return sorted((math.log(bpp), psnr) for bpp, psnr in pairs if bpp is not None and psnr is not None)


def gain_at(curve: Curve, anchor: Curve, rate: float) -> tuple[float | None, int]:
    """Mean gain in dB over the pictures of which both curves reach the rate, and how many those are."""
    gains = []
    for name in curve.pictures:
        ours_there, theirs = psnr_at(curve.of_picture(name), rate), psnr_at(anchor.of_picture(name), rate)
        if ours_there is not None and theirs is not None:
            gains.append(ours_there - theirs)
    return (round(statistics.fmean(gains), 3) if gains else None), len(gains)


def crossover(curve: Curve, anchor: Curve) -> float | None:
    """The lowest rate at which the averaged ``curve`` falls below ``anchor``; None if it does not."""
    columns, others = curve.averages(), anchor.averages()
    points, marks = points_of(columns), points_of(others)
    low, high = max(points[0][0], marks[0][0]), min(points[-1][0], marks[-1][0])
    above = False
    for rate in np.exp(np.linspace(low + 1e-6, high - 1e-6, 2000)) if low < high else ():
        mine, other = psnr_at(columns, rate), psnr_at(others, rate)
        if mine is None or other is None:
            continue
        if above and mine < other:
            return round(float(rate), 3)
        above = above or mine >= other
    return None


def shown(found: BDRate | None) -> float | None:
    """Per cent."""
    return None if found is None else round(found.percent, 2)


def usual(curve: Curve, base: str) -> Curve:
    """Only the points whose files have a setting of the base's default run: what a BD-rate should rest on."""
    alone = curve.name == PEERS[base].name
    chosen = []
    for record in curve.records:
        setting = decibels(record.setting) if base == "jpeg2000" and not alone else record.setting
        if setting in PEERS[base].settings:
            chosen.append(record)
    return Curve(curve.codec, tuple(chosen), curve.metrics)


def judge(curves: Mapping[str, Curve], base: str) -> dict[str, Any]:
    """The figures for one base."""
    alone, same, half = curves[PEERS[base].name], curves[f"{base}, scale 1"], curves[f"{base}, scale 2"]
    figures: dict[str, Any] = {}
    for scale, curve in ((1, same), (2, half)):
        gain, count = gain_at(curve, alone, LOW_RATE)
        # At scale 1 the same files as the base's alone; at scale 2 a setting means something else.
        pair = (usual(curve, base) if scale == 1 else curve), usual(alone, base)
        rates = {metric.name: compare(*pair, metric) for metric in METRICS}
        figures[f"scale {scale}"] = {
            f"psnr gain at {LOW_RATE} bpp": gain,
            "of pictures": count,
            "crossover bpp": crossover(curve, alone),
            **{f"bd-rate {name}": shown(found.averaged) for name, found in rates.items()},
            **{f"bd-rate {name}, per picture": found.per_picture for name, found in rates.items()},
        }
    figures["scale 2 falls below scale 1 at bpp"] = crossover(half, same)
    return figures


def table(results: Mapping[str, Any]) -> str:
    """In Markdown."""
    lines = [
        f"| base | scale | PSNR at {LOW_RATE} bpp | worse above | BD-rate, PSNR | BD-rate, MS-SSIM |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for base, figures in results.items():
        for scale in (1, 2):
            found = figures[f"scale {scale}"]
            gain, cross = found[f"psnr gain at {LOW_RATE} bpp"], found["crossover bpp"]
            rates = [found[f"bd-rate {metric.name}"] for metric in METRICS]
            cells = [
                "none" if gain is None else f"{gain:+.2f} dB".replace("-", "−"),
                f"{cross:.2f} bpp" if cross is not None else "all rates" if (rates[0] or 0) > 0 else "never",
                *("none" if rate is None else f"{rate:+.1f} %".replace("-", "−") for rate in rates),
            ]
            lines.append(f"| {base} | {scale} | {' | '.join(cells)} |")
    return "\n".join(lines)


def run(folder: Path, out: Path, bases: list[str], count: int | None, cache: Path | None) -> None:
    """Measure all of it."""
    require_matplotlib()
    photographs = load_folder(folder)[:count]
    results: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for base in bases:
        alone, same, half = SETTINGS[base]
        codecs = [PEERS[base], ours(base, 1, same), ours(base, 2, half)]
        curves = measure(
            codecs,
            photographs,
            {PEERS[base].name: alone},
            metrics=METRICS,
            cache=Cache(cache) if cache else None,
            progress=lambda done, total, label: print(f"{done}/{total} {label:50}", end="\r", file=sys.stderr),
        )
        results[base] = judge(curves, base)
        data[base] = {name: curve.averages() for name, curve in curves.items()}
        drawn = plot(PSNR, list(curves.values()), [], f"{folder.name}: {base} alone and inside tao2017")
        if drawn:
            place = out / "plots" / f"around-{base}.svg"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(drawn[1])
    weights = ours("jpeg", 1, ()).versions()["weights"]
    made = {**provenance(), "calotype": __version__, "weights": weights, "data": folder.name, "count": len(photographs)}
    content = {"results": results, "provenance": made, "curves": data}
    (out / "around-codecs.json").write_text(compact_json(content), encoding="utf-8")
    print(table(results))


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals")
    parser.add_argument("--out", type=Path, default=OUT, help="the folder of results")
    parser.add_argument("--base", action="append", choices=list(PEERS), help="only this one; may be said several times")
    parser.add_argument("--count", type=int, help="only the first so many pictures")
    parser.add_argument("--cache", type=Path, help="a folder that keeps measurements for the next run")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    run(options.folder, options.out, options.base or list(PEERS), options.count, options.cache)


if __name__ == "__main__":
    sys.exit(main())
