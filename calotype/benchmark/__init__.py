# SPDX-License-Identifier: BSD-3-Clause
"""Measurements against other codecs: real files, written, read back, compared and timed in the same run.

:data:`CODECS` is the list; :mod:`~calotype.benchmark.curves` measures and averages, :mod:`~calotype.benchmark.bdrate`
compares two curves, :mod:`~calotype.benchmark.speed` times codecs in turn, :mod:`~calotype.benchmark.search` finds the
setting that gives a file of a wanted size.
"""

from __future__ import annotations

from calotype.benchmark.codec import Codec
from calotype.benchmark.ours import TALBOT
from calotype.benchmark.peers import AVIF, AVIF_420, JPEG, JPEG2000, WEBP

CODECS: dict[str, Codec] = {codec.name: codec for codec in (TALBOT, JPEG, WEBP, JPEG2000, AVIF, AVIF_420)}
DEFAULT_CODECS = ("talbot", "jpeg", "webp", "jpeg2000", "avif")

__all__ = ["CODECS", "DEFAULT_CODECS", "Codec"]
