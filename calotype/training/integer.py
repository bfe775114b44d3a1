# SPDX-License-Identifier: BSD-3-Clause
"""Float networks -> ONNX graphs that compute with integers only, carried in float32.

Every tensor is an integer array times a power of two. A convolution sums products of integers whose total stays below
2^24 (checked for the actual weights, see :func:`quantise_weights`), so each partial sum is exact in float32, in any
order, with any number of threads, fused or not. Rescaling multiplies by a power of two, which is exact too, and then
rounds half to even. The activation is a leaky ReLU with slope 1/8. There is nothing left that two machines could
compute differently.

The graph is built and calibrated in one go: each step carries the float network's own values on a calibration batch,
from whose largest magnitude the power of two is chosen (clipping outliers costs more than coarse steps do).

Background: Ballé et al., "Integer networks for data compression with latent-variable models", ICLR 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.layers import SLOPE, Block, Up
from ..networks.talbot import SCALE_MAX, SCALE_MIN, HyperSynthesis, Pass
from .graphs import GraphBuilder

EXACT = 1 << 24  # float32 holds every integer up to here
LEVELS = 64  # of scale, logarithmic between SCALE_MIN and SCALE_MAX
MEAN_BITS = 6  # fractional bits of a mean
STREAM, DEPTHWISE, HIDDEN, INPUT, LINEAR = 4095, 2047, 1023, 1023, 2047  # largest activations, by where they stand

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def scales() -> Floats:
    """Standard deviations of the levels, geometric from SCALE_MIN to SCALE_MAX: ``(LEVELS,)``."""
    return np.geomspace(SCALE_MIN, SCALE_MAX, LEVELS)


def scale_step() -> float:
    """From one level of scale to the next, in the natural logarithm."""
    return math.log(SCALE_MAX / SCALE_MIN) / (LEVELS - 1)


@dataclass(frozen=True)
class Integers:
    """An integer tensor of the graph: ``float value = integer * 2^-exponent``.

    Attributes:
        name: in the graph.
        values: the float network's values on the calibration batch, ``(B, C, H, W)``.
        exponent: one a channel, ``(C,)``.
        limit: largest magnitude of the integers.
    """

    name: str
    values: Tensor
    exponent: Ints
    limit: int


@dataclass(frozen=True)
class Sums:
    """Sums of a convolution, before rescaling; fields as of :class:`Integers`."""

    name: str
    values: Tensor
    exponent: Ints


def quantise_weights(weight: Floats, bias: Floats, limit: int, largest: int) -> tuple[Ints, Ints, Ints]:
    """Integer weights and biases of a convolution, with the finest exact power-of-two scale a channel.

    Args:
        weight: ``(out, ...)``, already for integer inputs.
        bias: ``(out,)``.
        limit: largest magnitude of the input integers.
        largest: largest magnitude of a weight.

    Returns:
        weights, biases and exponents ``(out,)`` with ``weight = integer * 2^-exponent``, such that
        ``sum |weights| * limit + |bias| < 2^24`` in every channel.
    """
    flat = weight.reshape(len(weight), -1)
    peak = np.abs(flat).max(1)
    exponent = np.where(peak > 0, np.floor(np.log2(largest / np.maximum(peak, 1e-30))), 0).astype(np.int64)
    exponent = np.minimum(exponent, 40)
    while True:
        scale = np.exp2(exponent.astype(np.float64))
        q, b = np.rint(flat * scale[:, None]), np.rint(bias * scale)
        too_large = np.abs(q).sum(1) * limit + np.abs(b) >= EXACT
        if not too_large.any():
            return q.astype(np.int64).reshape(weight.shape), b.astype(np.int64), exponent
        exponent[too_large] -= 1


class IntegerGraph:
    """A :class:`GraphBuilder` of integer arithmetic under construction, calibrated as it grows."""

    def __init__(self, name: str) -> None:
        self.graph = GraphBuilder(name)

    def real_input(self, name: str, values: Tensor) -> str:
        """A float input of as many channels as ``values``."""
        return self.graph.input(name, values.shape[1])

    def quantise(self, name: str, values: Tensor, limit: int) -> Integers:
        """Round a real tensor of the graph to integers, with a scale of its own for each channel."""
        peak = values.abs().amax((0, 2, 3)).double().numpy()
        exponent = np.floor(np.log2(limit / np.maximum(peak, 1e-3))).astype(np.int64)
        exponent = np.minimum(exponent, MEAN_BITS)  # the inputs are no finer than means are
        return self.rescale(Sums(name, values, np.zeros_like(exponent)), exponent, limit)

    def rescale(self, x: Sums, exponent: Ints, limit: int) -> Integers:
        """Multiply by powers of two, round half to even, clip to +-limit."""
        shift = np.exp2((exponent - x.exponent).astype(np.float64)).astype(np.float32)
        name = x.name
        if (shift != 1).any():
            name = self.graph.add("Mul", name, self.graph.constant(shift.reshape(1, -1, 1, 1)))
        name = self.graph.clip(self.graph.add("Round", name), -limit, limit)
        return Integers(name, x.values, exponent, limit)

    def common_exponent(self, values: list[Tensor], channels: int, limit: int) -> Ints:
        """The finest exponent with which none of ``values`` is clipped, the same for all channels."""
        peak = max(float(v.abs().max()) for v in values)
        return np.full(channels, math.floor(math.log2(limit / max(peak, 1e-3))), np.int64)

    def convolve(self, x: Integers, layer: nn.Conv2d, values: Tensor, largest: int = 127) -> Sums:
        """A pointwise or depthwise convolution of integers; ``values`` is its float result."""
        weight = layer.weight.detach().double().numpy()
        bias = np.zeros(len(weight)) if layer.bias is None else layer.bias.detach().double().numpy()
        depthwise = layer.groups > 1
        scale = np.exp2(-x.exponent.astype(np.float64))
        weight = weight * (scale[:, None, None, None] if depthwise else scale[None, :, None, None])
        q, b, exponent = quantise_weights(weight, bias, x.limit, largest)
        kind = np.int8 if np.abs(q).max() <= 127 else np.int16
        inputs = [x.name, self.graph.weights(q.astype(kind))]
        if layer.bias is not None:
            inputs.append(self.graph.weights(b.astype(np.int32)))
        k = layer.kernel_size[0]
        name = self.graph.add(
            "Conv", *inputs, kernel_shape=[k, k], pads=[k // 2] * 4, group=layer.out_channels if depthwise else 1
        )
        return Sums(name, values, exponent)

    def block(self, x: Integers, block: Block) -> Integers:
        """A residual block; the sum keeps the scale of ``x``."""
        h = cast(Tensor, block.depthwise(x.values))
        exponent = self.common_exponent([h], h.shape[1], DEPTHWISE)
        inner = self.rescale(self.convolve(x, block.depthwise, h), exponent, DEPTHWISE)
        expanded = cast(Tensor, block.expand(h))
        activated = F.leaky_relu(expanded, SLOPE)
        sums = self.convolve(inner, block.expand, expanded)
        name = self.graph.add("LeakyRelu", sums.name, alpha=SLOPE)
        exponent = self.common_exponent([activated], activated.shape[1], HIDDEN)
        inner = self.rescale(Sums(name, activated, sums.exponent), exponent, HIDDEN)
        projected = cast(Tensor, block.project(activated))
        branch = self.rescale(self.convolve(inner, block.project, projected), x.exponent, x.limit)
        name = self.graph.clip(self.graph.add("Add", x.name, branch.name), -x.limit, x.limit)
        return Integers(name, x.values + projected, x.exponent, x.limit)

    def stream(self, x: Integers, first: nn.Module, blocks: list[Block]) -> Integers:
        """A pointwise layer (or an :class:`Up`) and blocks behind it, all sums at one scale."""
        pointwise = first[0] if isinstance(first, Up) else first
        outputs = [cast(Tensor, first(x.values))]
        for block in blocks:
            outputs.append(cast(Tensor, block(outputs[-1])))
        values = cast(Tensor, pointwise(x.values))
        exponent = self.common_exponent(outputs, values.shape[1], STREAM)
        h = self.rescale(self.convolve(x, cast(nn.Conv2d, pointwise), values), exponent, STREAM)
        if isinstance(first, Up):
            factor = cast(nn.PixelShuffle, first[1]).upscale_factor
            name = self.graph.add("DepthToSpace", h.name, blocksize=factor, mode="CRD")
            h = Integers(name, outputs[0], exponent[: outputs[0].shape[1]], STREAM)
        for block in blocks:
            h = self.block(h, block)
        return h

    def narrow(self, x: Integers, limit: int) -> Integers:
        """The same values with fewer bits, for a layer with many inputs."""
        exponent = self.common_exponent([x.values], len(x.exponent), limit)
        return self.rescale(Sums(x.name, x.values, x.exponent), exponent, limit)

    def concatenate(self, *parts: Integers) -> Integers:
        """Along the channels."""
        if len(parts) == 1:
            return parts[0]
        return Integers(
            self.graph.add("Concat", *(p.name for p in parts), axis=1),
            torch.cat([p.values for p in parts], 1),
            np.concatenate([p.exponent for p in parts]),
            max(p.limit for p in parts),
        )


def integer_pass(name: str, layer: Pass, features: Tensor, exponent: Ints | None, known: list[Tensor]) -> GraphBuilder:
    """One pass of the prior as a graph: features, known latents -> means (multiples of 2^-6), levels (uint8).

    Args:
        name: of the graph.
        layer: the float network.
        features: calibration values of the features.
        exponent: the features' exponents where the features come as integers of another graph; None where they are
            real numbers.
        known: calibration values of the known latents.
    """
    g = IntegerGraph(name)
    source = g.real_input("features", features)
    parts = [g.quantise(source, features, INPUT) if exponent is None else Integers(source, features, exponent, INPUT)]
    names = [g.real_input(f"known{i + 1}", values) for i, values in enumerate(known)]
    parts += [g.quantise(n, v, INPUT) for n, v in zip(names, known, strict=True)]
    first, *blocks, end = list(layer.network)
    last = cast(nn.Conv2d, end)
    x = g.stream(g.concatenate(*parts), first, cast(list[Block], blocks))
    x = g.narrow(x, HIDDEN)

    # The log scale becomes a level: an affine map of the last layer's second half, folded into its weights.
    step = scale_step()
    n = layer.phases * layer.m
    folded = nn.Conv2d(last.in_channels, 2 * n, 1)
    with torch.no_grad():
        bias = cast(Tensor, last.bias)
        folded.weight.copy_(last.weight)
        cast(Tensor, folded.bias).copy_(bias)
        folded.weight[n:] /= step
        cast(Tensor, folded.bias)[n:] = (bias[n:] - math.log(SCALE_MIN)) / step
    sums = g.convolve(x, folded, folded(x.values))
    graph = g.graph
    shift = np.exp2((np.repeat([MEAN_BITS, 0], n) - sums.exponent).astype(np.float64)).astype(np.float32)
    out = graph.add("Round", graph.add("Mul", sums.name, graph.constant(shift.reshape(1, -1, 1, 1))))
    split = graph.constant(np.array([n, n], np.int64))
    means, levels = graph.split(out, split)
    if known:
        linear_inputs = [g.quantise(n, v, LINEAR) for n, v in zip(names, known, strict=True)]
        terms = []
        for p in range(layer.phases):
            total: str | None = None
            for i, x_known in enumerate(linear_inputs):
                depthwise = cast(nn.Conv2d, layer.linear[p * len(known) + i])
                # Weights of 12 bits: slow gradients of large latents are predicted in full.
                term = g.convolve(x_known, depthwise, depthwise(x_known.values), largest=2047)
                mean_shift = np.exp2((MEAN_BITS - term.exponent).astype(np.float64)).astype(np.float32)
                rounded = graph.add("Mul", term.name, graph.constant(mean_shift.reshape(1, -1, 1, 1)))
                rounded = graph.add("Round", rounded)
                total = rounded if total is None else graph.add("Add", total, rounded)
            terms.append(cast(str, total))
        linear = terms[0] if len(terms) == 1 else graph.add("Concat", *terms, axis=1)
        means = graph.add("Add", means, linear)
    means = graph.clip(means, -(1 << 22), 1 << 22)
    means = graph.add("Mul", means, graph.constant(np.array(2.0**-MEAN_BITS, np.float32)))
    graph.output(means, "means")
    graph.output(graph.clip(levels, 0, LEVELS - 1), "levels", TensorProto.UINT8)
    return graph


def integer_hyper_synthesis(layer: HyperSynthesis, z_hat: Tensor, quality: Tensor) -> tuple[GraphBuilder, Ints, Ints]:
    """``h_s`` as a graph: z_hat, quality plane -> integer features f64 and f32; and their exponents."""
    g = IntegerGraph("h_s")
    plane = quality.expand(-1, 1, *z_hat.shape[2:])
    parts = [g.quantise(g.real_input("z_hat", z_hat), z_hat, INPUT)]
    # The quality is a whole number of 1/128: exact, whatever the calibration batch holds.
    source = g.real_input("quality", plane)
    parts.append(g.rescale(Sums(source, plane, np.zeros(1, np.int64)), np.full(1, 7), 128))
    first, *blocks = list(layer.coarse)
    f64 = g.stream(g.concatenate(*parts), first, cast(list[Block], blocks))
    narrow64 = g.narrow(f64, INPUT)
    first, *blocks = list(layer.fine)
    f32 = g.narrow(g.stream(narrow64, first, cast(list[Block], blocks)), INPUT)
    g.graph.output(narrow64.name, "f64")
    g.graph.output(f32.name, "f32")
    return g.graph, narrow64.exponent, f32.exponent


def sums_stay_exact(model: Any) -> bool:
    """Check a finished graph: no convolution's sums can reach 2^24, for the weights that it really holds."""
    constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    for node in model.graph.node:  # the casts to float32
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    limits: dict[str, float] = {}
    for node in model.graph.node:
        if node.op_type == "Clip":
            limits[node.output[0]] = float(constants[node.input[2]])
        elif node.op_type == "Concat":
            limits[node.output[0]] = max(limits.get(i, INPUT) for i in node.input)
        elif node.op_type == "DepthToSpace":
            limits[node.output[0]] = limits[node.input[0]]
        elif node.op_type == "Conv":
            weight = np.abs(constants[node.input[1]].astype(np.int64))
            bias = np.abs(constants[node.input[2]].astype(np.int64)) if len(node.input) > 2 else 0
            limit = limits.get(node.input[0], INPUT)  # the features of another graph are clipped there
            if (weight.reshape(len(weight), -1).sum(1) * limit + bias).max() >= EXACT:
                return False
    return True
