# SPDX-License-Identifier: BSD-3-Clause
"""Small experiments with ``tao2017`` at equal training time, each on one thread.

    python -m calotype.benchmark.studies.experiments variants --data photos/ --judge validation/ --minutes 8
    python -m calotype.benchmark.studies.experiments gradients --data photos/ --judge validation/ --minutes 5
    python -m calotype.benchmark.studies.experiments cifar10 --data cifar10/ --minutes 4
    python -m calotype.benchmark.studies.experiments pets --data pets/ --minutes 5

Without --judge every fifth picture of --data is kept from training and judged on. Results go to
``benchmarks/results/experiments/<group>.json``, and a table to standard output.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...engine.runtime import Graph
from ...metrics import psnr, ssim
from ...networks.tao2017 import Tao2017, Tao2017Config
from ...training.data import PictureCache, find_pictures, load_rgb
from ...training.loop import Loop, LoopConfig
from ...training.tao2017.degrading import MixConfig, from_pictures, through, to_picture
from ...training.tao2017.export import rec_graph
from ...training.tao2017.task import Tao2017Task, TaskConfig
from . import RESULTS, study

JPEG = MixConfig(jpeg=1.0, avif=0.0, webp=0.0, jpeg2000=0.0, nothing=0.0)
QUALITIES = (10, 20, 40)
LARGEST = 256  # side of what is judged of a picture: its middle


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One network, trained for as long as the others of its group."""

    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    task: dict[str, Any] = dataclasses.field(default_factory=dict)
    batch: int = 8
    rate: float = 1.5e-3


def restoring(**network: Any) -> Experiment:
    """A variant of RecCNN alone, at full size."""
    return Experiment(network, {"full": 1.0, "size": 48}, 4, 1e-3)


def around(size: int, batch: int, **task: Any) -> Experiment:
    """ComCNN and RecCNN around JPEG, on crops of twice ``size``."""
    return Experiment({}, {"full": 0.0, "size": size, **task}, 4 * batch)


GROUPS: dict[str, dict[str, Experiment]] = {
    "variants": {
        "20 layers, 3x3 (the paper)": restoring(variant="plain"),
        "13 layers, 3x3": restoring(variant="plain", depth=13),
        "20 layers, 2x2": restoring(variant="plain", kernel=2),
        "20 layers, Fire modules": restoring(variant="fire"),
        "20 layers, multilinear filters": restoring(variant="multilinear"),
        "blocks at 1/4 and 1/8 (ships)": restoring(variant="blocks"),
    },
    "gradients": {
        "straight-through": around(96, 2, gradient="straight-through"),
        "identity (the paper's alternation)": around(96, 2, gradient="identity"),
        "differentiable JPEG": around(96, 2, gradient="proxy"),
    },
    "cifar10": {
        "MSE": around(16, 32),
        "MS-SSIM": around(16, 32, loss="ms-ssim"),
    },
    "pets": {
        "whole pictures, MSE": around(128, 2),
        "small patches, MSE": around(32, 32),
        "whole pictures, MS-SSIM": around(128, 2, loss="ms-ssim"),
        "small patches, MS-SSIM": around(32, 32, loss="ms-ssim"),
    },
}


def middle(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture, with sides that are multiples of 16."""
    h, w = (min(LARGEST, side) // 16 * 16 for side in picture.shape[:2])
    top, left = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
    return np.ascontiguousarray(picture[top : top + h, left : left + w])


def tables_of(degraded: Any) -> Tensor:
    """The quantisation tables as the network takes them."""
    return torch.from_numpy(degraded.tables)[None, :, None, None]


@torch.inference_mode()
def judge_full(network: Tao2017, picture: np.ndarray, quality: int) -> dict[str, float]:
    """PSNR and SSIM of a JPEG file, before and after."""
    degraded = through(picture, "JPEG", quality=quality)
    x = from_pictures([degraded.picture])
    e = network.strength(x, tables_of(degraded), torch.tensor([True]))
    restored = to_picture(network.rec1(x, e)[0])
    return {
        "psnr": psnr(picture, restored),
        "ssim": ssim(picture, restored),
        "gain": psnr(picture, restored) - psnr(picture, degraded.picture),
        "ssim_gain": ssim(picture, restored) - ssim(picture, degraded.picture),
    }


@torch.inference_mode()
def judge_half(network: Tao2017, picture: np.ndarray, quality: int) -> dict[str, float]:
    """PSNR, SSIM and rate of the framework around JPEG, and of the JPEG alone that is nearest in bytes."""
    compact = to_picture(network.com(from_pictures([picture]))[0])
    degraded = through(compact, "JPEG", quality=quality)
    x = from_pictures([degraded.picture])
    e = network.strength(x, tables_of(degraded), torch.tensor([True]))
    restored = to_picture(network.rec2(x, e)[0])
    size = jpeg_size(compact, quality)
    nearest = min(range(1, 96), key=lambda q: (abs(jpeg_size(picture, q) - size), q))
    alone = through(picture, "JPEG", quality=nearest).picture
    pixels = picture.shape[0] * picture.shape[1]
    return {
        "bpp": 8 * size / pixels,
        "psnr": psnr(picture, restored),
        "ssim": ssim(picture, restored),
        "jpeg_bpp": 8 * jpeg_size(picture, nearest) / pixels,
        "jpeg_psnr": psnr(picture, alone),
        "jpeg_ssim": ssim(picture, alone),
    }


def jpeg_size(picture: np.ndarray, quality: int) -> int:
    """Bytes of a JPEG file with optimised tables."""

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, optimize=True)
    return out.tell()


def multiply_adds(rec: torch.nn.Module, side: int = 64) -> float:
    """Multiplications of a network, per pixel of its result."""
    total = 0

    def count(layer: torch.nn.Module, _: Any, out: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, torch.nn.Conv2d)
        total += out[0].numel() * layer.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in rec.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.inference_mode():
        rec(torch.zeros(1, 3, side, side), torch.zeros(1, 8, 1, 1))
    for hook in hooks:
        hook.remove()
    return total / side**2


def speed(rec: Any, side: int = 512) -> float:
    """Megapixels a second of the exported graph on one thread, the median of five runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rec.onnx"
        rec_graph("rec", rec).save(path)
        run = Graph(path, 1)
        inputs = [np.random.default_rng(0).random((1, 3, side, side), np.float32), np.zeros((1, 8, 1, 1), np.float32)]
        times = []
        for _ in range(6):
            start = time.perf_counter()
            run(*inputs[: len(run.inputs)])
            times.append(time.perf_counter() - start)
    return side * side / 1e6 / float(np.median(times[1:]))


def run(
    name: str, experiment: Experiment, data: PictureCache, judges: Sequence[Path], minutes: float
) -> dict[str, Any]:
    """Train and judge one."""
    torch.manual_seed(1)
    network = Tao2017(Tao2017Config(**experiment.network))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    task = Tao2017Task(network, data, TaskConfig(**experiment.task), JPEG)
    config = LoopConfig(
        hours=minutes / 60, batch=experiment.batch, learning_rate=experiment.rate, warmup_steps=50, decay=0.5, ema=0.99,
        save_minutes=1e9, validate_minutes=1e9,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(task, config, Path(folder), resume=False)
        loop.run()
    with loop.averaged():
        network.eval()
        full = task.config.full > 0
        rec = network.rec1 if full else network.rec2
        record: dict[str, Any] = {
            "name": name,
            "network": experiment.network,
            "task": experiment.task,
            "minutes": minutes,
            "steps": loop.step,
            "parameters": sum(p.numel() for p in rec.parameters()),
            "macs": multiply_adds(rec, 64) if full else None,
            "megapixels_a_second": speed(rec) if full else None,
            "qualities": {},
        }
        for quality in QUALITIES:
            values = [(judge_full if full else judge_half)(network, middle(load_rgb(f)), quality) for f in judges]
            record["qualities"][quality] = {k: float(np.mean([v[k] for v in values])) for k in values[0]}
    return record


def markdown(records: Sequence[dict[str, Any]]) -> str:
    """The results as a table."""
    full = records[0]["macs"] is not None
    lines = []
    if full:
        lines.append("| RecCNN | parameters | MACs a pixel | megapixels/s | steps | " + " | ".join(
            f"quality {q}: PSNR, SSIM (gain)" for q in QUALITIES) + " |")  # fmt: skip
        lines.append("|---|--:|--:|--:|--:|" + "---|" * len(QUALITIES))
        for r in records:
            cells = [
                f"{v['psnr']:.2f} dB ({v['gain']:+.2f}), {v['ssim']:.4f} ({v['ssim_gain']:+.4f})"
                for v in r["qualities"].values()
            ]
            lines.append(
                f"| {r['name']} | {r['parameters'] / 1e3:.0f} k | {r['macs'] / 1e3:.1f} k | "
                f"{r['megapixels_a_second']:.2f} | {r['steps']} | " + " | ".join(cells) + " |"
            )
    else:
        lines.append("| experiment | steps | JPEG quality inside | bpp | PSNR | SSIM | JPEG alone: bpp | PSNR | SSIM |")
        lines.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
        for r in records:
            for quality, v in r["qualities"].items():
                lines.append(
                    f"| {r['name']} | {r['steps']} | {quality} | {v['bpp']:.3f} | {v['psnr']:.2f} | {v['ssim']:.4f} | "
                    f"{v['jpeg_bpp']:.3f} | {v['jpeg_psnr']:.2f} | {v['jpeg_ssim']:.4f} |"
                )
    return "\n".join(lines)


def split(folder: Path, scratch: Path) -> tuple[Path, list[Path]]:
    """Links to four pictures of five, to train on, and the others, to judge on."""
    files = find_pictures(folder)
    for i, file in enumerate(files):
        if i % 5:
            (scratch / f"{i:06}{file.suffix}").symlink_to(file.resolve())
    return scratch, files[::5]


@study
def main(arguments: Sequence[str] | None = None) -> int | None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--data", type=Path, required=True, help="pictures to train on")
    parser.add_argument("--judge", type=Path, help="pictures to judge on")
    parser.add_argument("--cache", type=Path, help="where decoded pictures are kept")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, each")
    parser.add_argument("--results", type=Path, default=RESULTS / "experiments")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    scratch = Path(tempfile.mkdtemp())
    try:
        train, judges = options.data, find_pictures(options.judge) if options.judge else []
        if not judges:
            train, judges = split(options.data, scratch)
        pictures = PictureCache(train, options.cache or scratch / "cache")
        records = []
        for name, experiment in GROUPS[options.group].items():
            print(f"== {name}", file=sys.stderr, flush=True)
            records.append(run(name, experiment, pictures, judges, options.minutes))
            options.results.mkdir(parents=True, exist_ok=True)
            (options.results / f"{options.group}.json").write_text(
                json.dumps(records, indent=1) + "\n", encoding="utf-8"
            )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(markdown(records))
    return 0 if all(math.isfinite(v["psnr"]) for r in records for v in r["qualities"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
