# SPDX-License-Identifier: BSD-3-Clause
"""Start ``talbot`` from a bundle: its graphs turned back into a network.

The transforms ``g_a``, ``h_a`` and ``g_s`` are taken exactly as they are stored. The integer networks of the prior
(:mod:`calotype.training.integer`) are turned into floats: each convolution's integers times the powers of two that the
graph applies before and after. Between two layers a power of two is free, for a leaky ReLU keeps it; it is chosen so
that weights have a usual size. What rounding took comes back within minutes of training.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from ...engine.bundles import Bundle
from ...errors import CalotypeError
from ...networks.talbot import SCALE_MIN, Talbot
from ..integer import MEAN_BITS, scale_step

Floats = npt.NDArray[np.float64]


class Reader:
    """A graph in ``path``, node by node."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.inputs = {i.name: i.type.tensor_type.shape.dim[1].dim_value for i in graph.input}  # name: channels
        self.outputs = [o.name for o in graph.output]
        self.constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
        self.users: dict[str, list[Any]] = {}
        for node in self.nodes:
            if node.op_type == "Cast" and node.input[0] in self.constants:  # weights that are stored small
                self.constants[node.output[0]] = self.constants[node.input[0]]
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def convolutions(self) -> list[Any]:
        """Those nodes, in the order in which they are computed."""
        return [node for node in self.nodes if node.op_type == "Conv"]

    def weights(self, node: Any) -> tuple[Floats, Floats | None]:
        """Weights and bias of a convolution."""
        bias = self.constants[node.input[2]].astype(np.float64) if len(node.input) > 2 else None
        return self.constants[node.input[1]].astype(np.float64), bias

    def user(self, name: str, *kinds: str) -> Any:
        """The node of one of these kinds that uses a value, or None."""
        return next((node for node in self.users.get(name, []) if node.op_type in kinds), None)


def give(layer: nn.Conv2d, weight: Floats, bias: Floats | None) -> None:
    """Set a layer's weights; CalotypeError if it has others."""
    if weight.size != layer.weight.numel() or (bias is None) != (layer.bias is None):
        raise CalotypeError("the weights are those of another network, or of another configuration of this one")
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight).reshape(layer.weight.shape))
        if bias is not None:
            cast(Tensor, layer.bias).copy_(torch.from_numpy(bias))


def layers(module: nn.Module) -> list[nn.Conv2d]:
    """Its convolutions, in the order in which they are exported."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def read_transform(module: nn.Module, path: Path) -> None:
    """Give ``module`` the weights of a float graph; CalotypeError if they are those of another network."""
    reader = Reader(path)
    nodes, ours = reader.convolutions(), layers(module)
    if len(nodes) != len(ours):
        raise CalotypeError(f"{path} holds another network, or another configuration of this one")
    for layer, node in zip(ours, nodes, strict=True):
        give(layer, *reader.weights(node))


def read_integer(module: nn.Module, path: Path, known: dict[str, Floats]) -> dict[str, Floats]:
    """Give ``module`` the weights of an integer graph.

    Args:
        module: ``h_s`` or a pass.
        path: of its graph.
        known: exponents of the inputs that are integers, by name; the others are real numbers.

    Returns:
        exponents of the outputs, one a channel.
    """
    reader, ours = Reader(path), layers(module)
    exponents: dict[str, Floats] = {
        name: known.get(name, np.zeros(channels)) for name, channels in reader.inputs.items()
    }
    if len(reader.convolutions()) != len(ours):
        raise CalotypeError(f"{path} holds another network, or another configuration of this one")
    remaining = iter(ours)
    for node in reader.nodes:
        source = exponents.get(node.input[0])
        if source is None:  # a constant
            continue
        if node.op_type == "Conv":
            exponents[node.output[0]] = _convolution(reader, node, next(remaining), exponents)
        elif node.op_type == "Mul":
            exponents[node.output[0]] = source + np.log2(reader.constants[node.input[1]].astype(np.float64)).reshape(-1)
        elif node.op_type == "Concat":
            exponents[node.output[0]] = np.concatenate([exponents[name] for name in node.input])
        elif node.op_type == "DepthToSpace":
            exponents[node.output[0]] = source[::4]
        else:
            for name in node.output:
                exponents[name] = source
    return {name: exponents[name] for name in reader.outputs}


def _convolution(reader: Reader, node: Any, layer: nn.Conv2d, exponents: dict[str, Floats]) -> Floats:
    """Turn a convolution's integers into the floats of ``layer``; returns the exponents of its sums."""
    q, b = reader.weights(node)
    source = exponents[node.input[0]]
    name = node.output[0]
    if activation := reader.user(name, "LeakyRelu"):
        name = activation.output[0]
    shift = np.zeros(len(q))
    if scaled := reader.user(name, "Mul"):
        shift = np.log2(reader.constants[scaled.input[1]].astype(np.float64)).reshape(-1)
        name = scaled.output[0]
    rounded = reader.user(name, "Round").output[0]
    depthwise = layer.groups > 1
    scale = np.exp2(source)
    floats = q * (scale[:, None, None, None] if depthwise else scale[None, :, None, None])
    target = _target(reader, rounded, len(q), exponents)
    if target is None:  # the power of two is free
        relative = floats * np.exp2(shift)[:, None, None, None]
        size = np.abs(relative).max((1, 2, 3)).mean() if depthwise else np.sqrt(np.square(relative).mean() * q.shape[1])
        target = np.full(len(q), float(round(math.log2(max(size, 1e-12)))))
    sums = target - shift
    floats = floats * np.exp2(-sums)[:, None, None, None]
    bias = None if b is None else b * np.exp2(-sums)
    if reader.user(rounded, "Split"):  # levels, as they were folded
        n, step = len(q) // 2, scale_step()
        floats[n:] *= step
        bias = cast(Floats, bias)
        bias[n:] = bias[n:] * step + math.log(SCALE_MIN)
    give(layer, floats, bias)
    return sums


def _target(reader: Reader, rounded: str, channels: int, exponents: dict[str, Floats]) -> Floats | None:
    """The exponents that a rounded value must have, or None if they are free."""
    if reader.user(rounded, "Split"):
        return np.repeat([float(MEAN_BITS), 0.0], channels // 2)
    clipped = reader.user(rounded, "Clip")
    if clipped is None:  # a linear prediction of the means
        return np.full(channels, float(MEAN_BITS))
    added = reader.user(clipped.output[0], "Add")
    if added is None or added.input[0] == clipped.output[0]:
        return None
    return exponents[added.input[0]]  # of the residual block's input


def start_from_bundle(network: Talbot, bundle: Bundle) -> None:
    """Give ``network`` the weights of a bundle of its configuration.

    Raises:
        CalotypeError: it is one of another configuration.
    """
    path, arrays = bundle.path, bundle.arrays()
    for name in ("g_a", "h_a", "g_s"):
        read_transform(getattr(network, name), path / f"{name}.onnx")
    read_integer(network.z_pass, path / "z_pass.onnx", {})
    features = read_integer(network.h_s, path / "h_s.onnx", {})
    for i, layer in enumerate(network.passes):
        read_integer(layer, path / f"pass{i + 1}.onnx", {"features": features["f64" if i < 2 else "f32"]})
    rows = np.linspace(0, len(arrays["z_levels"]) - 1, network.config.levels).round().astype(int)
    z_log_scale = math.log(SCALE_MIN) + arrays["z_levels"][rows].astype(np.float64) * scale_step()
    tables = {
        "finer": -np.log(arrays["steps"]), "z_log_scale": z_log_scale,
        "gain_encoder": arrays["gain_encoder"], "gain_decoder": arrays["gain_decoder"],
    }  # fmt: skip
    for name, values in tables.items():
        parameter = cast(nn.Parameter, getattr(network, name))
        if parameter.shape != values.shape:
            raise CalotypeError(f"{path} holds another configuration of the network")
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.asarray(values, np.float32)))
