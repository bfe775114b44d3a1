# SPDX-License-Identifier: BSD-3-Clause
"""A trained generator of ``ledig2017`` -> the bundle that the codec half reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ...networks.ledig2017 import Generator, GeneratorConfig
from ..bundle import describe, replacement
from ..generators import generator_graph
from ..parents import parent_of, provenance
from ..weights import copy_weights, read_state, write_weights

FACTS = {
    "codec": "ledig2017",
    "paper": "C. Ledig et al. 2017, arXiv 1609.04802",
    "licence": "BSD-3-Clause",
}
PREFIX = "generator."  # of its weights, where it was trained with an adversary


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
        return describe(made, facts, {**asdict(generator.config), "stride": 1, "halo": generator.radius})


def export_run(state: Path, config: GeneratorConfig, name: str, pictures: int, folder: Path) -> str:
    """Export the averaged weights of a training state as the bundle ``name``.

    The generator's float weights are written beside the state (float16), for training to
    go on from.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration.
    """
    folder = folder.absolute()  # so that it has a name
    stored = read_state(state)
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
