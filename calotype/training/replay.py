# SPDX-License-Identifier: BSD-3-Clause
"""Run a bundle's graph with PyTorch instead of ONNX Runtime.

A second, independent arithmetic for the same graph: the integer graphs must give identical results in both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional as F

from ..arrays import Array

TYPES = {onnx.TensorProto.FLOAT: torch.float32, onnx.TensorProto.UINT8: torch.uint8}


def _convolve(attributes: dict[str, Any], x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    pads = attributes.get("pads", [0, 0, 0, 0])
    return F.conv2d(
        x, weight, bias, attributes.get("strides", 1), (pads[0], pads[1]), groups=attributes.get("group", 1)
    )


OPERATORS: dict[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    "Add": lambda a, x, y: x + y,
    "Cast": lambda a, x: x.to(TYPES[a["to"]]),
    "Clip": lambda a, x, low, high: x.clamp(low, high),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Conv": _convolve,
    "DepthToSpace": lambda a, x: F.pixel_shuffle(x, a["blocksize"]),
    "Identity": lambda a, x: x,
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a["alpha"]),
    "Mul": lambda a, x, y: x * y,
    "Round": lambda a, x: torch.round(x),
    "Split": lambda a, x, sizes: torch.split(x, sizes.tolist(), a["axis"]),
    "Sub": lambda a, x, y: x - y,
}


class TorchGraph:
    """The graph in ``path``, called like :class:`calotype.engine.runtime.Graph`: arrays in, arrays out."""

    def __init__(self, path: Path) -> None:
        self.graph = onnx.load(path).graph
        self.constants = {c.name: torch.from_numpy(numpy_helper.to_array(c).copy()) for c in self.graph.initializer}

    def __call__(self, *arrays: Array) -> list[Array]:
        """The graph's outputs for inputs in the graph's order."""
        values = dict(self.constants)
        for declared, array in zip(self.graph.input, arrays, strict=True):
            values[declared.name] = torch.from_numpy(np.array(array, np.float32, order="C"))
        with torch.inference_mode():
            for node in self.graph.node:
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                result = OPERATORS[node.op_type](attributes, *(values[i] for i in node.input))
                outputs = result if isinstance(result, tuple | list) else (result,)
                values.update(zip(node.output, outputs, strict=True))
        return [values[o.name].numpy() for o in self.graph.output]
