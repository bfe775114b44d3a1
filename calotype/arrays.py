# SPDX-License-Identifier: BSD-3-Clause
"""The arrays that pass through the package: integer samples of a picture, and planes of numbers for networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]  # (H, W, channels) of a picture
Samples8: TypeAlias = npt.NDArray[np.uint8]  # of 8 bits alone
Array: TypeAlias = npt.NDArray[Any]  # of any type and shape
Floats: TypeAlias = npt.NDArray[np.float32]  # of any shape: latents, say
Planes: TypeAlias = npt.NDArray[np.float32]  # (channels, H, W) of a picture, what networks take and give
Progress: TypeAlias = Callable[[int, int], None]  # told parts done and parts in total


def to_planes(samples: Samples) -> Planes:
    """Integer samples ``(H, W, 1 or 3)`` -> ``(3, H, W)`` in 0..1; grey is three equal planes."""
    planes = np.moveaxis(samples, 2, 0).astype(np.float32, order="C")
    planes *= np.float32(1 / 255 if samples.dtype == np.uint8 else 1 / 65535)
    return np.broadcast_to(planes, (3, *planes.shape[1:])) if len(planes) == 1 else planes


def to_samples(planes: Planes, depth: int) -> Samples:
    """:func:`from_planes` into samples ``(H, W, 3)`` of so many bits."""
    space = (*planes.shape[1:], len(planes))
    samples: Samples = np.empty(space, np.uint8) if depth == 8 else np.empty(space, np.uint16)
    from_planes(planes, samples)
    return samples


def from_planes(planes: Planes, samples: Samples) -> None:
    """Round ``(3, H, W)`` in 0..1 into ``samples (H, W, 1 or 3)``; grey is the mean of the planes."""
    if samples.shape[2] == 1:
        planes = planes.mean(0, keepdims=True)
    scaled = planes * np.float32(255 if samples.dtype == np.uint8 else 65535)
    np.rint(scaled, out=scaled)
    for channel, plane in enumerate(scaled.astype(samples.dtype)):  # small integers: less memory to move
        samples[..., channel] = plane
