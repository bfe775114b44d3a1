# SPDX-License-Identifier: BSD-3-Clause
"""Looks of the same files of ``talbot``: the faithful synthesis against others, and AVIF of the same size.

    python -m calotype.benchmark.studies.looks PICTURES --look noise=0.5 --squeezenet squeezenet_v1_0.npz
    python -m calotype.benchmark.studies.looks PICTURES OTHERS --look natural=0.7,FOLDER --avif --show made/

A look is a strength of noise in the latents (:mod:`calotype.training.talbot.noise`; 0 for none) and, where a folder is
named, a bundle whose synthesis is another, such as ``calotype export`` makes of a run of ``talbot-eye-natural``. Of
each picture the central part is encoded once with the default weights and decoded with each look. SSIMULACRA 2,
Butteraugli and PSNR-HVS say how far from the original a picture is, and the Fréchet distance how far from originals the
decoded pictures are as a crowd: between two Gaussians, fitted to features of patches.

The features are those of SqueezeNet's layer fire8 (512 channels, 1/8 of the resolution), which no loss here looks at
(the recipe takes fire4), as means over patches of 64 x 64 pixels, projected on the principal components of the
originals; 1 is their spread. The distance between two halves of the originals, every other patch, is that of pictures
that differ in nothing: what is left when a look is perfect.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ... import metrics, raster
from ...arrays import Samples8
from ...codecs.quality import to_header
from ...codecs.talbot.codec import Talbot
from ...container import Container, header_for, pack
from ...engine import bundles
from ...errors import CalotypeError
from ...metrics.squeezenet import SqueezeNet
from ...training.parents import bundle_in
from ...training.talbot.noise import NoisyPrior
from ..curves import provenance
from ..peers import AVIF
from ..pictures import Photograph, load_folder
from ..search import largest_within
from . import RESULTS, study

PART = 768  # pixels: of each picture, at most so much of its middle
PATCH = 64  # pixels, a multiple of a feature's 8
STEP = 32  # pixels from patch to patch
COMPONENTS = 64  # principal components: far fewer than patches, so that covariances are well known
LAYER = 2  # of those that SqueezeNet's features are taken from: fire8
QUALITIES = (1.0, 6.0, 12.0, 20.0, 28.0)
SHOWN = 256  # pixels: a side of the crops to look at
FAITHFUL, ORIGINAL, PEER = "faithful", "original", "avif"
Patches = npt.NDArray[np.float64]  # (patches, channels)


@dataclass
class Figures:
    """Of one look at one quality: a value a picture, and all patches."""

    bpp: list[float] = field(default_factory=list)
    ssimulacra2: list[float] = field(default_factory=list)
    butteraugli: list[float] = field(default_factory=list)
    psnr_hvs: list[float] = field(default_factory=list)
    patches: list[Patches] = field(default_factory=list)

    def add(self, original: Samples8, made: Samples8, size: int, network: SqueezeNet) -> None:
        """One more picture, in a file of so many bytes."""
        self.bpp.append(metrics.bits_per_pixel(size, original))
        self.ssimulacra2.append(metrics.ssimulacra2(original, made))
        self.psnr_hvs.append(metrics.psnr_hvs(original, made))
        if metrics.has_butteraugli():
            self.butteraugli.append(metrics.butteraugli(original, made))
        self.patches.append(patches(made, network))


def central(samples: Samples8) -> Samples8:
    """The part in the middle."""
    top, left = (max(0, side - PART) // 2 for side in samples.shape[:2])
    return np.ascontiguousarray(samples[top : top + PART, left : left + PART])


def patches(samples: Samples8, network: SqueezeNet) -> Patches:
    """Means of features over patches, of a picture ``(H, W, 3)``."""
    seen = network.features(samples.astype(np.float32))[LAYER].astype(np.float64)
    sums = np.pad(seen, ((1, 0), (1, 0), (0, 0))).cumsum(0).cumsum(1)
    side, step = PATCH // 8, STEP // 8
    top, left = np.ix_(*(np.arange(0, n - side + 1, step) for n in seen.shape[:2]))
    means = sums[top + side, left + side] - sums[top, left + side] - sums[top + side, left] + sums[top, left]
    rows: Patches = means.reshape(-1, seen.shape[2]) / side**2
    return rows


def frechet(a: Patches, b: Patches) -> float:
    """Squared Fréchet distance between the Gaussians fitted to rows; D. Dowson and B. Landau 1982."""
    first, second = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    between = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first) + np.trace(second) - 2 * between)


def components(originals: Patches) -> Patches:
    """The principal axes of the originals ``(channels, COMPONENTS)``, over the originals' spread along all of them."""
    values, vectors = (found[..., ::-1][..., :COMPONENTS] for found in np.linalg.eigh(np.cov(originals.T)))
    return np.asarray(vectors / np.sqrt(values.sum()))


def look_of(argument: str) -> tuple[str, Talbot]:
    """``NAME=STRENGTH`` of noise, or ``NAME=STRENGTH,FOLDER``, of the command line."""
    name, _, rest = argument.partition("=")
    strength, _, folder = rest.partition(",")
    try:
        noise = float(strength)
    except ValueError:
        raise CalotypeError(f"a look is NAME=STRENGTH or NAME=STRENGTH,FOLDER, not {argument}") from None
    look = Talbot(bundle_in(Path(folder)) if folder else bundles.find("talbot", prefer="talbot-eye"), 1)
    if noise:
        look.prior = NoisyPrior(look.prior, noise)
    return name, look


def measured(
    pictures: Sequence[Photograph], looks: dict[str, Talbot], quality: float, network: SqueezeNet, avif: bool,
    show: Path | None,
) -> dict[str, Figures]:  # fmt: skip
    """Figures of each look at a quality."""
    figures: dict[str, Figures] = {}
    stored, codec = to_header(quality), looks[FAITHFUL]
    for picture in pictures:
        x = central(picture.samples)
        tiles = codec.encode(x, stored)
        header = header_for(raster.Raster(x), codec.bundle, stored, codec.tile, codec.layers)
        size = len(pack(Container(header, tiles=tuple(tiles))))
        made = {name: look.decode(tiles, x.shape, 8, stored) for name, look in looks.items()}
        sizes = dict.fromkeys(made, size)
        if avif:
            fit = largest_within(AVIF, x, size)
            made[PEER], sizes[PEER] = AVIF.decode(fit.data), len(fit.data)
        for name, samples in made.items():
            figures.setdefault(name, Figures()).add(x, samples.astype(np.uint8), sizes[name], network)
        if show:
            show.mkdir(parents=True, exist_ok=True)
            for name, samples in {**made, ORIGINAL: x}.items():
                Image.fromarray(samples).save(show / f"{picture.name}-{quality:g}-{name}.png")
        print(f"quality {quality:g}: {picture.name}", file=sys.stderr, flush=True)
    return figures


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="the originals")
    parser.add_argument(
        "--look", action="append", required=True, metavar="NAME=FOLDER", help="a bundle; again for more"
    )
    parser.add_argument("--squeezenet", type=Path, default=os.environ.get("CALOTYPE_SQUEEZENET"))
    parser.add_argument("--qualities", type=float, nargs="+", default=list(QUALITIES))
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth picture")
    parser.add_argument("--avif", action="store_true", help="compare with AVIF of the same size")
    parser.add_argument("--show", type=Path, help="folder for the decoded pictures, to look at")
    parser.add_argument("--out", type=Path, default=RESULTS / "looks.json", help="the file of results")
    options = parser.parse_args(arguments)
    if options.squeezenet is None:
        raise CalotypeError("the weights of SqueezeNet 1.0 are needed: name the npz file with --squeezenet")
    network = metrics.load_squeezenet(options.squeezenet)
    looks = dict(map(look_of, [f"{FAITHFUL}=0", *options.look]))
    pictures = [p for folder in options.folders for p in load_folder(folder)[:: options.every]]
    seen = np.concatenate([patches(central(picture.samples), network) for picture in pictures])
    axes = components(seen)
    content: dict[str, Any] = {
        "weights": {name: look.bundle.hash[:8] for name, look in looks.items()},
        "pictures": [picture.name for picture in pictures],
        "patches": len(seen),
        "halves": frechet(seen[::2] @ axes, seen[1::2] @ axes),
        "provenance": provenance(),
        "looks": [],
    }
    print(f"{len(seen)} patches; Fréchet distance between two halves of the originals {content['halves']:.4f}\n")
    print(
        "| quality | look | bpp | Fréchet | SSIMULACRA 2 | Butteraugli | PSNR-HVS, dB |\n|--:|---|--:|--:|--:|--:|--:|"
    )
    for quality in options.qualities:
        for name, found in measured(pictures, looks, quality, network, options.avif, options.show).items():
            distance = frechet(np.concatenate(found.patches) @ axes, seen @ axes)
            row = {key: value for key, value in vars(found).items() if key != "patches" and value}
            content["looks"].append({"quality": quality, "look": name, "frechet": distance, **row})
            cells = "".join(f" {float(np.mean(row[key])):.3g} |" if key in row else " |" for key in COLUMNS)
            print(f"| {quality:g} | {name} | {float(np.mean(found.bpp)):.3f} | {distance:.3f} |{cells}", flush=True)
        options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


COLUMNS = ("ssimulacra2", "butteraugli", "psnr_hvs")


if __name__ == "__main__":
    sys.exit(main())
