# SPDX-License-Identifier: BSD-3-Clause
"""A perceptual distance: how differently a network that was trained to name things sees two pictures.

After R. Zhang, P. Isola, A. Efros, E. Shechtman, O. Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", CVPR 2018, without their learned weights of channels, so that values are not those of LPIPS.

With f the features of a layer at one place, divided by their length (plus 1e-10), the layer's distance is the mean
over all places of |f(a) - f(b)|^2, which lies between 0 and 2; the result is the mean over four layers, the last of
each resolution (conv1, fire4, fire8, fire9), so that each scale counts as much as any other. A picture with a side
above 1024 pixels is cut into equal parts of at most 1024, and the result is their mean, weighed by their pixels: that
bounds memory.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..arrays import Samples
from ..errors import PictureError
from .pair import checked_pair, size_of
from .squeezenet import SMALLEST_SIDE, Features, SqueezeNet

LARGEST_SIDE = 1024  # pixels of a part
EPSILON = 1e-10


def perceptual_distance(a: Samples, b: Samples, network: SqueezeNet) -> float:
    """0 for equal pictures, at most 2; symmetrical. Grey or RGB; 16 bits are scaled to 0..255.

    Raises PictureError for pictures that cannot be compared, or have a side below 21 pixels.
    """
    a, b, peak = checked_pair(a, b, luma=True)
    height, width = int(a.shape[0]), int(a.shape[1])
    if min(height, width) < SMALLEST_SIDE:
        raise PictureError(
            f"the perceptual distance needs sides of at least {SMALLEST_SIDE} pixels, and the picture is {size_of(a)}"
        )
    total = []
    for rows in _parts(height):
        for columns in _parts(width):
            pixels = (rows.stop - rows.start) * (columns.stop - columns.start)
            layers = zip(
                network.features(_input(a[rows, columns], peak)),
                network.features(_input(b[rows, columns], peak)),
                strict=True,
            )
            total.append(pixels * float(np.mean([_distance(x, y) for x, y in layers])))
    return math.fsum(total) / (height * width)


def _parts(side: int) -> list[slice]:
    """Cut ``side`` pixels into equal parts of at most LARGEST_SIDE."""
    count = -(-side // LARGEST_SIDE)
    edges = [side * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _input(samples: Samples, peak: float) -> Features:
    """RGB (H, W, 3), 0..255."""
    return np.broadcast_to(samples, (*samples.shape[:2], 3)).astype(np.float32) * np.float32(255 / peak)


def _distance(x: Features, y: Features) -> float:
    return float(((_unit(x) - _unit(y)) ** 2).sum(axis=2, dtype=np.float64).mean())


def _unit(x: Features) -> Features:
    unit: Features = x / (np.sqrt((x * x).sum(axis=2, keepdims=True)) + np.float32(EPSILON))
    return unit
