# SPDX-License-Identifier: BSD-3-Clause
"""SqueezeNet with random weights: what it says is meaningless, and different for different pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from calotype.metrics.squeezenet import FIRES

Weights = dict[str, np.ndarray[Any, Any]]


def random_weights() -> Weights:
    """The arrays of a file of weights, as float16."""
    generator = np.random.default_rng(11)

    def layer(name: str, out: int, inputs: int, side: int) -> Weights:
        scale = np.sqrt(2 / (inputs * side * side))
        weight = generator.normal(0, scale, (out, inputs, side, side)).astype(np.float16)
        return {f"{name}.weight": weight, f"{name}.bias": generator.normal(0, 0.1, out).astype(np.float16)}

    made = layer("conv1", 96, 3, 7)
    channels = 96
    for name, (squeezed, expanded) in FIRES.items():
        made |= layer(f"{name}.squeeze", squeezed, channels, 1)
        made |= layer(f"{name}.expand1x1", expanded // 2, squeezed, 1)
        made |= layer(f"{name}.expand3x3", expanded // 2, squeezed, 3)
        channels = expanded
    return made
