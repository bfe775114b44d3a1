# SPDX-License-Identifier: BSD-3-Clause
"""Strength of a picture's compression, as a vector ``e (1, K, 1, 1)``: it tells a restoring network how much to repair.

A JPEG file says it itself, in its quantisation tables; anything else is looked at. Networks of the bundle ``tao2017``
make the vector of either: ``tables.onnx`` and ``estimate.onnx``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...arrays import Floats, Samples, to_planes
from ...engine.bundles import Bundle
from ...engine.runtime import graph
from ...engine.tiling import Rectangle, pad_to

STEPS = 64  # in a quantisation table
CROP = 256  # side of the crops that are looked at
CROPS = 3  # of them along each side at most, evenly spaced from border to border
GRID = 16  # crops begin on it: the blocks of any JPEG with halved chroma do


@dataclass(frozen=True)
class Strength:
    """The two networks of a bundle."""

    bundle: Bundle
    threads: int

    def __call__(self, samples: Samples, tables: Floats | None = None) -> Floats:
        """``e`` for a picture ``(H, W, 1 or 3)`` in the order of rows in which it was compressed.

        Args:
            samples: 8 or 16 bits.
            tables: what :func:`quantisation` found, which is better than any estimate.
        """
        if tables is not None:
            return np.asarray(graph(self.bundle.path / "tables.onnx", self.threads)(tables)[0], np.float32)
        estimate = graph(self.bundle.path / "estimate.onnx", self.threads)
        found = []
        for place in crops(*samples.shape[:2]):
            x = to_planes(samples[place.slices])
            x = pad_to(x, -(-x.shape[1] // GRID) * GRID, -(-x.shape[2] // GRID) * GRID)
            found.append(estimate(x[None])[0])
        return np.asarray(np.mean(found, axis=0), np.float32)


def crops(height: int, width: int) -> list[Rectangle]:
    """Crops to look at in a picture: up to nine squares of 256 pixels, or at all of a side that is shorter."""
    return [
        Rectangle(left, top, left + min(width, CROP), top + min(height, CROP))
        for top in _starts(height)
        for left in _starts(width)
    ]


def _starts(side: int) -> list[int]:
    """Starts of crops along a side: no more of them than fit beside each other."""
    count = min(CROPS, max(1, side // CROP))
    room = max(0, side - CROP)
    if count == 1:
        return [room // 2 // GRID * GRID]
    return [room * i // (count - 1) // GRID * GRID for i in range(count)]


def quantisation(image: Image.Image) -> Floats | None:
    """Log2 of the 64 luma and the 64 chroma steps of an opened JPEG, ``(1, 128, 1, 1)``; None for anything else.

    Steps stand row by row, as in the ``quantization`` of Pillow's JPEG images since version 8.3 (in the file they lie
    in zigzag order). A grey JPEG has one table, which counts for chroma as well. None, too, for an image that was
    reduced while reading (``Image.draft``): its blocks are no longer those of the file.
    """
    tables = getattr(image, "quantization", None)
    layers = getattr(image, "layer", None)
    if not isinstance(tables, dict) or not layers or getattr(image, "decoderconfig", None):
        return None
    steps: list[npt.NDArray[np.float32]] = []
    for layer in (layers[0], layers[min(1, len(layers) - 1)]):  # luma, chroma
        table = tables.get(layer[3])
        if table is None or len(table) != STEPS:
            return None
        steps.append(np.log2(np.maximum(np.asarray(table, np.float32), 1)))
    return np.concatenate(steps).astype(np.float32)[None, :, None, None]
