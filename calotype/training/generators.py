# SPDX-License-Identifier: BSD-3-Clause
"""The ONNX graph of an SRResNet: the network of ``ledig2017``, and the second stage of ``tao2017``."""

from __future__ import annotations

from typing import cast

import numpy as np
from torch import Tensor, nn

from ..networks.ledig2017 import BASE, BatchNorm, Generator, Residual
from .graphs import GraphBuilder, half


def generator_graph(generator: Generator, name: str = "generator") -> GraphBuilder:
    """``x (1, 3, h, w)`` in 0..1 -> ``(1, 3, scale * h, scale * w)`` in 0..1."""
    graph = GraphBuilder(name)
    x = graph.input("x", 3)
    features = layers(graph, graph.add("Sub", x, graph.constant(np.array(0.5, np.float32))), generator.first)
    features = graph.add("Add", features, layers(graph, features, generator.body))
    out = layers(graph, features, generator.enlarge)
    if generator.base is None:
        out = graph.add("Add", out, graph.constant(np.array(0.5, np.float32)))
    else:
        pads = graph.constant(np.array([0, 0, BASE // 2, BASE // 2] * 2, np.int64))
        # In float32: rounding the weights would shift all colours a little.
        filters = graph.constant(generator.base.weight.detach().numpy())
        base = graph.add("Conv", graph.add("Pad", x, pads, mode="edge"), filters, kernel_shape=[BASE, BASE])
        base = graph.add("DepthToSpace", base, blocksize=generator.config.scale, mode="CRD")
        out = graph.add("Add", out, base)
    graph.output(graph.clip(out, 0, 1), "out")
    return graph


def layers(graph: GraphBuilder, x: str, sequence: nn.Sequential) -> str:
    """Append the layers of ``sequence``; a batch normalisation becomes part of the convolution before it."""
    found = list(sequence)
    for layer, after in zip(found, [*found[1:], None], strict=True):
        match layer:
            case Residual():
                x = graph.add("Add", x, layers(graph, x, layer.branch))
            case nn.Conv2d():
                k = layer.kernel_size[0]
                weight, bias = folded(layer, after if isinstance(after, BatchNorm) else None)
                x = graph.add(
                    "Conv", x, graph.weights(half(weight)), graph.constant(bias.detach().numpy()),
                    kernel_shape=[k, k], pads=[k // 2] * 4,
                )  # fmt: skip
            case BatchNorm():
                pass  # see above
            case nn.PReLU():
                x = graph.add("PRelu", x, graph.constant(layer.weight.detach().numpy()[:, None, None]))
            case nn.LeakyReLU():
                x = graph.add("LeakyRelu", x, alpha=layer.negative_slope)
            case nn.PixelShuffle():
                x = graph.add("DepthToSpace", x, blocksize=layer.upscale_factor, mode="CRD")
            case _:
                raise TypeError(f"no ONNX form is known for {type(layer).__name__}")
    return x


def folded(layer: nn.Conv2d, norm: BatchNorm | None) -> tuple[Tensor, Tensor]:
    """Weights and bias of a convolution and the batch normalisation after it, as one convolution."""
    weight, bias = layer.weight, cast(Tensor, layer.bias)
    if norm is None:
        return weight, bias
    factor = norm.weight * (cast(Tensor, norm.running_var) + norm.eps).rsqrt()
    return weight * factor[:, None, None, None], norm.bias + (bias - cast(Tensor, norm.running_mean)) * factor
