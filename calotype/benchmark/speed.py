# SPDX-License-Identifier: BSD-3-Clause
"""Speeds: all codecs in turn, one thread each, at about the same bit rate."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .contender import Contender
from .curves import Curve
from .measure import LabelledProgress
from .pictures import Photograph
from .records import Trial, fingerprint


@dataclass(frozen=True)
class Speed:
    """One codec's speed over a set of pictures."""

    codec: str
    setting: float
    bpp: float
    encode_mps: float  # all megapixels by the sum of the pictures' median times
    decode_mps: float


def setting_at(curve: Curve, bpp: float) -> float:
    """The setting that comes closest to a bit rate, between the measured ones, on the codec's grid of settings."""
    averages = curve.averages()
    points = [
        (math.log(rate), setting)
        for rate, setting in zip(averages["bpp"], curve.settings, strict=True)
        if rate is not None
    ]
    points.sort()
    wanted = math.log(bpp)
    setting = points[0][1] if wanted <= points[0][0] else points[-1][1]
    for (low, first), (high, second) in pairwise(points):
        if low < wanted < high:
            setting = first + (second - first) * (wanted - low) / (high - low)
    return round(setting / curve.codec.step) * curve.codec.step


def race(
    codecs: Sequence[tuple[Contender, float]],
    photographs: Sequence[Photograph],
    *,
    rounds: int = 3,
    progress: LabelledProgress | None = None,
) -> list[Speed]:
    """Time each codec at its setting: for each picture ``rounds`` times A, B, C; the median of the rounds counts."""
    for codec, _ in codecs:
        fingerprint(codec)  # loads networks and libraries
    pixels, bits = 0, dict.fromkeys((codec.name for codec, _ in codecs), 0)
    encode_s, decode_s = dict.fromkeys(bits, 0.0), dict.fromkeys(bits, 0.0)
    for index, photograph in enumerate(photographs):
        if progress:
            progress(index, len(photographs), f"speed, {photograph.name}")
        trials = [Trial(codec, photograph, setting) for codec, setting in codecs]
        for _ in range(rounds):
            for trial in trials:
                trial.run()
        pixels += photograph.pixels
        for trial in trials:
            name = trial.codec.name
            bits[name] += 8 * len(trial.data)
            encode_s[name] += statistics.median(trial.encode_s)
            decode_s[name] += statistics.median(trial.decode_s)
    if progress:
        progress(len(photographs), len(photographs), "")
    return [
        Speed(
            codec.name,
            setting,
            bits[codec.name] / pixels,
            round(pixels / 1e6 / encode_s[codec.name], 3),
            round(pixels / 1e6 / decode_s[codec.name], 3),
        )
        for codec, setting in codecs
    ]
