# SPDX-License-Identifier: BSD-3-Clause
"""The metrics as training losses: differentiable, in PyTorch, a value for each picture of a batch.

All take batches (N, C, H, W) of floats in 0..1, originals and decoded pictures, and return (N,). They are made of the
tables and the formulas of :mod:`calotype.metrics`, and tests hold both to the same values. To be minimised:
``mse(x, y)``, ``1 - ms_ssim(x, y)``, ``hvs_mse(x, y)`` and ``ssimulacra2_sum(x, y)``; of the first and the third,
``-10 log10`` is PSNR and PSNR-HVS. PSNR-HVS-M is left out: what its masking hides has no gradient, and a network would
learn to put errors there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import PictureError
from ..metrics.hvs import SPECTRUM, blocks, weighted
from ..metrics.luma import LUMA_WEIGHTS
from ..metrics.similarity import WINDOW, luminance, most_scales, scale_weights, structure
from ..metrics.ssimulacra2 import BIAS, C2, OFFSET, OPSIN, RADIUS, RAW_SCALE, SCALES, WEIGHTS, XYB, blur_taps, score
from ..metrics.ssimulacra2 import SMALLEST as SMALLEST_SCALE
from ..networks.fused import Fused

SMALLEST = 1e-6  # a similarity below it counts as this much: the gradient of x^0.04 grows without bound towards zero
TAPS = blur_taps()  # what follows is read by a compiler, which wants plain numbers
CONES, OPPONENTS, FEATURES = OPSIN.tolist(), list(zip(XYB.tolist(), OFFSET.tolist(), strict=True)), WEIGHTS.tolist()
OUTSIDE = 0.1  # of the gradient of SSIMULACRA 2 that samples outside of 0..1, which it cannot see, still get
DARKEST = 1e-4  # a cone's response, at least: the slope of the cube root grows without bound towards zero
FLATTEST = 1e-16  # is added to a mean fourth power, for the same reason
BANDED = 512  # pixels: sides up to here are blurred by matrix products, which compile to half the time of convolutions
BANDS: dict[tuple[int, str, torch.dtype, str], Tensor] = {}  # those needed so far; few, for few are sides
Loss = Callable[[Tensor, Tensor], Tensor]


def mse(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error over all channels."""
    return (x - y).square().mean((1, 2, 3))


def hvs_mse(x: Tensor, y: Tensor) -> Tensor:
    """The error of PSNR-HVS: that of the luma (C = 3; grey, C = 1, is its own) after contrast sensitivity.

    Sides should be multiples of 8: what fills no block gets no gradient.
    """
    spectrum = torch.from_numpy(SPECTRUM).to(x)
    return weighted(blocks(_luma(x)), blocks(_luma(y)), spectrum).mean((1, 2))  # type: ignore[no-any-return]


def ms_ssim(x: Tensor, y: Tensor, *, scales: int = 5) -> Tensor:
    """MS-SSIM, the mean over the channels; SSIM with one scale.

    Raises PictureError if the crops are too small for so many scales: five need sides above 160 pixels.
    """
    weights = scale_weights(scales)
    if most_scales(x.shape[-2], x.shape[-1]) < scales:
        raise PictureError(
            f"crops of {x.shape[-1]} x {x.shape[-2]} pixels are too small for MS-SSIM with {scales} scales; "
            "take larger crops or fewer scales"
        )
    value = torch.ones(x.shape[:2], dtype=x.dtype, device=x.device)
    for scale, weight in enumerate(weights):
        whole, contrast = _similarity(x, y)
        coarsest = scale == scales - 1
        value = value * (whole if coarsest else contrast).clamp_min(SMALLEST) ** weight
        if not coarsest:
            x, y = _halved(x), _halved(y)
    return value.mean(1)


def _luma(x: Tensor) -> Tensor:
    """(N, H, W)."""
    if x.shape[1] == 1:
        return x[:, 0]
    red, green, blue = LUMA_WEIGHTS
    return red * x[:, 0] + green * x[:, 1] + blue * x[:, 2]


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Means (N, C) of (luminance x structure) and of structure."""
    p, q = x - 0.5, y - 0.5  # squares around zero keep more of float32's digits
    mean_p, mean_q = _blurred(p), _blurred(q)
    covariance = 2 * (_blurred(p * q) - mean_p * mean_q)
    variances = _blurred(p * p + q * q) - (mean_p * mean_p + mean_q * mean_q)
    structures = structure(covariance, variances, 1.0)
    whole = structures * luminance(mean_p + 0.5, mean_q + 0.5, 1.0)
    return whole.mean((2, 3)), structures.mean((2, 3))


def _blurred(x: Tensor) -> Tensor:
    """Each channel with the Gaussian window of MS-SSIM, where it fits."""
    height, width = x.shape[-2:]
    if max(height, width) <= BANDED:
        return _band(height, "inside", x) @ x @ _band(width, "inside", x).T
    return _convolved(x, WINDOW)


def _convolved(x: Tensor, taps: tuple[float, ...], padding: int = 0) -> Tensor:
    """Each channel with ``taps`` along both sides, where they fit; rows grow by ``padding`` zeros at either end."""
    channels, kernel = x.shape[1], x.new_tensor(taps)
    x = F.conv2d(x, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), padding=(0, padding), groups=channels)
    return F.conv2d(x, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def _halved(x: Tensor) -> Tensor:
    """2x2 means; an odd side gets one zero in front, which counts in the mean."""
    return F.avg_pool2d(F.pad(x, (x.shape[3] % 2, 0, x.shape[2] % 2, 0)), 2)


def ssimulacra2_sum(x: Tensor, y: Tensor) -> Tensor:
    """What the score of SSIMULACRA 2 follows from: the weighted sum of its features, about 1.6 at a score of 77, 24 at
    -9, and 0 for equal pictures. C = 3, or 1 for grey.

    It is never quite 0, and its scores are within half a point of the metric's: powers are kept from the places where
    their slopes have no bound.
    """
    if x.shape[1] == 1:
        x, y = x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1)
    x = _linear(x.clamp(0, 1))
    y = _linear(torch.lerp(y.clamp(0, 1), y, OUTSIDE))
    features = []
    for scale in range(SCALES):
        if scale:
            x, y = (F.avg_pool2d(z, 2, ceil_mode=True) for z in (x, y))  # at odd sides of what there is
        if min(x.shape[-2:]) < SMALLEST_SCALE:
            break
        features.append(_norms(*_maps(_xyb(x), _xyb(y))))
    weights = x.new_tensor(FEATURES)[:, : len(features)]  # (C, scales, norms, maps)
    return (torch.stack(features, 2) * weights).sum((1, 2, 3, 4)) * RAW_SCALE


def ssimulacra2_scores(sums: Tensor) -> list[float]:
    """The scores, at most 100, of what :func:`ssimulacra2_sum` returns."""
    return [score(value) for value in sums.tolist()]


class Compiled:
    """A loss that PyTorch's compiler has fused for the shapes of training: the same numbers in less than half the time.

    Compiling takes some seconds for each new shape and needs a C++ compiler; without one the loss stays as it is.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.known: set[torch.Size] = set()
        self.fused: Loss = Fused(loss, fullgraph=True)

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss; see the class."""
        if self.fused is not self.loss:
            try:
                if x.shape not in self.known:
                    with torch.no_grad():
                        self.loss(x[:1], y[:1])  # makes the bands of these sides, which a compiler should not see
                    self.known.add(x.shape)
                return self.fused(x.contiguous(), y.contiguous())
            except Exception:  # whatever a compiler that does not work may raise
                print("the loss cannot be compiled here: steps take longer", file=sys.stderr, flush=True)
                self.fused = self.loss
        return self.loss(x, y)


def _linear(x: Tensor) -> Tensor:
    """sRGB to linear light. Powers by logarithms, which compilers vectorise."""
    curve = torch.exp2(2.4 * torch.log2((x.clamp_min(0.04045) + 0.055) / 1.055))
    return torch.where(x <= 0.04045, x / 12.92, curve)


def _xyb(rgb: Tensor) -> Tensor:
    """Linear sRGB (N, 3, H, W) to XYB."""
    black = BIAS ** (1 / 3)
    roots = []
    for row in CONES:
        mixed = sum(weight * rgb[:, i] for i, weight in enumerate(row)) + BIAS
        roots.append(torch.exp2(torch.log2(mixed.clamp_min(DARKEST)) / 3) - black)
    planes = []
    for row, offset in OPPONENTS:
        planes.append(sum(weight * roots[i] for i, weight in enumerate(row) if weight) + offset)
    return torch.stack(planes, 1)


def _maps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Loss of structure, artefacts and lost detail at each place."""
    mean_a, square_a = _spread(torch.cat((a, a * a), 1)).chunk(2, 1)
    mean_b, square_b, product = _spread(torch.cat((b, b * b, a * b), 1)).chunk(3, 1)
    covariance, variances = product - mean_a * mean_b, (square_a - mean_a * mean_a) + (square_b - mean_b * mean_b)
    alike = (1 - (mean_a - mean_b) ** 2) * (2 * covariance + C2) / (variances + C2)
    edges = (1 + (b - mean_b).abs()) / (1 + (a - mean_a).abs()) - 1
    return (1 - alike).clamp_min(0), edges.clamp_min(0), (-edges).clamp_min(0)


def _norms(*maps: Tensor) -> Tensor:
    """The mean, and the fourth root of the mean fourth power, of each map: (N, C, norms, maps)."""
    norms = []
    for values in maps:
        squares = values * values
        fourth = ((squares * squares).mean((2, 3)) + FLATTEST).sqrt().sqrt()
        norms.append(torch.stack((values.mean((2, 3)), fourth), 2))
    return torch.stack(norms, 3)


def _spread(x: Tensor) -> Tensor:
    """Each plane under the Gaussian of SSIMULACRA 2, which sees a mirror above and below, zeros left and right."""
    height, width = x.shape[-2:]
    if max(height, width) <= BANDED:
        return _band(height, "mirror", x) @ x @ _band(width, "zeros", x).T
    return _convolved(F.pad(x, (0, 0, RADIUS, RADIUS), mode="reflect"), TAPS, RADIUS)


def _band(side: int, edges: str, x: Tensor) -> Tensor:
    """The blur along one side as a matrix, ``band @ x``.

    ``inside``, where the window of MS-SSIM fits, or that of SSIMULACRA 2 with ``zeros`` or a ``mirror`` at the ends.
    """
    known = BANDS.get((side, edges, x.dtype, x.device.type))
    return known if known is not None else _made_band(side, edges, x)


@torch.inference_mode(False)  # it is kept, and gradients may need it later
def _made_band(side: int, edges: str, x: Tensor) -> Tensor:
    taps = WINDOW if edges == "inside" else TAPS
    radius = len(taps) // 2
    matrix = torch.zeros(side, side, dtype=torch.float64)
    for centre in range(side):
        for place, tap in enumerate(taps, centre - radius):
            if edges == "mirror":
                place = abs(place) if place < side else 2 * side - 2 - place
            if 0 <= place < side:
                matrix[centre, place] += tap
    made = (matrix[radius : side - radius] if edges == "inside" else matrix).to(x.device, x.dtype)
    BANDS[side, edges, x.dtype, x.device.type] = made
    return made
