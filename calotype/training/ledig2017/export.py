# SPDX-License-Identifier: BSD-3-Clause
"""A trained generator of ``ledig2017`` -> the bundle that the codec half reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...engine.bundles import DESCRIPTION, bundle_hash
from ...errors import CalotypeError
from ...networks.ledig2017 import BASE, BatchNorm, Generator, GeneratorConfig, Residual
from ..bundle import replacement
from ..graphs import GraphBuilder, half
from ..parents import parent_of, provenance
from ..weights import copy_weights, write_weights

FACTS = {
    "codec": "ledig2017",
    "paper": "C. Ledig et al. 2017, arXiv 1609.04802",
    "licence": "BSD-3-Clause",
}
PREFIX = "generator."  # of its weights, where it was trained with an adversary


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


def export_bundle(generator: Generator, folder: Path, facts: dict[str, Any]) -> str:
    """Write the bundle of ``generator`` and return its hash; a bundle that is there is replaced.

    Args:
        generator: with the weights to ship.
        folder: made if missing.
        facts: what ``model.json`` says beside the configuration: id, title, paper, training, licence.

    Raises:
        CalotypeError: the folder holds something else.
    """
    with replacement(folder) as made:
        generator_graph(generator).save(made / "generator.onnx")
        digest = bundle_hash(made, ["generator.onnx"])
        seen = {"stride": 1, "halo": generator.radius}
        configuration = {**asdict(generator.config), **seen}
        description = {**facts, "files": ["generator.onnx"], "hash": digest, "configuration": configuration}
        (made / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return digest


def export_run(state: Path, config: GeneratorConfig, name: str, pictures: int, folder: Path) -> str:
    """Export the averaged weights of a training state as the bundle ``name``.

    The generator's float weights are written beside the state (float16), for training to
    go on from.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration.
    """
    folder = folder.absolute()  # so that it has a name
    if not state.is_file():
        raise CalotypeError(f"there is no state of a training run at {state}")
    stored = torch.load(state, weights_only=True)
    average: dict[str, Tensor] = stored["average"]
    adversarial = any(key.startswith(PREFIX) for key in average)
    if adversarial:
        average = {key.removeprefix(PREFIX): value for key, value in average.items() if key.startswith(PREFIX)}
    generator = Generator(config)
    copy_weights(average, generator)
    generator.eval()
    origin = provenance(stored, pictures, parent_of(state.parent))
    kind = "sharp, invented detail" if adversarial else "the least error on average"
    title = f"super-resolution by {config.scale}: {kind}"
    digest = export_bundle(generator, folder, {"id": name, "title": title, **FACTS, **origin})
    write_weights(state.with_suffix(".safetensors"), average, asdict(config))
    return digest
