# SPDX-License-Identifier: BSD-3-Clause
"""The progressive codec ``toderici2017`` against JPEG, and against the published curve of its paper.

    python -m calotype.benchmark.studies.progressive KODAK
    python -m calotype.benchmark.studies.progressive KODAK --count 4 --out /tmp/progressive.json

Three things, all of real files: what each iteration brings and what entropy coding saves of it, with all cells going
on (as in the paper); the curves over the quality, where cells stop, of both tunings; and JPEG (4:2:0, optimised) on the
same pictures. Writes ``progressive.json`` into the folder of results and prints tables.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ... import codecs, metrics, raster
from ...api.decode import decode
from ...api.progressive import progressive
from ...codecs.quality import to_header
from ...codecs.toderici2017 import Options
from ...codecs.toderici2017.cell_errors import JUDGES
from ...codecs.toderici2017.codec import Toderici2017
from ...container import Container, header_for, pack
from .. import published
from ..bdrate import bd_rate
from ..curves import provenance
from ..peers import JPEG
from ..pictures import Photograph, load_folder
from . import RESULTS, study

QUALITIES = (10, 25, 35, 45, 55, 65, 75, 85, 100)
METRICS = ("psnr", "ms-ssim")
CURVES = ("iterations", *JUDGES)
JPEG_QUALITIES = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90)
PAPER = "toderici2017"  # of the published curves
CELL_BITS = 32  # of a cell of 16x16 pixels, an iteration

Rows = list[dict[str, float]]


def judged(picture: Photograph, decoded: Any, size: float) -> dict[str, float]:
    """Rate and fidelity."""
    x, y = picture.samples, np.asarray(decoded)
    similarity = metrics.ms_ssim(x, y)
    return {"bpp": 8 * size / (x.shape[0] * x.shape[1]), "psnr": metrics.psnr(x, y), "ms-ssim": similarity}


def measured(picture: Photograph, codec: Toderici2017) -> dict[str, Rows]:
    """All rows of one picture."""
    x = picture.samples
    latents = codec.latents(x)

    def file(payloads: Sequence[bytes], quality: int) -> bytes:
        header = header_for(raster.Raster(x), codec.bundle, quality, codec.tile, codec.layers)
        return pack(Container(header, tiles=tuple(payloads)))

    cells = latents.bits.shape[2:]
    whole = file(codec.code(latents.bits, np.full(cells, len(latents.bits))), to_header(100))
    iterations: Rows = []
    for seen in progressive((whole[i : i + 64] for i in range(0, len(whole), 64)), threads=1, as_array=True):
        size = seen.size if seen.iteration < len(latents.bits) else len(whole)
        plain = seen.iteration * CELL_BITS * cells[0] * cells[1] / 8
        iterations.append({**judged(picture, seen.image, size), "plain_bpp": 8 * plain / (x.shape[0] * x.shape[1])})
    rows: dict[str, Rows] = {"iterations": iterations}
    for tune in JUDGES:
        tuned = codec.with_options(Options(tune=tune))
        latents = latents if tune == codec.tune else tuned.latents(x)
        for quality in QUALITIES:
            stored = to_header(quality)
            data = file(tuned.encode_latents(latents, stored), stored)
            decoded = decode(data, threads=1, as_array=True)
            rows.setdefault(tune, []).append({"quality": quality, **judged(picture, decoded, len(data))})
    jpeg: Rows = []
    for setting in JPEG_QUALITIES:
        data = JPEG.encode(x, setting)
        jpeg.append({"quality": setting, **judged(picture, JPEG.decode(data), len(data))})
    return {**rows, "jpeg": jpeg}


def mean(rows: Sequence[Rows]) -> Rows:
    """Averages over the pictures, row by row."""
    return [{key: float(np.mean([r[key] for r in row])) for key in row[0]} for row in zip(*rows, strict=True)]


def column(rows: Rows, key: str) -> list[float]:
    """One figure of all rows; MS-SSIM in decibels."""
    return [metrics.ms_ssim_db(row[key]) if key == "ms-ssim" else row[key] for row in rows]


def summary(pictures: dict[str, dict[str, Rows]]) -> dict[str, Any]:
    """Averages, BD-rates and the largest loss of MS-SSIM by one more iteration."""
    averages = {kind: mean([rows[kind] for rows in pictures.values()]) for kind in (*CURVES, "jpeg")}
    rates = {}
    for kind in CURVES:
        for key in METRICS:
            jpeg, ours = averages["jpeg"], averages[kind]
            found = bd_rate(column(jpeg, "bpp"), column(jpeg, key), column(ours, "bpp"), column(ours, key))
            rates[f"{kind}, {key}"] = None if found is None else found.percent
    steps = [np.diff([row["ms-ssim"] for row in rows["iterations"]]).min() for rows in pictures.values()]
    return {"averages": averages, "bd_rate_against_jpeg": rates, "largest_loss": max(0.0, float(-min(steps)))}


def at(rows: Rows, key: str, bpp: float) -> float:
    """Interpolated over the logarithm of the rate; NaN outside the rates that there are."""
    rates, values = np.log(column(rows, "bpp")), column(rows, key)
    return float(np.interp(np.log(bpp), rates, values, left=np.nan, right=np.nan))


def markdown(found: dict[str, Any]) -> str:
    """Tables."""
    averages = found["averages"]
    lines = ["| iteration | bpp before entropy coding | after, file | saved | PSNR, dB | MS-SSIM | MS-SSIM, dB |"]
    lines.append("|--:|--:|--:|--:|--:|--:|--:|")
    before = {"bpp": 0.0, "plain_bpp": 0.0}
    for i, row in enumerate(averages["iterations"], 1):
        saved = 1 - (row["bpp"] - before["bpp"]) / (row["plain_bpp"] - before["plain_bpp"])
        decibels = metrics.ms_ssim_db(row["ms-ssim"])
        lines.append(
            f"| {i} | {row['plain_bpp']:.3f} | {row['bpp']:.3f} | {100 * saved:.1f} % | {row['psnr']:.2f} | "
            f"{row['ms-ssim']:.4f} | {decibels:.2f} |"
        )
        before = row
    paper = published.curves()[PAPER]
    lines += [
        "",
        "| bpp | PSNR (tuned for it) | published | JPEG | MS-SSIM (tuned for it) | published | JPEG |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    numbers = paper.columns
    theirs: Rows = [
        {"bpp": b, "psnr": p, "ms-ssim": s}
        for b, p, s in zip(numbers["bpp"], numbers["psnr-rgb"], numbers["ms-ssim-rgb"], strict=True)
        if b is not None and p is not None and s is not None
    ]
    for bpp in (0.16, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5):
        cells = [at(rows, key, bpp) for key in METRICS for rows in (averages[key], theirs, averages["jpeg"])]
        lines.append(f"| {bpp:g} | " + " | ".join("–" if np.isnan(value) else f"{value:.2f}" for value in cells) + " |")
    for name, percent in found["bd_rate_against_jpeg"].items():
        lines.append(f"\nBD-rate against JPEG, {name}: {'no overlap' if percent is None else f'{percent:+.1f} %'}")
    lines.append(f"\nOne more iteration lowers MS-SSIM of a picture by {found['largest_loss']:.5f} at most.")
    return "\n".join(lines)


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals")
    parser.add_argument("--count", type=int, help="only the first so many pictures")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth picture")
    parser.add_argument("--out", type=Path, default=RESULTS / "progressive.json", help="the file of results")
    options = parser.parse_args(arguments)
    codec = codecs.get("toderici2017").open(1)
    assert isinstance(codec, Toderici2017)
    pictures: dict[str, dict[str, Rows]] = {}
    for picture in load_folder(options.folder)[:: options.every][: options.count]:
        pictures[picture.name] = measured(picture, codec)
        print(picture.name, file=sys.stderr, flush=True)
    found = summary(pictures)
    content = {"weights": codec.bundle.hash[:8], "pictures": len(pictures), "provenance": provenance(), **found}
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(markdown(found))


if __name__ == "__main__":
    sys.exit(main())
