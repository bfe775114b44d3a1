# SPDX-License-Identifier: BSD-3-Clause
"""Super-resolution on Set5 and Set14, by the protocol of the literature (see calotype/training/protocol.py).

    python -m calotype.benchmark.studies.super_resolution --data ../shared/data/sr --squeezenet squeezenet_v1_0.npz \
        --output benchmarks/results/super-resolution.json --pictures made/

The data folder has a folder of PNG files for each set. Bundles are those that are installed or that CALOTYPE_WEIGHTS
names; a model without one is left out, and said so. PSNR and SSIM are of the luma without a border as wide as the
scale. The perceptual distance is on SqueezeNet's features, of whole pictures in RGB: models that were trained with a
loss on the same features are flattered by it. With --pictures, each result is written to be looked at, beside the
original and bicubic interpolation.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...api.upscale import upscale
from ...arrays import Samples8
from ...codecs.ledig2017.enlarger import model_bundle
from ...engine import bundles
from ...errors import BundleError
from ...metrics import load_squeezenet, perceptual_distance
from ...training.ledig2017.bicubic import imresize
from ...training.ledig2017.protocol import luma_psnr, luma_ssim
from ...version import __version__
from . import study

MODELS = ("srresnet", "srgan", "mixture")
PUBLISHED = {  # PSNR in dB at 4x: bicubic, and the paper's full networks
    "Set5": {"bicubic": 28.43, "srresnet": 32.05, "srgan": 29.40},
    "Set14": {"bicubic": 25.99, "srresnet": 28.49, "srgan": 26.02},
}


def original(file: Path, scale: int) -> Samples8:
    """A picture cut to a multiple of ``scale``: ``(H, W)`` if the file is grey, else ``(H, W, 3)``."""
    with Image.open(file) as image:
        samples = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    height, width = (side // scale * scale for side in samples.shape[:2])
    return samples[:height, :width]


def enlarger(model: str, scale: int, threads: int) -> Callable[[Samples8], Samples8]:
    """A method by its name; BundleError if its weights are not there."""
    if model == "bicubic":
        return lambda small: imresize(small, scale * small.shape[0], scale * small.shape[1])
    model_bundle(model, scale)
    return lambda small: upscale(small, scale, model=model, threads=threads, as_array=True)


def measure(files: list[Path], scale: int, model: str, network: Any, threads: int, made: Path | None) -> dict[str, Any]:
    """The figures of a method on a set: lists of each measure, and megapixels of results a second of the processor."""
    enlarge = enlarger(model, scale, threads)
    figures: dict[str, Any] = {"psnr": [], "ssim": [], "perceptual": []}
    pixels, seconds = 0, 0.0
    for file in files:
        real = original(file, scale)
        small = imresize(real, real.shape[0] // scale, real.shape[1] // scale)
        enlarge(small[:64, :64])  # whatever is done once
        start = time.process_time()
        large = enlarge(small)
        seconds += time.process_time() - start
        pixels += large.shape[0] * large.shape[1]
        figures["psnr"].append(luma_psnr(real, large, scale))
        figures["ssim"].append(luma_ssim(real, large, scale))
        if network:
            figures["perceptual"].append(perceptual_distance(real, large, network))
        if made:
            made.mkdir(parents=True, exist_ok=True)
            Image.fromarray(large).save(made / f"{file.stem}-x{scale}-{model}.png")
            Image.fromarray(real).save(made / f"{file.stem}-x{scale}-original.png")
    return {**figures, "megapixels_a_second": pixels / 1e6 / seconds}


def mean(values: list[float]) -> float:
    """The mean over the pictures, NaN without any."""
    return float(np.mean(values)) if values else math.nan


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="Super-resolution on Set5 and Set14.")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CALOTYPE_SR", "../shared/data/sr")))
    parser.add_argument("--squeezenet", type=Path, default=os.environ.get("CALOTYPE_SQUEEZENET"))
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON file of all figures")
    parser.add_argument("--pictures", type=Path, help="folder for the results themselves")
    options = parser.parse_args(arguments)
    network = load_squeezenet(options.squeezenet) if options.squeezenet else None
    report: dict[str, Any] = {
        "name": "super-resolution",
        "description": "luma PSNR and SSIM without a border as wide as the scale; perceptual distance on SqueezeNet",
        "version": __version__,
        "threads": options.threads,
        "bundles": {},
        "results": {},
    }
    print("| set | scale | model | PSNR, dB | SSIM | perceptual | MP/s | published PSNR |")
    print("|---|---|---|---|---|---|---|---|")
    for folder in sorted(p for p in options.data.iterdir() if p.is_dir()):
        files = sorted(folder.glob("*.png"))
        for scale in options.scales:
            for model in ("bicubic", *options.models):
                made = options.pictures / folder.name if options.pictures else None
                try:
                    found = measure(files, scale, model, network, options.threads, made)
                except BundleError as error:
                    print(f"{model}-x{scale} is left out: {error}")
                    continue
                if model != "bicubic":
                    report["bundles"][f"{model}-x{scale}"] = bundles.find("ledig2017", name=f"{model}-x{scale}").hash
                report["results"].setdefault(folder.name, {}).setdefault(f"x{scale}", {})[model] = {
                    **found,
                    "pictures": [file.stem for file in files],
                    "mean": {k: mean(v) for k, v in found.items() if isinstance(v, list) and v},
                }
                published = PUBLISHED.get(folder.name, {}).get(model) if scale == 4 else None
                figures = f"{mean(found['psnr']):.2f} | {mean(found['ssim']):.4f} | {mean(found['perceptual']):.4f}"
                speed = f"{found['megapixels_a_second']:.2f}" if model != "bicubic" else ""
                print(f"| {folder.name} | {scale} | {model} | {figures} | {speed} | {published or ''} |", flush=True)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
