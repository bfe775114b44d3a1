# SPDX-License-Identifier: BSD-3-Clause
"""What adversarial trainings share: how pictures are shown to critics, and how much fine detail they have."""

from __future__ import annotations

import torch
from torch import Tensor

CRITICS_GRID = 16  # pixels: the strides of the perceptual network and of the discriminator, multiplied
WOVEN_CELLS = 4  # of a side of the windows in which a pattern may repeat


def detail_energy(x: Tensor) -> Tensor:
    """Mean squared response to a Laplacian of the mean of the channels."""
    y = x.mean(1, keepdim=True)
    laplace = 4 * y[..., 1:-1, 1:-1] - y[..., :-2, 1:-1] - y[..., 2:, 1:-1] - y[..., 1:-1, :-2] - y[..., 1:-1, 2:]
    return laplace.square().mean()


def shifted(*pictures: Tensor) -> list[Tensor]:
    """The pictures, all moved around by the same random offset.

    Both critics have strides, so that they judge some positions of their grid better than others, and what they
    overlook at the others becomes a pattern: *seen* as a faint weave of 4 x 4 pixels. Moved, every position is judged.
    """
    offset = torch.randint(0, CRITICS_GRID, (2,)).tolist()
    return [x.roll(offset, (2, 3)) for x in pictures]
