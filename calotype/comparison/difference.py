# SPDX-License-Identifier: BSD-3-Clause
"""A sheet with each picture beside the original and a map of their differences, labelled."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..arrays import Samples
from ..metrics.pair import strips
from .alike import Pair

Bytes = NDArray[np.uint8]

GAP, CAPTION = 16, 60  # pixels between panels, and above each row of them
PANEL = 260  # pixels, at least, for a panel and its caption
MOST_PIXELS = 60_000_000  # of the panels of a sheet; more are shown reduced
AMPLIFICATIONS = (1, 2, 4, 8, 16, 32, 64, 128)
SHARE = 0.995  # of the pixels that the amplification should not saturate
PAPER, INK, FAINT = (24, 24, 26), (240, 240, 240), (160, 160, 165)
# From no difference to the largest: dark to light throughout, so that it can be read without colour.
STOPS = ((0, 0, 4), (60, 9, 101), (135, 33, 107), (201, 62, 76), (242, 125, 21), (250, 194, 40), (252, 255, 200))


def difference(pair: Pair) -> Bytes:
    """The largest difference of a pixel's channels (H, W), in steps of 255 (those of 16 bits are rounded up)."""
    height, width, channels = pair.original.shape
    out = np.empty((height, width), np.uint8)
    for start, stop in strips(height, width * channels):
        a, b = pair.original[start:stop].astype(np.int32), pair.other[start:stop].astype(np.int32)
        largest = np.abs(a - b).max(axis=2)
        out[start:stop] = -(-largest // 257) if pair.original.dtype == np.uint16 else largest
    return out


def amplification(differences: Sequence[Bytes]) -> int:
    """One factor for all maps, so that they can be compared: the largest that leaves 99.5 % of the pixels in range."""
    if not differences:
        return 1
    counts = sum(np.bincount(one.ravel(), minlength=256) for one in differences)
    level = int(np.searchsorted(np.cumsum(counts), SHARE * np.sum(counts)))
    return max((factor for factor in AMPLIFICATIONS if factor * level <= 255), default=1)


def sheet(original: str, pairs: Sequence[tuple[str, str, Pair]], factor: int | None = None) -> Image.Image:
    """A row for each pair: the original, the other and the map.

    Args:
        original: name of the original.
        pairs: name of the other, a line of figures about it, and both pictures.
        factor: of the differences; chosen by :func:`amplification` if None.
    """
    maps = [difference(pair) for _, _, pair in pairs]
    factor = factor or amplification(maps)
    height, width = pairs[0][2].original.shape[:2]
    reduction = max(1, math.ceil(math.sqrt(3 * len(pairs) * height * width / MOST_PIXELS)))
    shown = (-(-height // reduction), -(-width // reduction))
    step, row = max(shown[1], PANEL) + GAP, CAPTION + shown[0] + GAP
    page = Image.new("RGB", (GAP + 3 * step, GAP + row * len(pairs)), PAPER)
    draw = ImageDraw.Draw(page)
    table = _palette()
    scale = f", shown at 1/{reduction}" if reduction > 1 else ""
    for index, ((name, figures, pair), one) in enumerate(zip(pairs, maps, strict=True)):
        reduced = _reduced_map(one, reduction)
        amplified = table[np.minimum(reduced.astype(np.uint16) * factor, 255)]
        panels = (
            (original, f"original, {width} x {height}{scale}", _shown(pair.original, reduction)),
            (name, figures, _shown(pair.other, reduction)),
            (
                f"difference x {factor}",
                f"brightest: {min(255, math.ceil(255 / factor))} of 255 or more",
                Image.fromarray(amplified),
            ),
        )
        top = GAP + index * row
        for column, (head, line, panel) in enumerate(panels):
            left = GAP + column * step
            _write(draw, (left, top), head, 20, INK, step - GAP)
            _write(draw, (left, top + 28), line, 14, FAINT, step - GAP)
            page.paste(panel, (left, top + CAPTION - 8))
    return page


def _write(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, ink: tuple[int, int, int], room: int
) -> None:
    """One line, cut to the room that it has."""
    font = ImageFont.load_default(size)
    if draw.textlength(text, font) > room:
        while text and draw.textlength(text + "...", font) > room:
            text = text[:-1]
        text += "..."
    draw.text(place, text, fill=ink, font=font)


def _shown(samples: Samples, reduction: int) -> Image.Image:
    """8-bit RGB, reduced by means."""
    if samples.dtype == np.uint16:
        samples = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(samples[:, :, 0] if samples.shape[2] == 1 else samples))
    return (picture.reduce(reduction) if reduction > 1 else picture).convert("RGB")


def _reduced_map(one: Bytes, reduction: int) -> Bytes:
    """The largest difference of each reduced pixel: none disappears."""
    if reduction == 1:
        return one
    height, width = (-side % reduction for side in one.shape)
    padded = np.pad(one, ((0, height), (0, width)))
    blocks = padded.reshape(padded.shape[0] // reduction, reduction, -1, reduction)
    return np.asarray(blocks.max(axis=(1, 3)), dtype=np.uint8)


def _palette() -> Bytes:
    """(256, 3)."""
    places = np.linspace(0, 255, len(STOPS))
    channels = [np.interp(np.arange(256), places, [stop[channel] for stop in STOPS]) for channel in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)
