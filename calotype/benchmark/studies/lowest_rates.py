# SPDX-License-Identifier: BSD-3-Clause
"""Rates at which a smaller picture, enlarged by super-resolution, beats the picture itself: ``ledig2017`` against
``talbot`` at the lowest rates.

    python -m calotype.benchmark.studies.lowest_rates KODAK --squeezenet squeezenet_v1_0.npz
    python -m calotype.benchmark.studies.lowest_rates KODAK --every 1  # all pictures: three times as long

Rates are those of real files, decoded by the product. Curves are averages over the pictures at equal quality settings:
PSNR and MS-SSIM over RGB, and the perceptual distance of the central part of each picture (see ``docs/metrics.md``).
Writes ``lowest-rates.json`` and ``plots/lowest-rates.svg`` and ``.png`` into the folder of results, and prints the rate
at which each curve crosses that of ``talbot``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import metrics
from ...api.decode import decode
from ...api.encode import encode
from ...engine import bundles
from ...errors import BundleError
from ...version import __version__
from ..curves import provenance
from ..pictures import Photograph, load_folder
from ..plots import require_matplotlib
from . import RESULTS, study

NAME = "lowest-rates"
END = 0.15  # bits per pixel
PART = 256  # pixels a side: where the perceptual distance is taken, which costs most of the time
REFERENCE = "talbot"

Numbers = dict[str, list[float]]  # "bpp" and each metric: a value for each setting


@dataclass(frozen=True)
class Candidate:
    """A codec with its options, and the qualities that put it between about 0.01 and 0.15 bits per pixel."""

    name: str
    qualities: tuple[int, ...]
    colour: str
    options: dict[str, Any]

    def encode(self, picture: Any, quality: float) -> bytes:
        """A whole file, one thread."""
        return encode(picture, quality=quality, threads=1, **self.options)


def enlarged(model: str, scale: int, qualities: tuple[int, ...], colour: str) -> Candidate:
    """``ledig2017`` with this model and scale."""
    options: dict[str, Any] = {"codec": "ledig2017", "model": model, "scale": scale}
    return Candidate(f"{model}-x{scale}", qualities, colour, options)


CANDIDATES = (
    Candidate(REFERENCE, (1, 4, 7, 10, 13, 17), "#d0104c", {"codec": "talbot"}),
    enlarged("srresnet", 2, (1, 11, 20, 29, 37, 45), "#1560bd"),
    enlarged("srgan", 2, (1, 11, 20, 29, 37, 45), "#3fa0e0"),
    enlarged("srresnet", 4, (1, 20, 40, 60, 80), "#0f8a5f"),
    enlarged("srgan", 4, (1, 20, 40, 60, 80), "#8a9f1f"),
)


@dataclass(frozen=True)
class Measure:
    """A metric: how it is computed, and how it is drawn."""

    key: str
    title: str
    sign: int  # 1 if higher is better, else -1
    compute: Callable[[Any, Any], float]
    scale: Callable[[float], float] = float  # of the average, in plots and crossings


def measures(squeezenet: Path | None) -> list[Measure]:
    """PSNR, MS-SSIM and, with the network's weights, the perceptual distance."""
    chosen = [
        Measure("psnr-rgb", "PSNR (dB)", 1, metrics.psnr),
        Measure("ms-ssim-rgb", "MS-SSIM (dB)", 1, metrics.ms_ssim, metrics.ms_ssim_db),
    ]
    if squeezenet is not None:
        network = metrics.load_squeezenet(squeezenet)
        chosen.append(
            Measure(
                "squeezenet",
                "perceptual distance (lower is better)",
                -1,
                lambda a, b: metrics.perceptual_distance(central(a), central(b), network),
            )
        )
    return chosen


def central(picture: Any) -> Any:
    """The part in the middle."""
    height, width = picture.shape[:2]
    top, left = max(0, (height - PART) // 2), max(0, (width - PART) // 2)
    return picture[top : top + PART, left : left + PART]


def measured(candidate: Candidate, pictures: Sequence[Photograph], chosen: Sequence[Measure]) -> Numbers:
    """Averages over the pictures."""
    numbers: Numbers = {"setting": [], "bpp": [], **{measure.key: [] for measure in chosen}}
    for quality in candidate.qualities:
        rows = []
        for picture in pictures:
            data = candidate.encode(picture.samples, quality)
            decoded = np.asarray(decode(data, threads=1, as_array=True))
            values = [measure.compute(picture.samples, decoded) for measure in chosen]
            rows.append([metrics.bits_per_pixel(len(data), picture.samples), *values])
        averages = np.mean(rows, axis=0).tolist()
        for key, value in zip(numbers, [float(quality), *averages], strict=True):
            numbers[key].append(value)
        print(f"{candidate.name} {quality}: {averages[0]:.4f} bpp", file=sys.stderr)
    return numbers


def installed(candidate: Candidate) -> bool:
    """Whether its weights are there; says so if not."""
    try:
        bundles.find(str(candidate.options["codec"]), name=candidate.name)
    except BundleError as error:
        print(f"left out: {error}", file=sys.stderr)
        return False
    return True


def crossings(ours: Numbers, reference: Numbers, measure: Measure) -> dict[str, Any]:
    """Rates at which a curve and that of the reference meet, on lines between the points over the logarithms of rates.

    ``better_below``: whether the first is better at the lowest rate that both have.
    """
    (x, a), (y, b) = (
        (np.log(numbers["bpp"]), np.array([measure.sign * measure.scale(v) for v in numbers[measure.key]]))
        for numbers in (ours, reference)
    )
    low, high = max(x.min(), y.min()), min(x.max(), y.max())
    if low >= high:
        return {"range": None, "better_below": None, "rates": []}
    places = np.unique(np.clip(np.concatenate([x, y, [low, high]]), low, high))
    gains = np.interp(places, x, a) - np.interp(places, y, b)
    rates = [
        math.exp(float(places[i] + (places[i + 1] - places[i]) * gains[i] / (gains[i] - gains[i + 1])))
        for i in range(len(places) - 1)
        if gains[i] * gains[i + 1] < 0
    ]
    return {"range": [math.exp(low), math.exp(high)], "better_below": bool(gains[0] > 0), "rates": rates}


def sentence(name: str, measure: Measure, found: dict[str, Any]) -> str:
    """A crossing in words."""
    start = f"{measure.title.split(' (')[0]}: {name}"
    if found["range"] is None:
        return f"{start} and {REFERENCE} have no rate in common"
    low, high = found["range"]
    if not found["rates"]:
        word = "better" if found["better_below"] else "worse"
        return f"{start} is {word} than {REFERENCE} at all common rates, {low:.3f} to {high:.3f} bpp"
    word = "better" if found["better_below"] else "worse"
    rates = ", ".join(f"{rate:.3f}" for rate in found["rates"])
    return f"{start} is {word} than {REFERENCE} from {low:.3f} bpp on; they cross at {rates} bpp"


def plot(curves: dict[str, Numbers], chosen: Sequence[Measure], out: Path, what: str) -> None:
    """A panel for each metric, as SVG and PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    looks = {candidate.name: candidate for candidate in CANDIDATES}
    with mpl.rc_context({"svg.hashsalt": NAME, "font.family": "DejaVu Sans", "font.size": 10}):
        figure = Figure(figsize=(4.6 * len(chosen), 4.4), layout="constrained")
        for index, measure in enumerate(chosen, 1):
            axes = figure.add_subplot(1, len(chosen), index)
            for name, numbers in curves.items():
                values = [measure.scale(value) for value in numbers[measure.key]]
                wide = 2.4 if name == REFERENCE else 1.5
                axes.plot(numbers["bpp"], values, color=looks[name].colour, marker="o", ms=4, lw=wide, label=name)
            axes.set_xlim(0, END)
            axes.set_title(measure.title, loc="left")
            axes.set_xlabel("bits per pixel")
            axes.grid(color="#dcdcdc", linewidth=0.7)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
            if index == 1:
                axes.legend(frameon=False)
        figure.suptitle(what, x=0.01, ha="left", fontsize=11)
        out.mkdir(parents=True, exist_ok=True)
        figure.savefig(out / f"{NAME}.png", dpi=130, metadata={"Software": None})
        figure.savefig(out / f"{NAME}.svg", metadata={"Date": None, "Creator": None})


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write and tell."""
    parser = argparse.ArgumentParser(description="ledig2017 against talbot below 0.15 bits per pixel.")
    parser.add_argument("pictures", type=Path, help="a folder of pictures, such as those of Kodak")
    parser.add_argument("--squeezenet", type=Path, help="weights of SqueezeNet 1.0 (npz), for the perceptual distance")
    parser.add_argument("--every", type=int, default=3, help="take every so manieth picture; 3 by default")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    require_matplotlib()
    chosen = measures(options.squeezenet)
    pictures = load_folder(options.pictures)[:: max(1, options.every)]
    present = [candidate for candidate in CANDIDATES if installed(candidate)]
    if len(present) < 2 or present[0].name != REFERENCE:
        raise BundleError("there is nothing to compare: weights are missing")
    curves = {candidate.name: measured(candidate, pictures, chosen) for candidate in present}
    found = {
        measure.key: {n: crossings(c, curves[REFERENCE], measure) for n, c in curves.items() if n != REFERENCE}
        for measure in chosen
    }
    what = f"{options.pictures.name}, {len(pictures)} pictures, real files"
    weights = {c.name: bundles.find(str(c.options["codec"]), name=c.name).hash[:8] for c in present}
    report = {
        "description": f"ledig2017 against talbot at the lowest rates; {what}",
        "pictures": [picture.name for picture in pictures],
        "provenance": {**provenance(), "calotype": __version__, "weights": weights},
        "part": PART if options.squeezenet else None,
        "results": curves,
        "crossings": found,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{NAME}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    plot(curves, chosen, options.out / "plots", what)
    for measure in chosen:
        for name, crossing in found[measure.key].items():
            print(sentence(name, measure, crossing))


if __name__ == "__main__":
    sys.exit(main())
