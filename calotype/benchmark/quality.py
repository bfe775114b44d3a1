# SPDX-License-Identifier: BSD-3-Clause
"""The measures of quality that a benchmark can report: the functions of :mod:`calotype.metrics`, named and scaled.

A *scale* is what plots show and what delta rates integrate over: decibels, for near 1 the steps of an index of
similarity say nothing. Averages over pictures are taken before scaling, as the literature does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .. import metrics
from ..metrics.similarity import SCALE_WEIGHTS
from .contender import Picture

BLOCK = 8  # pixels: the shortest side for PSNR-HVS and SSIMULACRA 2


@dataclass(frozen=True)
class Metric:
    """One measure of quality; larger is better."""

    name: str  # on the command line
    column: str  # in result files
    title: str  # in tables and plots
    unit: str  # of the scale
    digits: int  # behind the point that mean something, of the plain value
    measure: Callable[[Picture, Picture], float | None]  # None where it is not defined, as on very small pictures
    scale: Callable[[float], float] = float

    @property
    def axis(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def psnr(original: Picture, decoded: Picture) -> float | None:
    """In dB over RGB; None for a lossless copy."""
    return finite(metrics.psnr(original, decoded))


def ms_ssim(original: Picture, decoded: Picture) -> float | None:
    """Over the channels of RGB; None where a side is 160 pixels or less."""
    if metrics.most_scales(*original.shape[:2]) < len(SCALE_WEIGHTS):
        return None
    return metrics.ms_ssim(original, decoded)


def ssim(original: Picture, decoded: Picture) -> float | None:
    """Over the channels of RGB; None where a side is 10 pixels or less."""
    return metrics.ssim(original, decoded) if metrics.most_scales(*original.shape[:2]) else None


def psnr_hvs(original: Picture, decoded: Picture) -> float | None:
    """In dB over luma; None for a lossless copy and where a side is below 8 pixels."""
    return finite(metrics.psnr_hvs(original, decoded)) if min(original.shape[:2]) >= BLOCK else None


def psnr_hvs_m(original: Picture, decoded: Picture) -> float | None:
    """In dB over luma, with masking; None for a copy without visible loss and where a side is below 8 pixels."""
    return finite(metrics.psnr_hvs_m(original, decoded)) if min(original.shape[:2]) >= BLOCK else None


def ssimulacra2(original: Picture, decoded: Picture) -> float | None:
    """A score of at most 100; None where a side is below 8 pixels. Raises DependencyError without its package."""
    return metrics.ssimulacra2(original, decoded) if min(original.shape[:2]) >= BLOCK else None


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


PSNR = Metric("psnr", "psnr-rgb", "PSNR", "dB", 2, psnr)
MS_SSIM = Metric("ms-ssim", "ms-ssim-rgb", "MS-SSIM", "dB", 4, ms_ssim, metrics.ms_ssim_db)
SSIM = Metric("ssim", "ssim-rgb", "SSIM", "dB", 4, ssim, metrics.ms_ssim_db)
PSNR_HVS = Metric("psnr-hvs", "psnr-hvs-luma", "PSNR-HVS", "dB", 2, psnr_hvs)
PSNR_HVS_M = Metric("psnr-hvs-m", "psnr-hvs-m-luma", "PSNR-HVS-M", "dB", 2, psnr_hvs_m)
SSIMULACRA2 = Metric("ssimulacra2", "ssimulacra2", "SSIMULACRA 2", "", 2, ssimulacra2)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (PSNR, MS_SSIM, SSIM, PSNR_HVS, PSNR_HVS_M, SSIMULACRA2)
}
DEFAULT_METRICS = ("psnr", "ms-ssim", "ssim", "psnr-hvs")
