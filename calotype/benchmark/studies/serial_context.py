# SPDX-License-Identifier: BSD-3-Clause
"""A serial 5x5 context (``mbt2018``) in the place of ``talbot``'s four passes: rate, and seconds a megapixel.

    python -m calotype.benchmark.studies.serial_context --data photos/ --judge validation/ --test kodak/ --minutes 10

The transforms, the side information and the quantiser's steps are those of the weights that ship; only the network that
predicts means and scales is another one. It learns from latents of --crops crops of --data at all qualities, by the
time that the processor spends on one thread. Beside it, the same network without context learns for as long: what the
context is worth. The curves are of estimated bits on crops of --judge. --test is only measured at the end: both
priors code whole pictures with integers and the same tables, and what the serial one writes is decoded and compared.

Results go to ``benchmarks/results/serial-context.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ...arrays import Samples
from ...atomic import write_atomically
from ...codecs.quality import position, to_header
from ...codecs.talbot import ENTRY
from ...codecs.talbot.codec import Talbot
from ...networks.mbt2018 import SerialConfig, SerialContext
from ...training.crops import CropConfig, random_crop
from ...training.data import PictureCache, find_pictures, load_rgb
from ...training.loop import tell
from ...training.mbt2018.integers import integers
from ...training.mbt2018.latents import Tile, tiles
from ...training.mbt2018.train import Material, fit, start
from ...training.mbt2018.wavefront import Wavefront
from ...training.talbot.export import to_samples
from ...version import __version__
from . import RESULTS, study

SIDE = 256  # of crops
WEIGHTS = "talbot-eye"


def drawn(codec: Talbot, pictures: Sequence[Samples], rng: np.random.Generator) -> list[Tile]:
    """Each picture's tile at a quality drawn from 1 to 100."""
    return [tiles(codec, picture, to_header(float(rng.uniform(1, 100))))[0] for picture in pictures]


def crops(cache: PictureCache, count: int, rng: np.random.Generator) -> list[Samples]:
    """Random crops of photographs."""
    return [to_samples(random_crop(cache, CropConfig(SIDE), rng)) for _ in range(count)]


def middles(folder: Path) -> list[Samples]:
    """The middles of pictures."""
    found: list[Samples] = []
    for picture in map(load_rgb, find_pictures(folder)):
        top, left = ((side - SIDE) // 2 for side in picture.shape[:2])
        found.append(np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE]))
    return found


def measure(codec: Talbot, serial: Wavefront, picture: Samples, quality: float) -> dict[str, float]:
    """Bytes and seconds of both priors for a picture at a quality; CalotypeError if it does not come back."""
    stored, pixels = to_header(quality), picture.shape[0] * picture.shape[1]
    figures = dict.fromkeys(("four", "serial", "side", "four_seconds", "encode_seconds", "decode_seconds"), 0.0)
    for tile in tiles(codec, picture, stored):
        data, bits, y_hat = _timed(figures, "encode_seconds", serial.encode, tile.y, tile.steps, tile.features)
        again = _timed(figures, "decode_seconds", serial.decode, data, tile.steps, tile.features)
        if not np.array_equal(again, y_hat):
            raise AssertionError("the latents that were decoded are not those that were encoded")
        coded = codec.prior.code(tile.y, position(stored))
        h, w = tile.y.shape[1:]
        _timed(figures, "four_seconds", codec.prior.decode, coded.data, h, w, position(stored))
        figures["four"] += (tile.y_bits + tile.z_bits) / 8
        figures["serial"] += (bits + tile.z_bits) / 8
        figures["side"] += tile.z_bits / 8
    return {"quality": quality, "pixels": pixels, **figures}


def _timed(figures: dict[str, float], name: str, work: Any, *arguments: Any) -> Any:
    begun = time.process_time()
    result = work(*arguments)
    figures[name] += time.process_time() - begun
    return result


def markdown(records: Sequence[dict[str, float]]) -> str:
    """Rates and speeds by quality."""
    lines = ["| quality | four passes, bpp | serial, bpp | serial against four | four, s/MP | serial, s/MP |"]
    lines.append("|--:|--:|--:|--:|--:|--:|")
    for quality in sorted({r["quality"] for r in records}):
        mine = [r for r in records if r["quality"] == quality]
        total = {name: sum(r[name] for r in mine) for name in mine[0] if name != "picture"}
        pixels = total["pixels"]
        lines.append(
            f"| {quality:g} | {8 * total['four'] / pixels:.3f} | {8 * total['serial'] / pixels:.3f} "
            f"| {100 * (total['serial'] / total['four'] - 1):+.1f} % | {1e6 * total['four_seconds'] / pixels:.2f} "
            f"| {1e6 * total['decode_seconds'] / pixels:.2f} |"
        )
    return "\n".join(lines)


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="pictures to train on")
    parser.add_argument("--judge", type=Path, required=True, help="pictures to judge on while training")
    parser.add_argument("--test", type=Path, required=True, help="pictures to measure at the end")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, each of the two networks")
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--width", type=int, default=SerialConfig.width)
    parser.add_argument("--qualities", type=float, nargs="+", default=[20.0, 50.0, 80.0])
    parser.add_argument("--count", type=int, default=24, help="of pictures to measure")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where decoded pictures are kept")
    parser.add_argument("--output", type=Path, default=RESULTS / "serial-context.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    codec = cast(Talbot, ENTRY.open(1, prefer=WEIGHTS))
    rng = np.random.default_rng(7)
    learnt = drawn(codec, crops(PictureCache(options.data, options.cache), options.crops, rng), rng)
    judges = drawn(codec, [m for m in middles(options.judge) for _ in range(4)], rng)
    material, judged = Material.of(learnt), Material.of(judges)
    four = sum(tile.y_bits for tile in judges)
    config = SerialConfig(m=material.y.shape[1], features=material.features.shape[1], width=options.width)
    curves: dict[str, Any] = {}
    networks: dict[str, SerialContext] = {}
    for name in ("serial", "no context"):
        print(f"== {name}", file=sys.stderr, flush=True)
        networks[name] = SerialContext(config)
        hidden = name == "no context"
        seen = [replace(m, y_hat=torch.zeros_like(m.y_hat)) if hidden else m for m in (material, judged)]
        start(networks[name], seen[0])
        curves[name] = fit(networks[name], seen[0], seen[1], four, options.minutes, own=not hidden, tell=tell)
    serial = Wavefront(
        integers(networks["serial"], material.picked(torch.arange(min(64, len(learnt))))), codec.prior.tables
    )
    records: list[dict[str, float]] = []
    report = {
        "name": "serial-context", "version": __version__, "weights": codec.bundle.hash, "minutes": options.minutes,
        "crops": options.crops, "parameters": sum(p.numel() for p in networks["serial"].parameters()),
        "curves": curves, "records": records,
    }  # fmt: skip
    for file in find_pictures(options.test)[: options.count]:
        for quality in options.qualities:
            records.append({**measure(codec, serial, load_rgb(file), quality), "picture": file.stem})  # type: ignore[dict-item]
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(options.output, (json.dumps(report, indent=1) + "\n").encode())
    for name, curve in curves.items():
        points = ", ".join(
            f"{minutes:.1f} min {100 * share:.1f} %" for minutes, _, share in curve[:: max(1, len(curve) // 6)]
        )
        print(f"{name}: bits against four passes: {points}, at the end {100 * curve[-1][2]:.1f} %")
    print(markdown(records))


if __name__ == "__main__":
    sys.exit(main())
