# SPDX-License-Identifier: BSD-3-Clause
"""Measurements against other codecs: real files, written, read back, compared and timed in the same run.

:data:`CODECS` is the list; :mod:`~calotype.benchmark.measure` measures, :mod:`~calotype.benchmark.curves` averages,
:mod:`~calotype.benchmark.compare` compares curves, :mod:`~calotype.benchmark.speed` times codecs in turn,
:mod:`~calotype.benchmark.run` does all of it and :mod:`~calotype.benchmark.results` writes it down.
"""

from __future__ import annotations

from .contender import Contender
from .jxl import JXL
from .ours import RIPPEL, TALBOT, TALBOT_EYE, TODERICI
from .peers import AVIF, AVIF_420, AVIF_PSNR, JPEG, JPEG2000, WEBP

CODECS: dict[str, Contender] = {
    codec.name: codec
    for codec in (TALBOT, TALBOT_EYE, RIPPEL, TODERICI, JPEG, WEBP, JPEG2000, AVIF, AVIF_PSNR, AVIF_420, JXL)
}
DEFAULT_CODECS = ("talbot", "jpeg", "webp", "jpeg2000", "avif", "avif-psnr", "jxl")
DEFAULT_METRICS = ("ssimulacra2", "butteraugli", "psnr", "ms-ssim", "psnr-hvs")  # those that are installed

__all__ = ["CODECS", "DEFAULT_CODECS", "DEFAULT_METRICS", "Contender"]
