# SPDX-License-Identifier: BSD-3-Clause
"""Every metric, declared once: what ``calotype compare``, ``calotype bench`` and the targets of ``encode`` know of it.

To add one, write its function in a file of this folder, a line in :data:`METRICS`, and a test against another
implementation.

A *scale* is what plots show and what delta rates integrate over: it rises with quality, and equal steps of it mean
about equal efforts. Near 1 the steps of an index of similarity say nothing, and neither do those of a distance near 0,
so that these are shown in decibels. Averages over pictures are taken before scaling, as the literature does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..arrays import Samples
from . import hvs, similarity, squeezenet
from .butteraugli import ADVICE as BUTTERAUGLI_ADVICE
from .butteraugli import SMALLEST_SIDE as BUTTERAUGLI_SIDE
from .butteraugli import butteraugli, has_butteraugli
from .colorvideovdp import ADVICE as CVVDP_ADVICE
from .colorvideovdp import cvvdp, has_cvvdp
from .error import mse, psnr, rmse
from .luma import psnr_luma
from .metric import Metric, Target, decibels
from .pair import checked_pair
from .perceptual import perceptual_distance
from .ssimulacra2 import SMALLEST_SIDE as SSIMULACRA2_SIDE
from .ssimulacra2 import ssimulacra2

PUBLISHED_MS_SSIM = ((similarity.TAPS - 1) << (len(similarity.SCALE_WEIGHTS) - 1)) + 1  # pixels: for five scales
MEGAPIXEL = 1_000_000


def _ms_ssim(a: Samples, b: Samples) -> float:
    """With as many scales as fit."""
    return similarity.ms_ssim(a, b, scales=similarity.most_scales(*a.shape[:2]))


def _ms_ssim_db(a: Samples, b: Samples) -> float:
    return similarity.ms_ssim_db(_ms_ssim(a, b))


def _without_weights(a: Samples, b: Samples) -> float:
    raise NotImplementedError("see with_network")


def _no_butteraugli() -> str:
    return "" if has_butteraugli() else BUTTERAUGLI_ADVICE


def _no_cvvdp() -> str:
    return "" if has_cvvdp() else CVVDP_ADVICE


PSNR = Metric("psnr-rgb", "psnr", "PSNR", 2, psnr, "dB", target=Target(0, 100, 0.02))
SSIM = Metric(
    "ssim-rgb", "ssim", "SSIM", 4, similarity.ssim, scale=similarity.ms_ssim_db, scale_unit="dB",
    smallest=similarity.TAPS, comparable=similarity.TAPS, target=Target(0, 1, 0.02),
)  # fmt: skip
MS_SSIM = Metric(
    "ms-ssim-rgb", "ms-ssim", "MS-SSIM", 4, _ms_ssim, scale=similarity.ms_ssim_db, scale_unit="dB",
    smallest=similarity.TAPS, comparable=PUBLISHED_MS_SSIM,
)  # fmt: skip
PSNR_HVS = Metric("psnr-hvs-luma", "psnr-hvs", "PSNR-HVS", 2, hvs.psnr_hvs, "dB", smallest=hvs.SIDE)
SSIMULACRA2 = Metric(
    "ssimulacra2", "ssimulacra2", "SSIMULACRA 2", 2, ssimulacra2,
    smallest=SSIMULACRA2_SIDE, target=Target(0, 100, 0.1, straight=lambda score: decibels(100 - score)),
)  # fmt: skip
BUTTERAUGLI = Metric(
    "butteraugli-3", "butteraugli", "Butteraugli", 3, butteraugli, "3-norm", higher_is_better=False,
    scale=decibels, scale_unit="3-norm in dB", smallest=BUTTERAUGLI_SIDE, largest=100 * MEGAPIXEL,
    missing=_no_butteraugli,
)  # fmt: skip

METRICS = {
    metric.key: metric
    for metric in (
        SSIMULACRA2,
        BUTTERAUGLI,
        Metric(
            "cvvdp", "cvvdp", "ColorVideoVDP", 3, cvvdp, "JOD",
            smallest=32, largest=16 * MEGAPIXEL, missing=_no_cvvdp, on_request=True,
        ),
        Metric("mse-rgb", "mse", "MSE", 2, mse, higher_is_better=False, scale=decibels, scale_unit="dB"),
        Metric("rmse-rgb", "rmse", "RMSE", 2, rmse, higher_is_better=False, scale=decibels, scale_unit="dB"),
        PSNR,
        Metric("psnr-luma", "psnr-luma", "PSNR luma", 2, psnr_luma, "dB"),
        SSIM,
        MS_SSIM,
        Metric("ms-ssim-rgb-db", "ms-ssim-db", "MS-SSIM", 2, _ms_ssim_db, "dB",
               smallest=similarity.TAPS, comparable=PUBLISHED_MS_SSIM, rescaled="ms-ssim-rgb"),
        PSNR_HVS,
        Metric("psnr-hvs-m-luma", "psnr-hvs-m", "PSNR-HVS-M", 2, hvs.psnr_hvs_m, "dB", smallest=hvs.SIDE),
        Metric(
            "squeezenet", "squeezenet", "perceptual distance", 4, _without_weights, higher_is_better=False,
            scale=decibels, scale_unit="dB", smallest=squeezenet.SMALLEST_SIDE, on_request=True,
            missing=lambda: "the perceptual distance needs the weights of SqueezeNet 1.0: see --features",
        ),
    )
}  # fmt: skip
NAMED = {metric.name: metric for metric in METRICS.values()}
TARGETS = {metric.name: metric for metric in METRICS.values() if metric.target}


def with_network(network: squeezenet.SqueezeNet) -> Metric:
    """The perceptual distance on the features of this network."""
    return replace(
        METRICS["squeezenet"], function=lambda a, b: perceptual_distance(a, b, network), missing=str, on_request=False
    )


def available() -> tuple[list[Metric], list[str]]:
    """The metrics that are shown unless others are named, and a sentence for each that something is missing for."""
    usual = [metric for metric in METRICS.values() if not metric.on_request]
    lacks = {metric.key: metric.missing() for metric in usual}
    notes = [f"{METRICS[key].title} is left out. {advice}" for key, advice in lacks.items() if advice]
    return [metric for metric in usual if not lacks[metric.key]], notes


@dataclass(frozen=True)
class Measurement:
    """All numbers of a pair. A metric for which the picture is too small or too large is not among them."""

    values: dict[str, float]  # by key; in the order of the metrics
    scales: int  # of MS-SSIM: 5, or as many as fit the picture
    notes: tuple[str, ...]  # sentences about what is missing, or is not what it usually is


def measure(a: Samples, b: Samples, metrics: Sequence[Metric] | None = None) -> Measurement:
    """``b`` as a copy of ``a``, grey or RGB, by these metrics or all that are :func:`available`.

    Raises PictureError for pictures that cannot be compared.
    """
    if metrics is None:
        metrics = available()[0]
    a, b, _ = checked_pair(a, b, luma=True)
    height, width = a.shape[:2]
    values: dict[str, float] = {}
    small, large = [], []
    for metric in metrics:
        if min(height, width) < metric.smallest:
            small.append(metric.title)
        elif not metric.suits(height, width):
            large.append(metric.title)
        elif metric.rescaled in values:
            values[metric.key] = METRICS[metric.rescaled].scale(values[metric.rescaled])
        else:
            values[metric.key] = metric.function(a, b)
    notes = [
        f"too {much}, with {width} x {height} pixels, for {', '.join(dict.fromkeys(titles))}"
        for much, titles in (("small", small), ("large", large))
        if titles
    ]
    scales = similarity.most_scales(height, width)
    if MS_SSIM.key in values and min(height, width) < MS_SSIM.comparable:
        notes.append(
            f"MS-SSIM with {scales} of {len(similarity.SCALE_WEIGHTS)} scales, which is all that {width} x {height} "
            "pixels have room for: do not compare it with that of larger pictures"
        )
    return Measurement(values, scales, tuple(notes))
