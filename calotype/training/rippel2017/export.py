# SPDX-License-Identifier: BSD-3-Clause
"""A trained ``rippel2017`` -> the bundle that the codec half reads.

::

    analysis.onnx    x (1, 3, 16 h, 16 w) in 0..1                        ->  y (1, C, h, w)
    synthesis.onnx   y_hat (1, C, h, w), thresholds (1, 2, h, w), log2   ->  x (1, 3, 16 h, 16 w), not clipped
    context<g>.onnx  see calotype.codecs.rippel2017.context              ->  logits, for each group of channels
    tables.npz       see there
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from ...arrays import Progress
from ...engine.bundles import TABLES
from ...networks.rippel2017 import GROUPS, Contrast, Rippel2017, RippelConfig, halo
from ..bundle import describe, replacement
from ..data import PictureCache
from ..graphs import GraphBuilder, float_layer, half
from ..parents import parent_of, provenance
from ..progress import part, silent
from ..weights import copy_weights, read_state, write_weights
from .context import integers, latents_of, train_predictors

FACTS = {
    "id": "rippel2017",
    "codec": "rippel2017",
    "title": "progressive: bit planes of features at several scales",
    "paper": "O. Rippel and L. Bourdev 2017, arXiv 1705.05823",
    "licence": "BSD-3-Clause",
}
CROPS = 240  # whose latents the predictors of bits learn from
CALIBRATED = 32  # of these, that integers are calibrated on


def analysis_graph(network: Rippel2017) -> GraphBuilder:
    """See the module."""
    a, g = network.analysis, GraphBuilder("analysis")
    x = g.add("Sub", g.input("x", 3), g.constant(np.array(0.5, np.float32)))
    total: str | None = None
    for scale, (features, align) in enumerate(zip(a.features, a.align, strict=True)):
        x = g.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]) if scale else x
        aligned = float_layer(g, float_layer(g, x, features), align)
        total = aligned if total is None else g.add("Add", total, aligned)
    y = float_layer(g, cast(str, total), a.trunk)
    factor = g.add("Pow", g.add("Add", _energy(g, y, a.contrast), _number(g, 1)), _number(g, -0.25))
    g.output(_scaled(g, _divided(g, y, factor, a.contrast), a.log_gain), "y")
    return g


def synthesis_graph(network: Rippel2017) -> GraphBuilder:
    """See the module."""
    s, g = network.synthesis, GraphBuilder("synthesis")
    y_hat = _scaled(g, g.input("y_hat", network.config.latents), s.log_gain)
    left = _energy(g, y_hat, s.contrast)
    square = g.add("Mul", left, left)
    root = g.add("Mul", left, g.add("Sqrt", g.add("Add", square, _number(g, 4))))
    energy = g.add("Mul", g.add("Add", square, root), _number(g, 0.5))
    factor = g.add("Pow", g.add("Add", energy, _number(g, 1)), _number(g, 0.25))
    y_hat = _divided(g, y_hat, factor, s.contrast)
    thresholds = g.add("Mul", g.input("thresholds", GROUPS), g.constant(np.array(1 / 8, np.float32)))
    h = float_layer(g, g.add("Concat", y_hat, thresholds, axis=1), s.trunk)
    x: str | None = None
    for align, pixels in reversed(list(zip(s.align, s.pixels, strict=True))):
        here = float_layer(g, float_layer(g, h, align), pixels)
        if x is not None:
            sizes = g.constant(np.array([1, 1, 2, 2], np.float32))
            x = g.add("Resize", x, "", sizes, mode="linear", coordinate_transformation_mode="half_pixel")
        x = here if x is None else g.add("Add", here, x)
    g.output(g.add("Add", cast(str, x), g.constant(np.array(0.5, np.float32))), "x")
    return g


def _number(g: GraphBuilder, value: float) -> str:
    return g.constant(np.array(value, np.float32))


def _energy(g: GraphBuilder, y: str, contrast: Contrast) -> str:
    weights = g.weights(half(contrast.log_weight.exp()).reshape(1, -1, 1, 1))
    return g.add("Conv", g.add("Mul", y, y), weights, kernel_shape=[1, 1])


def _divided(g: GraphBuilder, y: str, factor: str, contrast: Contrast) -> str:
    """:meth:`Contrast.scaled`."""
    share = g.constant(contrast.divided.numpy().reshape(1, -1, 1, 1))
    change = g.add("Mul", g.add("Sub", factor, _number(g, 1)), share)
    return g.add("Mul", y, g.add("Add", change, _number(g, 1)))


def _scaled(g: GraphBuilder, x: str, log_gain: nn.Parameter) -> str:
    return g.add("Mul", x, g.weights(half(log_gain.exp()).reshape(1, -1, 1, 1)))


def graphs_of(network: Rippel2017) -> list[GraphBuilder]:
    """The float graphs of a bundle."""
    return [analysis_graph(network), synthesis_graph(network)]


def export_bundle(
    network: Rippel2017, latents: Tensor, folder: Path, facts: dict[str, Any], steps: int = 600,
    progress: Progress = silent,
) -> str:  # fmt: skip
    """Write the bundle of ``network`` and return its hash; a bundle that is there is replaced.

    Args:
        network: with the weights to ship.
        latents: what it makes of photographs (:func:`calotype.training.rippel2017.context.latents_of`).
        folder: made if missing.
        facts: what ``model.json`` says beside the configuration: id, title, paper, training, licence.
        steps: of training the predictors of the bits.
        progress: called with its steps.

    Raises:
        CalotypeError: the folder holds something else.
    """
    network.eval()
    with replacement(folder) as made:
        contexts, arrays = integers(train_predictors(latents, steps, progress=progress), latents[:CALIBRATED])
        for graph in [*graphs_of(network), *contexts]:
            graph.save(made / f"{graph.name}.onnx")
        np.savez_compressed(made / TABLES, **cast(Any, arrays))
        return describe(made, facts, {**asdict(network.config), "halo": halo(network.config)})


def codec_part(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the codec, of a run that may have had an adversary."""
    prefix = "codec."
    if not any(name.startswith(prefix) for name in weights):
        return weights
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def export_run(
    state: Path, config: RippelConfig, pictures: PictureCache, folder: Path, progress: Progress = silent
) -> str:
    """Export the averaged weights of a training state; the predictors of its bits are trained for some minutes first.

    The float weights are written beside the state (float16), for training to go on from.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration; as :func:`export_bundle`.
    """
    folder = folder.absolute()  # so that it has a name
    stored = read_state(state)
    network, weights = Rippel2017(config), codec_part(stored["average"])
    copy_weights(weights, network)
    latents = latents_of(network.eval(), pictures, CROPS, progress=part(progress, 0.0, 0.3))
    origin = provenance(stored, len(pictures), parent_of(state.parent))
    digest = export_bundle(network, latents, folder, {**FACTS, **origin}, progress=part(progress, 0.3, 1.0))
    write_weights(state.with_suffix(".safetensors"), weights, asdict(config))
    return digest
