# SPDX-License-Identifier: BSD-3-Clause
"""A trained serial context -> integers, whose sums float32 holds exactly in any order.

As :mod:`calotype.training.integer` does it for ``talbot``'s passes: weights of 8 bits (12 in the linear prediction),
activations of 11 or 12, scales that are powers of two, and sums below 2^24, which :func:`quantise_weights` sees to.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...networks.mbt2018 import SerialContext
from ...networks.talbot import SCALE_MIN
from ..integer import HIDDEN, INPUT, LINEAR, MEAN_BITS, Ints, quantise_weights, scale_step
from .latents import FEATURE_BITS
from .train import Material

Arrays = dict[str, npt.NDArray[Any]]


def finest(values: Tensor, limit: int) -> Ints:
    """The exponent of each channel with which none of ``values (B, C, H, W)`` passes ``limit``."""
    peak = values.abs().amax((0, 2, 3)).double().clamp_min(1e-3).numpy()
    return np.floor(np.log2(limit / peak)).astype(np.int64)


def integers(network: SerialContext, material: Material) -> Arrays:
    """The arrays of :class:`~calotype.training.mbt2018.wavefront.Wavefront`, calibrated on ``material``."""
    with torch.inference_mode():
        y_hat = material.y_hat
        seen, first, second, _ = network.layers(y_hat, material.features)
    made: Arrays = {}

    def scaled(weight: Tensor, exponent: Ints) -> npt.NDArray[np.float64]:
        """For inputs that are integers of this exponent; inputs lie along the second dimension."""
        return weight.detach().double().numpy() * np.exp2(-exponent.astype(np.float64))[None, :]

    for name, layer, limit, largest in (
        ("linear", network.linear, LINEAR, 2047), ("context", network.context, INPUT, 127),
    ):  # fmt: skip
        exponent = np.minimum(finest(y_hat, limit), MEAN_BITS)
        taps = layer.weight.detach().double().numpy() * np.exp2(-exponent.astype(np.float64))[:, None]
        q, _, sums = quantise_weights(taps, np.zeros(len(taps)), limit, largest)
        target = np.full_like(sums, MEAN_BITS) if name == "linear" else finest(seen, INPUT)
        made |= {f"{name}_exponent": exponent, f"{name}_taps": q, f"{name}_shift": target - sums}
        if name == "context":
            seen_exponent = target

    # The sums of what is known and of one phase's features meet: the bound is that of the largest of the four phases.
    width, n = network.config.width, network.config.features
    side = network.side.weight.detach().double().numpy().reshape(width, 4, n) * 2.0**-FEATURE_BITS
    known = scaled(network.known.weight[:, :, 0, 0], seen_exponent)
    row = np.concatenate([known, np.abs(side).max(1)], 1)
    assert network.side.bias is not None and network.hidden.bias is not None and network.last.bias is not None
    biases = network.side.bias.detach().double().numpy().reshape(width, 4)
    _, _, sums = quantise_weights(row, np.abs(biases).max(1), INPUT, 127)
    scale, first_exponent, m = np.exp2(sums.astype(np.float64)), finest(first, HIDDEN), network.config.m
    made |= {
        "known": np.rint(known * scale[:, None]),
        "side": np.rint(side * scale[:, None, None]).transpose(1, 0, 2),
        "side_bias": np.rint(biases * scale[:, None]).T,
        "first_shift": first_exponent - sums,
    }  # fmt: skip

    q, bias, sums = quantise_weights(
        scaled(network.hidden.weight[:, :, 0, 0], first_exponent), network.hidden.bias.detach().double().numpy(),
        HIDDEN, 127,
    )  # fmt: skip
    second_exponent = finest(second, HIDDEN)
    made |= {"hidden": q, "hidden_bias": bias, "hidden_shift": second_exponent - sums}

    # The log scale becomes a level, as in the passes.
    weight, bias64 = network.last.weight.detach()[:, :, 0, 0].clone(), network.last.bias.detach().double().numpy()
    weight[m:] /= scale_step()
    bias64 = np.concatenate([bias64[:m], (bias64[m:] - math.log(SCALE_MIN)) / scale_step()])
    q, bias, sums = quantise_weights(scaled(weight, second_exponent), bias64, HIDDEN, 127)
    made |= {"last": q, "last_bias": bias, "last_shift": np.repeat([MEAN_BITS, 0], m) - sums}
    return {name: np.ascontiguousarray(value, np.int32) for name, value in made.items()}
