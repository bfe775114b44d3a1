# SPDX-License-Identifier: BSD-3-Clause
"""Building ONNX graphs by hand: a dozen operators are all that the networks need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ..arrays import Array
from ..networks.layers import SLOPE, Block, Depthwise, Down, Pointwise, Up

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that the package admits


class GraphBuilder:
    """Nodes and constants of one graph; every method that adds something returns the name of its result."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, channels: int) -> str:
        """A float32 input ``(1, channels, height, width)``."""
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, None, None]))
        return name

    def output(self, source: str, name: str, kind: int = TensorProto.FLOAT) -> None:
        """Name ``source`` as an output, cast to ``kind``."""
        cast = kind != TensorProto.FLOAT
        node = (
            helper.make_node("Cast", [source], [name], to=kind)
            if cast
            else helper.make_node("Identity", [source], [name])
        )
        self.nodes.append(node)
        self.outputs.append(helper.make_tensor_value_info(name, kind, [1, None, None, None]))

    def constant(self, value: Array) -> str:
        """A constant, kept in its own type; see :meth:`weights` for what has to become float32."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def weights(self, value: Array) -> str:
        """A constant that is stored small (float16, int8 ...) and computed with as float32."""
        name = self.constant(value)
        return name if value.dtype == np.float32 else self.add("Cast", name, to=TensorProto.FLOAT)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def split(self, x: str, sizes: str) -> tuple[str, str]:
        """Two parts along the channels."""
        names = f"n{len(self.nodes)}a", f"n{len(self.nodes)}b"
        self.nodes.append(helper.make_node("Split", [x, sizes], list(names), axis=1))
        return names

    def clip(self, x: str, low: float, high: float) -> str:
        """``min(max(x, low), high)``."""
        return self.add("Clip", x, self.constant(np.array(low, np.float32)), self.constant(np.array(high, np.float32)))

    def model(self) -> onnx.ModelProto:
        """The checked model."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="calotype"
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def save(self, path: Path) -> None:
        """Write the checked model."""
        path.write_bytes(self.model().SerializeToString(deterministic=True))


def half(tensor: Tensor) -> Array:
    """Weights as float16: half the size, and no loss that shows."""
    return tensor.detach().numpy().astype(np.float16)


def float_layer(graph: GraphBuilder, x: str, layer: nn.Module) -> str:
    """Append ``layer`` of a float network (any of :mod:`calotype.networks.layers`, or a sequence of them)."""
    match layer:
        case Down():
            # Pixel-unshuffle and 1x1 are one convolution with a stride.
            unshuffle, pointwise = layer
            assert isinstance(unshuffle, nn.PixelUnshuffle) and isinstance(pointwise, Pointwise)
            f = unshuffle.downscale_factor
            kernel = pointwise.weight.reshape(pointwise.out_channels, -1, f, f)
            return graph.add(
                "Conv", x, graph.weights(half(kernel)), graph.weights(_bias(pointwise)), strides=[f, f],
                kernel_shape=[f, f],
            )  # fmt: skip
        case Up():
            pointwise, shuffle = layer
            assert isinstance(shuffle, nn.PixelShuffle)
            x = float_layer(graph, x, pointwise)
            return graph.add("DepthToSpace", x, blocksize=shuffle.upscale_factor, mode="CRD")
        case nn.Sequential():
            for inner in layer:
                x = float_layer(graph, x, inner)
            return x
        case Block():
            h = float_layer(graph, x, layer.depthwise)
            h = graph.add("LeakyRelu", float_layer(graph, h, layer.expand), alpha=SLOPE)
            return graph.add("Add", x, float_layer(graph, h, layer.project))
        case Pointwise():
            return graph.add(
                "Conv", x, graph.weights(half(layer.weight)), graph.weights(_bias(layer)), kernel_shape=[1, 1]
            )
        case Depthwise():
            k = layer.kernel_size[0]
            return graph.add(
                "Conv", x, graph.weights(half(layer.weight)), kernel_shape=[k, k], pads=[k // 2] * 4,
                group=layer.out_channels,
            )  # fmt: skip
        case _:
            raise TypeError(f"no ONNX form is known for {type(layer).__name__}")


def _bias(layer: nn.Conv2d) -> Array:
    assert layer.bias is not None
    bias: Array = layer.bias.detach().numpy().astype(np.float32)
    return bias
