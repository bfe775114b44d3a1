# SPDX-License-Identifier: BSD-3-Clause
"""Two pictures of different kinds made comparable.

- **Sizes** must be equal (after the EXIF orientation is applied); nothing is ever scaled.
- **Colour profiles** that differ: both pictures are converted to sRGB, where they are not sRGB already. The same
  profile in both, or none: the samples are compared as they are stored. Code points count as the profile that means
  the same.
- **Transparency**: if either picture has any, both are laid on medium grey, so that what cannot be seen does not count,
  and neither black nor white drawings vanish.
- **Depth**: if either picture has 16 bits, 8-bit samples are scaled by 257 and the comparison runs at 16 bits.
- **Grey** against RGB is RGB with three equal channels; two grey pictures are compared in their one channel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from ..arrays import Samples
from ..container import CodePoints
from ..errors import PictureError
from ..raster import Raster, colour, from_picture


@dataclass(frozen=True)
class Pair:
    """Input of the metrics: two pictures of equal shape and type."""

    original: Samples
    other: Samples
    notes: tuple[str, ...]  # sentences about what was done to them


def alike(original: Raster, other: Raster) -> Pair:
    """Apply the rules above. Raises PictureError if the sizes differ."""
    if (original.width, original.height) != (other.width, other.height):
        raise PictureError(
            f"it has {other.width} x {other.height} pixels and the original {original.width} x {original.height}: "
            "only pictures of equal size can be compared"
        )
    notes: list[str] = []
    original, other = profiled(original), profiled(other)
    if _colours(original) != _colours(other):
        original, other = _same_colours(original, other, notes)
    if original.depth != other.depth:
        original, other = deepened(original), deepened(other)
        notes.append("8 bits against 16: compared at 16 bits")
    if is_transparent(original) or is_transparent(other):
        original, other = on_grey(original), on_grey(other)
        notes.append("transparency: both compared as seen on medium grey")
    a, b = original.samples, other.samples
    if a.shape != b.shape:
        a, b = _coloured(a), _coloured(b)
        notes.append("grey against RGB: compared as RGB")
    return Pair(a, b, tuple(notes))


def profiled(picture: Raster) -> Raster:
    """The picture with a colour profile in the place of its code points, where one means the same."""
    points = picture.metadata.cicp
    icc = points and colour.profile(points, picture.channels)
    return replace(picture, metadata=replace(picture.metadata, icc=icc, cicp=None)) if icc else picture


def _colours(picture: Raster) -> CodePoints | bytes | None:
    """What says of which colours the samples are; code points rank before a profile."""
    return picture.metadata.cicp or picture.icc


def _same_colours(original: Raster, other: Raster, notes: list[str]) -> tuple[Raster, Raster]:
    if original.metadata.cicp or other.metadata.cicp:
        notes.append("different colours, which no profile can convert: samples compared as stored")
        return original, other
    try:
        a, b = from_picture(original, strip=True), from_picture(other, strip=True)
    except PictureError:
        notes.append("different colour profiles, which at 16 bits cannot be converted: samples compared as stored")
        return original, other
    if a.samples is not original.samples or b.samples is not other.samples:
        notes.append("different colour profiles: compared in sRGB")
    return a, b


def deepened(picture: Raster) -> Raster:
    """The picture with 16 bits."""
    if picture.depth == 16:
        return picture
    samples = picture.samples.astype(np.uint16) * np.uint16(257)
    alpha = None if picture.alpha is None else picture.alpha.astype(np.uint16) * np.uint16(257)
    return replace(picture, samples=samples, alpha=alpha)


def is_transparent(picture: Raster) -> bool:
    """Whether anything of it is not opaque."""
    return picture.alpha is not None and bool((picture.alpha != np.iinfo(picture.alpha.dtype).max).any())


def on_grey(picture: Raster) -> Raster:
    """The picture as seen on medium grey, opaque."""
    if picture.alpha is None or not is_transparent(picture):
        return replace(picture, alpha=None)
    peak = int(np.iinfo(picture.samples.dtype).max)
    samples = np.empty_like(picture.samples)
    for row in range(picture.height):  # in uint32, which 65535^2 just fits
        alpha = picture.alpha[row, :, None].astype(np.uint32)
        mixed = picture.samples[row].astype(np.uint32) * alpha + (peak + 1) // 2 * (peak - alpha)
        samples[row] = (mixed + peak // 2) // peak
    return replace(picture, samples=samples, alpha=None)


def _coloured(samples: Samples) -> Samples:
    return samples if samples.shape[2] == 3 else cast(Samples, np.repeat(samples, 3, axis=2))
