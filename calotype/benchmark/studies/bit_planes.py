# SPDX-License-Identifier: BSD-3-Clause
"""The codec ``rippel2017`` against JPEG, ``toderici2017`` and the published curve of its paper.

    python -m calotype.benchmark.studies.bit_planes KODAK
    python -m calotype.benchmark.studies.bit_planes KODAK --every 3 --control weights/ --out /tmp/bit_planes.json

All of real files on the same pictures, in one run. ``--control`` names a folder with another bundle of ``rippel2017``,
such as one of untrained networks. Writes ``bit_planes.json`` into the folder of results and prints a table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ... import codecs, metrics, raster
from ...codecs.base import Codec
from ...codecs.quality import to_header
from ...codecs.rippel2017.codec import Rippel2017
from ...container import Container, header_for, pack
from ...engine import bundles
from .. import published
from ..curves import provenance
from ..peers import JPEG
from ..pictures import Photograph, load_folder
from . import RESULTS, study

QUALITIES = {
    "rippel2017": (1, 20, 40, 60, 80, 100),
    "control": (1, 20, 40, 60, 80, 100),
    "toderici2017": (10, 35, 65, 90),
}
JPEG_QUALITIES = (5, 10, 20, 35, 50, 70, 85)
RATES = (0.1, 0.15, 0.25, 0.375, 0.5, 0.75, 1.0, 1.25)
PAPER = "rippel2017"  # of the published curves

Rows = list[dict[str, float]]


def judged(picture: Photograph, decoded: Any, size: int) -> dict[str, float]:
    """Rate and fidelity."""
    x, y = picture.samples, np.asarray(decoded)
    bpp = 8 * size / (x.shape[0] * x.shape[1])
    return {"bpp": bpp, "psnr": metrics.psnr(x, y), "ms-ssim": metrics.ms_ssim(x, y)}


Judge = Callable[[Photograph, Any, int], dict[str, float]]


def rows_of(codec: Codec, picture: Photograph, qualities: Sequence[int], judge: Judge = judged) -> Rows:
    """One of our codecs at several qualities; seconds are those of the processor."""
    x = picture.samples
    began = time.process_time()
    latents = codec.latents(x)
    analysed = time.process_time() - began
    rows = []
    for quality in qualities:
        stored = to_header(quality)
        began = time.process_time()
        payloads = codec.encode_latents(latents, stored)
        encoded = time.process_time()
        decoded = codec.decode(payloads, x.shape, 8, stored)
        times = {"encode": analysed + encoded - began, "decode": time.process_time() - encoded}
        header = header_for(raster.Raster(x), codec.bundle, stored, codec.tile, codec.layers)
        data = pack(Container(header, tiles=tuple(payloads)))
        rows.append({"quality": quality, **judge(picture, decoded, len(data)), **times})
    return rows


def opened(folder: Path) -> Rippel2017:
    """The codec with the bundle in a folder."""
    return Rippel2017(next(b for b in bundles.installed(folder) if b.path.parent == folder), 1)


def measured(picture: Photograph, ours: dict[str, Codec]) -> dict[str, Rows]:
    """All rows of one picture."""
    rows = {name: rows_of(codec, picture, QUALITIES[name]) for name, codec in ours.items()}
    rows["jpeg"] = []
    for setting in JPEG_QUALITIES:
        data = JPEG.encode(picture.samples, setting)
        rows["jpeg"].append({"quality": setting, **judged(picture, JPEG.decode(data), len(data))})
    return rows


def mean(rows: Sequence[Rows]) -> Rows:
    """Averages over the pictures, row by row; MS-SSIM as its decibels, too."""
    averages = [{key: float(np.mean([r[key] for r in row])) for key in row[0]} for row in zip(*rows, strict=True)]
    return [{**row, "decibels": metrics.ms_ssim_db(row["ms-ssim"])} for row in averages]


def at(rows: Rows, key: str, bpp: float) -> float:
    """Interpolated over the logarithm of the rate; NaN outside the rates that there are."""
    rates = np.log([row["bpp"] for row in rows])
    return float(np.interp(np.log(bpp), rates, [row[key] for row in rows], left=np.nan, right=np.nan))


def markdown(averages: dict[str, Rows]) -> str:
    """MS-SSIM in decibels at some rates."""
    columns = published.curves()[PAPER].columns
    paper = [
        {"bpp": bpp, "decibels": metrics.ms_ssim_db(similarity)}
        for bpp, similarity in zip(columns["bpp"], columns["ms-ssim-rgb"], strict=True)
        if bpp is not None and similarity is not None
    ]
    curves = {**averages, "published": paper}
    lines = [f"| bpp | {' | '.join(curves)} |", "|--:|" + "--:|" * len(curves)]
    for bpp in RATES:
        values = [at(rows, "decibels", bpp) for rows in curves.values()]
        lines.append(f"| {bpp:g} | " + " | ".join("–" if np.isnan(v) else f"{v:.2f}" for v in values) + " |")
    return "\n".join(lines)


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="the originals")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth picture")
    parser.add_argument("--control", type=Path, help="a folder with another bundle")
    parser.add_argument("--out", type=Path, default=RESULTS / "bit_planes.json", help="the file of results")
    options = parser.parse_args(arguments)
    ours = {name: codecs.get(name).open(1) for name in ("rippel2017", "toderici2017")}
    if options.control:
        ours["control"] = opened(options.control)
    pictures = {}
    for picture in load_folder(options.folder)[:: options.every]:
        pictures[picture.name] = measured(picture, ours)
        print(picture.name, file=sys.stderr, flush=True)
    averages = {kind: mean([rows[kind] for rows in pictures.values()]) for kind in (*ours, "jpeg")}
    weights = {name: codec.bundle.tag.hex() for name, codec in ours.items()}
    content = {"weights": weights, "pictures": len(pictures), "provenance": provenance(), "averages": averages}
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(markdown(averages))


if __name__ == "__main__":
    sys.exit(main())
