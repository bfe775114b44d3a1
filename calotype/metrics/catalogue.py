# SPDX-License-Identifier: BSD-3-Clause
"""The metrics by name, and all of them at once for a pair of pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..arrays import Samples
from .error import mse
from .hvs import SIDE, psnr_hvs, psnr_hvs_m
from .luma import psnr_luma
from .pair import checked_pair
from .perceptual import perceptual_distance
from .similarity import SCALE_WEIGHTS, most_scales, ms_ssim, ms_ssim_db
from .similarity import ssim as one_scale
from .squeezenet import SMALLEST_SIDE, SqueezeNet
from .ssimulacra import ADVICE, MOST_PIXELS, has_ssimulacra2, ssimulacra2
from .ssimulacra import SMALLEST_SIDE as SSIMULACRA_SIDE


@dataclass(frozen=True)
class Metric:
    """What a number means."""

    key: str  # its name in JSON, CSV and result files
    title: str  # the head of its column
    unit: str  # "dB", or nothing
    higher_is_better: bool
    digits: int  # decimals that a table shows


METRICS = {
    metric.key: metric
    for metric in (
        Metric("mse-rgb", "MSE", "", False, 2),
        Metric("rmse-rgb", "RMSE", "", False, 2),
        Metric("psnr-rgb", "PSNR", "dB", True, 2),
        Metric("psnr-luma", "PSNR luma", "dB", True, 2),
        Metric("ssim-rgb", "SSIM", "", True, 4),
        Metric("ms-ssim-rgb", "MS-SSIM", "", True, 4),
        Metric("ms-ssim-rgb-db", "MS-SSIM", "dB", True, 2),
        Metric("psnr-hvs-luma", "PSNR-HVS", "dB", True, 2),
        Metric("psnr-hvs-m-luma", "PSNR-HVS-M", "dB", True, 2),
        Metric("ssimulacra2", "SSIMULACRA 2", "", True, 2),
        Metric("squeezenet", "perceptual distance", "", False, 4),
    )
}


@dataclass(frozen=True)
class Measurement:
    """All numbers of a pair. A metric for which the picture is too small or too large is not among them."""

    values: dict[str, float]  # by key; in the order of METRICS
    scales: int  # of MS-SSIM: 5, or as many as fit the picture
    notes: tuple[str, ...]  # sentences about what is missing, or is not what it usually is


def available(network: SqueezeNet | None) -> tuple[list[Metric], list[str]]:
    """The metrics that can be computed here, and a sentence for what is left out for want of a package.

    The perceptual distance is there if there is a ``network`` for it; that it was not asked for needs no sentence.
    """
    without = set() if has_ssimulacra2() else {"ssimulacra2"}
    notes = [f"SSIMULACRA 2 is left out. {ADVICE}"] if without else []
    if network is None:
        without.add("squeezenet")
    return [metric for key, metric in METRICS.items() if key not in without], notes


def measure(a: Samples, b: Samples, network: SqueezeNet | None = None) -> Measurement:
    """Every metric of ``b`` as a copy of ``a``, grey or RGB; ``network`` adds the perceptual distance.

    Raises PictureError for pictures that cannot be compared.
    """
    a, b, peak = checked_pair(a, b, luma=True)
    height, width = a.shape[:2]
    side = min(height, width)
    error = mse(a, b)
    values = {
        "mse-rgb": error,
        "rmse-rgb": math.sqrt(error),
        "psnr-rgb": math.inf if error == 0 else 10 * math.log10(peak * peak / error),
        "psnr-luma": psnr_luma(a, b),
    }
    scales = most_scales(height, width)
    missing = []

    def add(key: str, smallest: int, compute: Callable[[Samples, Samples], float]) -> None:
        if side >= smallest:
            values[key] = compute(a, b)
        else:
            missing.append(METRICS[key].title)

    if scales:
        values["ssim-rgb"] = one_scale(a, b)
        values["ms-ssim-rgb"] = ms_ssim(a, b, scales=scales)
        values["ms-ssim-rgb-db"] = ms_ssim_db(values["ms-ssim-rgb"])
    else:
        missing += ["SSIM", "MS-SSIM"]
    add("psnr-hvs-luma", SIDE, psnr_hvs)
    add("psnr-hvs-m-luma", SIDE, psnr_hvs_m)
    notes = []
    if height * width > MOST_PIXELS and has_ssimulacra2():
        notes.append(f"SSIMULACRA 2 is left out above {MOST_PIXELS // 10**6} megapixels: it would need too much memory")
    elif has_ssimulacra2():
        add("ssimulacra2", SSIMULACRA_SIDE, ssimulacra2)
    if network is not None:
        add("squeezenet", SMALLEST_SIDE, lambda x, y: perceptual_distance(x, y, network))
    if missing:
        notes.append(f"too small, with {width} x {height} pixels, for {', '.join(missing)}")
    if 0 < scales < len(SCALE_WEIGHTS):
        notes.append(
            f"MS-SSIM with {scales} of {len(SCALE_WEIGHTS)} scales, which is all that {width} x {height} pixels have "
            "room for: do not compare it with that of larger pictures"
        )
    return Measurement(values, scales, tuple(notes))
