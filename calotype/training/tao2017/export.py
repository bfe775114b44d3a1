# SPDX-License-Identifier: BSD-3-Clause
"""A trained ``tao2017`` -> the bundle that the codec half reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from ...arrays import Progress
from ...networks.layers import SLOPE
from ...networks.tao2017 import (
    TABLES,
    BlockRec,
    ComCNN,
    Estimate,
    Fire,
    FromTables,
    LayerRec,
    Multilinear,
    Square,
    StagedRec,
    Tao2017,
    Tao2017Config,
    doubling_kernel,
    halving_kernel,
)
from ..bundle import describe, replacement
from ..generators import generator_graph
from ..graphs import GraphBuilder, float_layer, half
from ..parents import parent_of, provenance
from ..progress import silent
from ..weights import copy_weights, read_state, write_weights

FACTS = {
    "id": "tao2017",
    "codec": "tao2017",
    "title": "networks around a standard codec, and the restorer of JPEG, WebP, AVIF and JPEG 2000",
    "paper": "Tao, Jiang et al. 2017, arXiv 1708.00838",
    "licence": "BSD-3-Clause",
}
COM_HALO = 16  # pixels, more than the eight taps of the down-sampling and the three layers see


def number(value: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A scalar constant."""
    return np.array(value, np.float32)


def resampled(graph: GraphBuilder, x: str, kernel: Tensor, border: int, stride: int) -> str:
    """Convolve with a fixed resampling ``kernel``; the picture's border is continued by replication."""
    pads = graph.constant(np.array([0, 0, border, border] * 2, np.int64))
    padded = graph.add("Pad", x, pads, mode="edge")
    weights = graph.constant(kernel.numpy())
    return graph.add("Conv", padded, weights, strides=[stride] * 2, kernel_shape=list(kernel.shape[2:]))


def convolution(graph: GraphBuilder, x: str, layer: nn.Conv2d) -> str:
    """An ordinary convolution, zero padding."""
    k, p = layer.kernel_size[0], int(layer.padding[0])
    inputs = [x, graph.weights(half(layer.weight))]
    if layer.bias is not None:
        inputs.append(graph.constant(layer.bias.detach().numpy()))
    return graph.add("Conv", *inputs, strides=list(layer.stride), kernel_shape=[k, k], pads=[p] * 4, group=layer.groups)


def centred(graph: GraphBuilder, x: str) -> str:
    """``x - 0.5``."""
    return graph.add("Sub", x, graph.constant(number(0.5)))


def com_graph(com: ComCNN) -> GraphBuilder:
    """``x (1, 3, H, W) -> (1, 3, H/2, W/2)``."""
    graph = GraphBuilder("com")
    x = graph.input("x", 3)
    y = graph.add("Relu", convolution(graph, centred(graph, x), com.first))
    y = graph.add("Relu", convolution(graph, y, com.shrink))
    y = graph.add("Add", resampled(graph, x, halving_kernel(), 3, 2), convolution(graph, y, com.last))
    graph.output(graph.clip(y, 0, 1), "out")
    return graph


def rec_graph(name: str, rec: BlockRec | LayerRec) -> GraphBuilder:
    """``x (1, 3, H, W), e (1, K, 1, 1) -> (1, 3, scale H, scale W)``; the paper's networks take no ``e``."""
    graph = GraphBuilder(name)
    x = graph.input("x", 3)
    base = x
    if rec.scale == 2:
        up = resampled(graph, x, doubling_kernel(), 2, 1)
        base = graph.add("DepthToSpace", up, blocksize=2, mode="CRD")
    if isinstance(rec, BlockRec):
        e = graph.input("e", rec.head_strength.in_channels)
        fine = float_layer(graph, centred(graph, x), rec.head)
        fine = graph.add("Add", fine, float_layer(graph, e, rec.head_strength))
        fine = float_layer(graph, fine, rec.fine_in)
        coarse = graph.add("Add", float_layer(graph, fine, rec.down), float_layer(graph, e, rec.down_strength))
        coarse = float_layer(graph, float_layer(graph, coarse, rec.coarse), rec.up)
        fine = float_layer(graph, graph.add("Add", fine, coarse), rec.fine_out)
        change = float_layer(graph, fine, rec.tail)
        change = graph.add("Mul", change, graph.add("Exp", float_layer(graph, e, rec.amplitude)))
    else:
        change = centred(graph, base)
        for layer in rec.layers:
            change = paper_layer(graph, change, layer)
        change = convolution(graph, change, rec.last)
        if rec.amplitude is not None:
            e = graph.input("e", rec.amplitude.in_channels)
            change = graph.add("Mul", change, graph.add("Exp", float_layer(graph, e, rec.amplitude)))
    graph.output(graph.clip(graph.add("Add", base, change), 0, 1), "out")
    return graph


def paper_layer(graph: GraphBuilder, x: str, layer: nn.Module) -> str:
    """Append a layer of :class:`LayerRec`."""
    match layer:
        case nn.ReLU():
            return graph.add("Relu", x)
        case nn.BatchNorm2d():
            assert layer.running_mean is not None and layer.running_var is not None
            values = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
            names = [graph.constant(v.detach().numpy()) for v in values]
            return graph.add("BatchNormalization", x, *names, epsilon=layer.eps)
        case Square():
            k, (before, after) = layer.kernel_size[0], layer.border
            pads = [before, before, after, after]
            return graph.add("Conv", x, graph.weights(half(layer.weight)), kernel_shape=[k, k], pads=pads)
        case Fire():
            squeezed = graph.add("Relu", convolution(graph, x, layer.squeeze))
            parts = convolution(graph, squeezed, layer.expand1), paper_layer(graph, squeezed, layer.expand3)
            return graph.add("Concat", *parts, axis=1)
        case Multilinear():
            y = convolution(graph, x, layer.mix)
            for part in (layer.column, layer.row):
                (kh, kw) = part.kernel_size
                pads = [(kh - 1) // 2, (kw - 1) // 2, kh // 2, kw // 2]
                weights = graph.weights(half(part.weight))
                y = graph.add("Conv", y, weights, kernel_shape=[kh, kw], pads=pads, group=part.groups)
            if layer.rank > 1:
                out = part.out_channels // layer.rank
                ones = graph.constant(np.ones((out, layer.rank, 1, 1), np.float32))
                y = graph.add("Conv", y, ones, kernel_shape=[1, 1], group=out)
            return y
        case _:
            raise TypeError(f"no ONNX form is known for {type(layer).__name__}")


def estimate_graph(estimate: Estimate) -> GraphBuilder:
    """``x (1, 3, H, W) -> e (1, K, 1, 1)``."""
    graph = GraphBuilder("estimate")
    x = centred(graph, graph.input("x", 3))
    x = float_layer(graph, float_layer(graph, x, estimate.down), estimate.blocks)
    x = graph.add("LeakyRelu", float_layer(graph, x, estimate.features), alpha=SLOPE)
    graph.output(float_layer(graph, graph.add("GlobalAveragePool", x), estimate.out), "e")
    return graph


def tables_graph(tables: FromTables) -> GraphBuilder:
    """``t (1, 128, 1, 1) -> e (1, K, 1, 1)``."""
    graph = GraphBuilder("tables")
    t = graph.add(
        "Mul", graph.add("Sub", graph.input("t", TABLES), graph.constant(number(4))), graph.constant(number(0.5))
    )
    hidden = graph.add("LeakyRelu", float_layer(graph, t, tables.hidden), alpha=SLOPE)
    graph.output(float_layer(graph, hidden, tables.out), "e")
    return graph


def graphs_of(network: Tao2017) -> list[GraphBuilder]:
    """All graphs of a bundle."""
    halves = (
        [rec_graph("rec2", network.rec2.repair), generator_graph(network.rec2.enlarge, "enlarge")]
        if isinstance(network.rec2, StagedRec)
        else [rec_graph("rec2", network.rec2)]
    )
    return [
        com_graph(network.com),
        rec_graph("rec1", network.rec1),
        *halves,
        estimate_graph(network.estimate),
        tables_graph(network.tables),
    ]


def reaches(network: Tao2017) -> dict[str, dict[str, int]]:
    """Stride and halo of each graph that runs in windows, in samples of its own input; halos are whole strides."""
    found = {"com": {"stride": 2, "halo": COM_HALO}, "rec1": {"stride": 8, "halo": -(-network.rec1.halo // 8) * 8}}
    if isinstance(network.rec2, StagedRec):
        repair, enlarge = network.rec2.repair, network.rec2.enlarge
        found["rec2"] = {"stride": 8, "halo": -(-repair.halo // 8) * 8}
        found["enlarge"] = {"stride": 1, "halo": enlarge.radius}
    else:
        found["rec2"] = {"stride": 4, "halo": -(-network.rec2.halo // 8) * 4}
    return found


def export_bundle(network: Tao2017, folder: Path, facts: dict[str, Any], progress: Progress = silent) -> str:
    """Write the bundle of ``network`` (in evaluation mode) and return its hash; a bundle that is there is replaced."""
    network.eval()
    with replacement(folder) as made:
        graphs = graphs_of(network)
        for done, graph in enumerate(graphs):
            progress(done, len(graphs))
            graph.save(made / f"{graph.name}.onnx")
        return describe(made, facts, {**asdict(network.config), **reaches(network)})


def export_run(state: Path, config: Tao2017Config, folder: Path, pictures: int, progress: Progress = silent) -> str:
    """Export the averaged weights of a training state, and write the float weights beside the state.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration.
    """
    stored = read_state(state)
    network = Tao2017(config)
    copy_weights(stored["average"], network)
    network.load_state_dict(stored.get("buffers", {}), strict=False)
    origin = provenance(stored, pictures, parent_of(state.parent))
    digest = export_bundle(network, folder.absolute(), {**FACTS, **origin}, progress)
    write_weights(state.with_suffix(".safetensors"), stored["average"], asdict(config))
    return digest
