# SPDX-License-Identifier: BSD-3-Clause
"""SSIMULACRA 2: agreement with what people say of compressed photographs.

J. Sneyers, "SSIMULACRA 2 - Structural SIMilarity Unveiling Local And Compression Related Artifacts", Cloudinary 2022.
The numbers are those of version 2.1, April 2023, as in the reference implementation of the JPEG XL project.

At each of six scales, the two pictures are taken to the colour space XYB and three maps are made of each channel: loss
of structure (as in SSIM), artefacts (edges where the original has none) and lost detail (the reverse). Of each map two
norms are taken over the picture, the mean and the fourth root of the mean fourth power. The score follows from the
weighted sum of these 3 x 6 x 2 x 3 numbers. NumPy and PyTorch both compute it from the tables here.

A picture runs through in strips of rows: each scale draws strips from the one above it, keeps the rows that the blur
still needs, and passes on their 2 x 2 means, so that no scale is ever held whole. The blur is two products with banded
matrices for each tile of a strip. With d = a - b the map of structure is computed as e + blur(d)^2 (1 - e), where e is
(blur(d^2) - blur(d)^2) / (the sum of the variances + C2): the same number, without the difference of nearly equal ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..arrays import Samples
from ..errors import PictureError
from .pair import checked_pair, size_of

Strip = NDArray[np.float32]  # (2, 3, H, W): rows of the original and of its copy, channel by channel

SCALES = 6  # each half as large as the one before, by 2 x 2 means in linear light
SMALLEST_SIDE = 225  # pixels: a shorter side has less than 8 at the coarsest of the six scales, which is the least
SMALLEST = 8  # pixels: of a scale that counts
TILE = 64  # pixels: what fits the processor's cache

# Linear sRGB, 0..1, to the responses of the eye's long, medium and short cones (libjxl's opsin absorbance).
OPSIN = np.array([
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.55180986650955360],
])  # fmt: skip
BIAS = 0.0037930732552754493  # added to each response before its cube root, whose value at black is then taken off
# From the three roots, less that at black, to X, Y and B, all made positive: X 14 times, B less Y.
XYB = np.array([[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]])
OFFSET = np.array([0.42, 0.01, 0.55])

SIGMA, RADIUS = (
    1.5,
    5,
)  # pixels, of the Gaussian blur, with mirrored rows above and below, and zeros beside the picture
C2 = 0.0009  # steadies the quotient of structure where the picture is flat

# By channel, scale (finest first) and norm (mean, then fourth): structure, artefacts, lost detail.
# fmt: off
WEIGHTS = np.array([
    [  # X
        [[0.0, 0.0007376606707406586, 0.0], [0.0, 0.0007793481682867309, 0.0]],
        [[0.0, 0.0004371155730107379, 0.0], [1.1041726426657346, 0.00066284834129271, 0.00015231632783718752]],
        [[0.0, 0.0016406437456599754, 0.0], [1.8422455520539298, 11.441172603757666, 0.0]],
        [[0.0007989109436015163, 0.000176816438078653, 0.0], [1.8787594979546387, 10.94906990605142, 0.0]],
        [[0.0007289346991508072, 0.9677937080626833, 0.0],
         [0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053]],
        [[0.0004550992113792063, 0.0, 0.0], [0.0013648766163243398, 0.0, 0.0]],
    ],
    [  # Y
        [[0.0, 0.0, 0.0], [7.466890328078848, 0.0, 17.445833984131262]],
        [[0.0006235601634041466, 0.0, 0.0], [6.683678146179332, 0.00037724407979611296, 1.027889937768264]],
        [[225.20515300849274, 0.0, 0.0], [19.213238186143016, 0.0011401524586618361, 0.001237755635509985]],
        [[176.39317598450694, 0.0, 0.0], [24.43300999870476, 0.28520802612117757, 0.0004485436923833408]],
        [[0.0, 0.0, 0.0], [34.77906344483772, 44.835625328877896, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    ],
    [  # B
        [[0.0, 0.0008680556573291698, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0005313191874358747, 0.0], [0.00016533814161379112, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0004179171803251336, 0.0017290828234722833, 0.0]],
        [[0.0020827005846636437, 0.0, 0.0], [8.826982764996862, 23.19243343998926, 0.0]],
        [[95.1080498811086, 0.9863978034400682, 0.9834382792465353],
         [0.0012286405048278493, 171.2667255897307, 0.9807858872435379]],
        [[0.0, 0.0, 0.0], [0.0005130064588990679, 0.0, 0.00010854057858411537]],
    ],
])
# fmt: on

RAW_SCALE = 0.9562382616834844  # of the weighted sum
POLYNOMIAL = (6.248496625763138e-05, -0.020884521182843837, 2.326765642916932, 0.0)  # of the scaled sum, cube first
POWER = 0.6276336467831387


def blur_taps() -> tuple[float, ...]:
    """The 2 RADIUS + 1 taps of the blur, which sum to 1."""
    taps = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    return tuple(float(tap) for tap in taps / taps.sum())


def score(raw: float) -> float:
    """The score, at most 100, of the weighted sum times RAW_SCALE: 1.6 gives 77, 6.4 gives 47, 24 gives -9."""
    value = float(np.polyval(POLYNOMIAL, raw))
    return 100.0 - 10.0 * value**POWER if value > 0 else 100.0


def ssimulacra2(a: Samples, b: Samples) -> float:
    """The score of ``b`` as a copy of ``a``: 100 is equal, 90 cannot be told apart, 70 good, 50 medium, below 0 awful.

    Grey or RGB, taken as sRGB, 8 or 16 bits. Not symmetrical: ``a`` is the original. Memory grows with the width of the
    pictures but not with their height. Raises PictureError for pictures that cannot be compared, or with a side below
    225 pixels.
    """
    a, b, _ = checked_pair(a, b, luma=True)
    if min(a.shape[:2]) < SMALLEST_SIDE:
        raise PictureError(
            f"SSIMULACRA 2 needs sides of at least {SMALLEST_SIDE} pixels, and the picture is {size_of(a)}"
        )
    return score(weighted_sum(a, b))


def weighted_sum(a: Samples, b: Samples) -> float:
    """What the score follows from, 0 for equal pictures; of pictures of any size with the scales that fit, if one does.

    Raises PictureError as :func:`ssimulacra2` does, but for sides from SMALLEST pixels on.
    """
    a, b, peak = checked_pair(a, b, luma=True)
    if min(a.shape[:2]) < SMALLEST:
        raise PictureError(f"SSIMULACRA 2 needs sides of at least {SMALLEST} pixels, and the picture is {size_of(a)}")
    norms = np.zeros((3, SCALES, 2, 3))
    strips = linear_strips(a, b, peak)
    for scale in range(SCALES):  # each generator draws its rows from the one before
        if -(-min(a.shape[:2]) // 2**scale) < SMALLEST:
            break
        strips = one_scale(strips, norms[:, scale])
    for _ in strips:
        pass
    return RAW_SCALE * float((WEIGHTS * norms).sum())


def linear_strips(a: Samples, b: Samples, peak: float) -> Iterator[Strip]:
    """Both pictures in linear light, 0..1, from top to bottom."""
    table = srgb_to_linear(np.arange(peak + 1) / peak).astype(np.float32)
    height, width = a.shape[:2]
    step = strip_rows(width)
    for start in range(0, height, step):
        rows = np.stack([np.take(table, picture[start : start + step].transpose(2, 0, 1)) for picture in (a, b)])
        yield np.broadcast_to(rows, (2, 3, *rows.shape[2:]))


def one_scale(strips: Iterable[Strip], norms: NDArray[np.float64]) -> Iterator[Strip]:
    """Fill ``norms`` (channel, norm, feature) from all of a scale, and yield the strips of the next one."""
    total = np.zeros((2, 3, 3))  # norm, feature, channel
    pixels = 0
    held: Strip | None = None
    for strip in regrouped(strips):
        rows = np.pad(to_xyb(strip), ((0, 0), (0, 0), (0, 0), (RADIUS, RADIUS)))
        if held is None:
            held = rows[:, :, RADIUS - 1 :: -1]
        held = np.concatenate((held, rows), axis=2)
        total += sums(held)
        held = held[:, :, -2 * RADIUS :]
        pixels += strip.shape[2] * strip.shape[3]
        yield halved(strip)
    if held is not None:
        total += sums(np.concatenate((held, held[:, :, : -RADIUS - 1 : -1]), axis=2))
    total /= pixels
    total[1] **= 0.25
    norms[:] = total.transpose(2, 0, 1)


def regrouped(strips: Iterable[Strip]) -> Iterator[Strip]:
    """The same rows in strips of the usual height, which is even; only the last may have fewer."""
    held: list[Strip] = []
    for strip in strips:
        held.append(strip)
        if sum(piece.shape[2] for piece in held) >= strip_rows(strip.shape[3]):
            yield np.concatenate(held, axis=2)
            held = []
    if held:
        yield np.concatenate(held, axis=2)


def strip_rows(width: int) -> int:
    """The usual height of a strip: a power of two, fewer where rows are very long."""
    return TILE if width <= 1 << 13 else TILE // 4


def srgb_to_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The light, 0..1, of sRGB values in 0..1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_xyb(strip: Strip) -> Strip:
    """Linear RGB to the three channels of the maps."""
    roots = np.cbrt(np.maximum(mixed(OPSIN, strip, np.full(3, BIAS)), 0))
    return mixed(XYB, roots, OFFSET - XYB @ np.full(3, np.cbrt(BIAS)))


def mixed(matrix: NDArray[np.float64], strip: Strip, offset: NDArray[np.float64]) -> Strip:
    """A matrix over the channels, and an offset for each."""
    flat = matrix.astype(np.float32) @ strip.reshape(2, 3, -1)
    flat += offset.astype(np.float32)[:, None]
    return flat.reshape(strip.shape)


def halved(strip: Strip) -> Strip:
    """Means of 2 x 2; at odd sides of what there is."""
    height, width = strip.shape[2:]
    if height % 2 or width % 2:
        strip = np.pad(strip, ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), "edge")
    down = strip[:, :, 0::2] + strip[:, :, 1::2]
    mean: Strip = (down[..., 0::2] + down[..., 1::2]) * np.float32(0.25)
    return mean


def sums(rows: Strip) -> NDArray[np.float64]:
    """Sums over the maps (norm, feature, channel) of rows of XYB, which have RADIUS pixels around them."""
    total = np.zeros((2, 3, 3))
    height, width = (side - 2 * RADIUS for side in rows.shape[2:])
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            total += tile_sums(rows[:, :, top : top + TILE + 2 * RADIUS, left : left + TILE + 2 * RADIUS])
    return total


def tile_sums(pair: Strip) -> NDArray[np.float64]:
    """:func:`sums` of one tile."""
    a, b = pair
    height, width = (side - 2 * RADIUS for side in a.shape[1:])
    difference = a - b
    blurred = blur_matrix(height) @ np.stack((a, difference, a * a + b * b, difference * difference))
    mean, offset, power, error = blurred @ blur_matrix(width).T
    inside = np.s_[:, RADIUS:-RADIUS, RADIUS:-RADIUS]
    other = mean - offset
    offset *= offset
    error -= offset
    power -= mean * mean
    power -= other * other
    power += np.float32(C2)
    error /= power
    maps = np.empty((3, *mean.shape), np.float32)
    np.maximum(error + offset * (1 - error), 0, out=maps[0])
    edges = (1 + np.abs(b[inside] - other)) / (1 + np.abs(a[inside] - mean)) - 1
    np.maximum(edges, 0, out=maps[1])
    np.maximum(-edges, 0, out=maps[2])
    flat = maps.reshape(3, 3, -1)
    squares = flat * flat
    return np.stack((flat.sum(axis=2), np.einsum("fcn,fcn->fc", squares, squares))).astype(np.float64)


@lru_cache(maxsize=2 * TILE)
def blur_matrix(side: int) -> Strip:
    """The blur of ``side`` pixels from these and RADIUS more on both ends, as a matrix (side, side + 2 RADIUS)."""
    matrix = np.zeros((side, side + 2 * RADIUS), np.float32)
    for i in range(side):
        matrix[i, i : i + 2 * RADIUS + 1] = blur_taps()
    return matrix
