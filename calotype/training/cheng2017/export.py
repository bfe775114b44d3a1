# SPDX-License-Identifier: BSD-3-Clause
"""A fitted mixture -> a bundle of codec ``ledig2017``, whose networks enlarge pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...arrays import Array
from ...networks.cheng2017 import LUMA, Mixture
from ...networks.ledig2017 import BASE, bicubic_filter
from ..bundle import describe, replacement
from ..graphs import GraphBuilder, half

GRAPH = "generator.onnx"
WINDOW = 64  # samples of the small picture, a side: what the components see of it then fits into a cache
FACTS = {
    "codec": "ledig2017",
    "paper": "P. Cheng et al. 2017, IEEE Access 5",
    "licence": "BSD-3-Clause",
}


def mixture_graph(mixture: Mixture) -> GraphBuilder:
    """``x (1, 3, h, w)`` in 0..1 -> ``(1, 3, scale * h, scale * w)`` in 0..1."""
    config = mixture.config
    side, k, s2 = config.side, config.components, config.scale**2
    graph = GraphBuilder("mixture")

    def constant(value: Tensor) -> str:
        return graph.constant(value.detach().numpy())

    def integers(*values: int) -> str:
        return graph.constant(np.array(values, np.int64))

    def padded(x: str, border: int) -> str:
        return graph.add("Pad", x, integers(*[0, 0, border, border] * 2), mode="edge")

    x = graph.input("x", 3)
    luma: Array = np.array(LUMA, np.float32).reshape(1, 3, 1, 1)
    y = padded(graph.add("Conv", x, graph.constant(luma), kernel_shape=[1, 1]), side // 2)
    # In float32: products of coordinates, and their differences, are what tells components apart.
    z = graph.add("Conv", y, constant(mixture.basis.reshape(-1, 1, side, side)), kernel_shape=[side, side])
    i, j = (graph.constant(index.numpy()) for index in mixture.pairs())
    products = graph.add("Mul", graph.add("Gather", z, i, axis=1), graph.add("Gather", z, j, axis=1))
    kernel, bias = mixture.quadratic()
    terms = graph.add("Concat", products, z, axis=1)
    logits = graph.add("Conv", terms, constant(kernel[:, :, None, None]), constant(bias), kernel_shape=[1, 1])
    shares = graph.add("Exp", graph.add("Sub", logits, graph.add("ReduceMax", logits, axes=[1], keepdims=1)))
    total = graph.add("ReduceSum", shares, integers(1), keepdims=1)
    regressors = graph.weights(half(mixture.centred(mixture.regressors)))
    found = graph.add("Conv", y, regressors, kernel_shape=[side, side])  # (1, s2 * K, h, w)
    found = graph.add("Reshape", found, integers(s2, k, -1))
    shares = graph.add("Reshape", shares, integers(1, k, -1))
    detail = graph.add("ReduceSum", graph.add("Mul", found, shares), integers(1), keepdims=1)  # (s2, 1, h * w)
    detail = graph.add("Div", detail, graph.add("Reshape", total, integers(1, 1, -1)))
    size = graph.add("Slice", graph.add("Shape", x), integers(2), integers(4), integers(0))
    detail = graph.add("Reshape", detail, graph.add("Concat", integers(1, s2), size, axis=0))
    detail = graph.add("DepthToSpace", detail, blocksize=config.scale, mode="CRD")
    base = graph.add("Conv", padded(x, BASE // 2), constant(bicubic_filter(config.scale)), kernel_shape=[BASE, BASE])
    base = graph.add("DepthToSpace", base, blocksize=config.scale, mode="CRD")
    graph.output(graph.clip(graph.add("Add", base, detail), 0, 1), "out")
    return graph


def export_bundle(mixture: Mixture, folder: Path, name: str, origin: dict[str, Any]) -> str:
    """Write the bundle ``name`` without unused components and return its hash; a bundle that is there is replaced.

    Args:
        mixture: with the weights to ship.
        folder: made if missing.
        name: id of the bundle.
        origin: what ``model.json`` says of the training.

    Raises:
        CalotypeError: the folder holds something else.
    """
    mixture = mixture.used()
    title = f"super-resolution by {mixture.config.scale}: an infinite mixture of linear filters, fast"
    with replacement(folder.absolute()) as made:
        mixture_graph(mixture).save(made / GRAPH)
        seen = {"stride": 1, "halo": mixture.radius, "window": WINDOW}
        facts = {"id": name, "title": title, **FACTS, **origin}
        return describe(made, facts, {**asdict(mixture.config), **seen})
