# SPDX-License-Identifier: BSD-3-Clause
"""Random crops of training pictures: anywhere in them, at several scales, flipped and turned.

On a CPU they are cut out and resized one by one. From pictures that a GPU holds, a batch is one gather and two products
with the matrices that resize: crop by crop, the GPU would wait for the processor that launches hundreds of small steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..arrays import Progress
from ..errors import CalotypeError
from .data import PictureCache
from .progress import silent


@dataclass(frozen=True)
class CropConfig:
    """Settings of random crops."""

    size: int = 256  # side of a crop; 256 shows the prior two cells of its coarsest lattice
    scale_min: float = 0.6  # random resizing: sees smoother and sharper pictures than the data has
    scale_max: float = 1.6
    scale_probability: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 < self.scale_min <= self.scale_max:
            raise CalotypeError("crops should have a size from 1 on, and scales above 0, the least of them first")


@dataclass(frozen=True)
class Region:
    """Where a crop is: a square of a picture, and whether it is mirrored, then transposed."""

    picture: int
    top: int
    left: int
    side: int  # pixels, resized to the size of crops
    mirrored: bool
    turned: bool


def random_region(cache: PictureCache, config: CropConfig, rng: np.random.Generator) -> Region:
    """A place for a crop; see :func:`random_crop`."""
    scale = 1.0
    if rng.random() < config.scale_probability:
        scale = float(np.exp(rng.uniform(np.log(config.scale_min), np.log(config.scale_max))))
    i = int(rng.choice(len(cache), p=cache.weights))
    h, w = cache.shapes[i]
    side = min(round(config.size / scale), h, w)
    top, left = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
    return Region(i, top, left, side, mirrored=rng.random() < 0.5, turned=rng.random() < 0.5)


def random_crop(cache: PictureCache, config: CropConfig, rng: np.random.Generator) -> Tensor:
    """A crop ``(3, size, size)`` in 0..1, anywhere in the pictures, flipped and turned at random; where the cache is.

    A picture is drawn with a probability proportional to its area, so that every pixel counts alike. One that is
    smaller than the crop is scaled up.
    """
    return _cut(cache, config, random_region(cache, config, rng))


def random_crops(cache: PictureCache, config: CropConfig, rng: np.random.Generator, count: int) -> Tensor:
    """``count`` of them at once, ``(count, 3, size, size)``: those that :func:`random_crop` would give one by one."""
    regions = [random_region(cache, config, rng) for _ in range(count)]
    if cache.resident is not None:
        return _cut_together(cache, cache.resident, config.size, regions)
    return torch.stack([_cut(cache, config, region) for region in regions])


def crop_batches(
    cache: PictureCache, config: CropConfig, count: int, seed: int, progress: Progress = silent
) -> Iterator[Tensor]:
    """The same ``count`` random crops each time, four at once ``(4, 3, size, size)``."""
    rng = np.random.default_rng(seed)
    for done in range(0, count, 4):
        progress(done, count)
        yield random_crops(cache, config, rng, 4)


def _cut(cache: PictureCache, config: CropConfig, region: Region) -> Tensor:
    crop = cache.piece(region.picture, region.top, region.left, region.side).permute(2, 0, 1).float().div(255)
    if region.side != config.size:
        size = (config.size, config.size)
        crop = F.interpolate(crop[None], size=size, mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
    if region.mirrored:
        crop = crop.flip(2)
    if region.turned:
        crop = crop.transpose(1, 2)
    return crop.contiguous()


def _cut_together(cache: PictureCache, samples: Tensor, size: int, regions: Sequence[Region]) -> Tensor:
    """All of them at once, from the samples of all pictures."""
    rows = [
        (int(cache.offsets[r.picture]) // 3, cache.shapes[r.picture][1], r.top, r.left, r.side, r.mirrored, r.turned)
        for r in regions
    ]
    numbers = torch.tensor(rows, dtype=torch.int64).to(samples.device, non_blocking=True)
    first, width, top, left, side, mirrored, turned = numbers.T[..., None, None]  # each (B, 1, 1)
    most = max(r.side for r in regions)
    # (B, 1, N): what lies beyond a region weighs nothing below.
    along = torch.minimum(torch.arange(most, device=samples.device), side - 1)
    pixels = samples.view(-1, 3)[first + (top + along).mT * width + left + along]  # (B, N, N, 3)
    resize = resizing(side[:, 0, 0], size, most)[:, None]  # (B, 1, size, N)
    crops = (resize @ pixels.permute(0, 3, 1, 2).float().div(255) @ resize.mT).clamp(0, 1)
    crops = torch.where(mirrored[..., None] > 0, crops.flip(3), crops)
    return torch.where(turned[..., None] > 0, crops.mT, crops).contiguous()


def resizing(sides: Tensor, size: int, most: int) -> Tensor:
    """Matrices ``(B, size, most)`` that resize rows of ``sides (B,)`` samples to ``size``; others weigh nothing.

    As PyTorch's bicubic interpolation with antialiasing does: Keys' kernel (1981) with a = -1/2, widened where there
    are fewer samples afterwards, its weights divided by their sum.
    """
    scale = (sides.double() / size)[:, None, None]  # samples for each one afterwards
    centre = (torch.arange(size, device=sides.device) + 0.5)[:, None] * scale
    sample = torch.arange(most, device=sides.device)
    x = ((sample + 0.5 - centre) / scale.clamp_min(1)).abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0)) * (sample < sides[:, None, None])
    return (weights / weights.sum(2, keepdim=True)).float()
