# SPDX-License-Identifier: BSD-3-Clause
"""Decoded pictures at equal bytes, for people to look at.

For a few pictures and bit rates each codec's largest file that is not above the rate, decoded, and a part of it kept
without loss. Which pictures and which part is decided by the originals alone: evenly spaced ones, and of each the
rectangle with the most detail.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from ..metrics.metric import Metric
from .contender import Contender, Picture
from .measure import LabelledProgress
from .pictures import Photograph
from .records import Cache, fingerprint, is_measured
from .search import largest_within

SHAPE = 5 / 8  # height of a part by its width
GRID = 16  # pixels: steps in which the place of the part is looked for


@dataclass(frozen=True)
class Part:
    """A rectangle of a picture."""

    left: int
    top: int
    width: int
    height: int

    def of(self, samples: Picture) -> Picture:
        """Cut it out."""
        return samples[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Sample:
    """One codec's picture at one rate."""

    setting: float
    bytes: int
    fits: bool  # False: the codec's smallest file is above the rate, and this is it
    quality: Mapping[str, float | None]  # of the whole picture, by the column of the metric
    image: str  # the part, lossless, as a data URI


@dataclass(frozen=True)
class Exhibit:
    """One picture through all codecs."""

    name: str
    width: int
    height: int
    part: Part
    original: str  # the part, lossless, as a data URI
    samples: dict[float, dict[str, Sample]]  # bits per pixel -> codec -> what it made


def exhibit(
    codecs: Sequence[Contender],
    photographs: Sequence[Photograph],
    rates: Sequence[float],
    metrics: Sequence[Metric],
    *,
    count: int,
    across: int,
    cache: Cache | None = None,
    progress: LabelledProgress | None = None,
) -> list[Exhibit]:
    """``count`` of the pictures, a part of at most ``across`` pixels' width of each (0: all of it), at each rate."""
    chosen = spaced(photographs, count)
    prints = {codec.name: fingerprint(codec) for codec in codecs}
    total, done = len(chosen) * len(rates) * len(codecs), 0
    shown = []
    for photograph in chosen:
        part = busiest(photograph.samples, across)
        samples: dict[float, dict[str, Sample]] = {rate: {} for rate in rates}
        for rate in rates:
            for codec in codecs:
                if progress:
                    progress(done, total, f"{codec.name} at {rate:g} bpp, {photograph.name}")
                found = look(codec, prints[codec.name], photograph, part, rate, metrics, cache)
                samples[rate][codec.name] = found
                done += 1
        height, width = photograph.samples.shape[:2]
        shown.append(Exhibit(photograph.name, width, height, part, lossless(part.of(photograph.samples)), samples))
    if progress:
        progress(total, total, "")
    return shown


def look(
    codec: Contender,
    codec_print: str,
    photograph: Photograph,
    part: Part,
    rate: float,
    metrics: Sequence[Metric],
    cache: Cache | None,
) -> Sample:
    """One sample, from the cache if it is there."""
    key = json.dumps(["sample", codec_print, photograph.digest, asdict(part), rate, [m.name for m in metrics]])
    name = hashlib.sha256(key.encode()).hexdigest()
    if cache and (known := _kept(cache, name)):
        return known
    fit = largest_within(codec, photograph.samples, int(rate * photograph.pixels / 8))
    decoded = codec.decode(fit.data)
    quality = {metric.key: metric.published(photograph.samples, decoded) for metric in metrics}
    sample = Sample(fit.setting, len(fit.data), fit.fits, quality, lossless(part.of(decoded)))
    if cache:
        cache.store(name, asdict(sample))
    return sample


def _kept(cache: Cache, name: str) -> Sample | None:
    """The sample of this hash, or None if there is none that can be read."""
    try:
        found = Sample(**(cache.load(name) or {}))
    except TypeError:
        return None
    sound = isinstance(found.image, str) and is_measured((found.setting, found.bytes, found.fits), found.quality)
    return found if sound else None


def spaced(photographs: Sequence[Photograph], count: int) -> list[Photograph]:
    """``count`` of them, evenly spaced."""
    count = min(count, len(photographs))
    return [photographs[(2 * index + 1) * len(photographs) // (2 * count)] for index in range(count)]


def busiest(samples: Picture, across: int) -> Part:
    """The part of ``across`` pixels' width with the most detail: the largest sum of the gradients of luma."""
    height, width = samples.shape[:2]
    down = min(round(across * SHAPE), height) if across else height
    across = min(across, width) if across else width
    luma = samples.astype(np.float64).mean(axis=2)
    gradient = np.zeros((height + 1, width + 1))
    gradient[1:height, 1:width] = abs(np.diff(luma, axis=0))[:, :-1] + abs(np.diff(luma, axis=1))[:-1]
    total = gradient.cumsum(axis=0).cumsum(axis=1)
    places = [(x, y) for y in range(0, height - down + 1, GRID) for x in range(0, width - across + 1, GRID)]

    def detail(place: tuple[int, int]) -> float:
        x, y = place
        inside = total[y + down, x + across] - total[y, x + across] - total[y + down, x] + total[y, x]
        return float(inside)

    left, top = max(places, key=detail)
    return Part(left, top, across, down)


def lossless(samples: Picture) -> str:
    """A data URI: WebP without loss."""
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(samples)).save(file, "WEBP", lossless=True, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def to_json(exhibits: Sequence[Exhibit]) -> list[dict[str, Any]]:
    """For the report's script."""
    return [asdict(item) for item in exhibits]
