# SPDX-License-Identifier: BSD-3-Clause
"""A trained ``talbot`` -> the bundle that the codec half reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...arrays import Progress, Samples
from ...codecs.quality import QUALITY_MAX, QUALITY_MIN, to_header
from ...codecs.talbot.codec import Talbot as Codec
from ...engine.bundles import DESCRIPTION, TABLES, Bundle
from ...engine.entropy import Tables, gaussian_tables
from ...engine.runtime import MOST_THREADS
from ...engine.runtime import graph as graph_cache
from ...engine.strips import transform as transform_cache
from ...errors import CalotypeError
from ...networks.talbot import SCALE_MIN, Talbot, TalbotConfig
from ..bundle import check_replaceable, describe, replacement
from ..crops import CropConfig, random_crop, random_crops
from ..data import PictureCache
from ..graphs import GraphBuilder, float_layer
from ..integer import LEVELS, integer_hyper_synthesis, integer_pass, scale_step, scales, sums_stay_exact
from ..parents import parent_of, provenance
from ..progress import silent
from ..weights import copy_weights, read_state, write_weights
from .tables import fit

Z_ROWS = 256  # rows of the table of z's levels
CALIBRATION_SEED = 5
FITTED_CROPS, FITTED_SIDE = 48, 512  # what the probability tables are fitted to
FACTS = {
    "id": "talbot",
    "codec": "talbot",
    "title": "photographs in real time on a plain CPU, tuned for PSNR",
    "paper": "hierarchical prior, learned transform; after arXiv 1802.01436, 1809.02736, 2103.15306, 2003.02012",
    "licence": "BSD-3-Clause",
}


def calibration_inputs(network: Talbot, crops: Tensor) -> dict[str, list[Tensor]]:
    """Inputs of the prior's networks on calibration crops at all qualities: name -> arguments."""
    captured: dict[str, list[Tensor]] = {}

    def capture(name: str) -> Any:
        def hook(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            captured[name] = [a.detach() for a in arguments]

        return hook

    parts = {"h_s": network.h_s, "z_pass": network.z_pass}
    parts |= {f"pass{i + 1}": p for i, p in enumerate(network.passes)}
    hooks = [module.register_forward_pre_hook(capture(name)) for name, module in parts.items()]
    level = torch.linspace(0, network.config.levels - 1, len(crops))
    with torch.inference_mode():
        network.eval()(crops, level)
    for hook in hooks:
        hook.remove()
    return captured


def transform_graph(name: str, channels: int, transform: nn.Module) -> GraphBuilder:
    """``g_a`` from pictures in 0..1, ``h_a``, or ``g_s`` to pictures in 0..1."""
    graph = GraphBuilder(name)
    x = graph.input("x", channels)
    if name == "g_a":
        x = graph.add("Sub", x, graph.constant(np.array(0.5, np.float32)))
    x = float_layer(graph, x, transform)
    if name == "g_s":
        x = graph.add("Add", x, graph.constant(np.array(0.5, np.float32)))
        x = graph.clip(x, 0, 1)
    graph.output(x, "out")
    return graph


def export_bundle(
    network: Talbot, crops: Tensor, folder: Path, facts: dict[str, Any], pictures: Sequence[Samples] = (),
    progress: Progress = silent,
) -> str:  # fmt: skip
    """Write the bundle of ``network`` and return its hash.

    Args:
        network: in evaluation mode, with the weights to ship.
        crops: calibration pictures ``(B, 3, H, W)`` in 0..1; every quality is run on some of them.
        folder: made if missing; a bundle that is there is replaced, once the new one is complete.
        facts: what ``model.json`` says beside the configuration: id, title, paper, training provenance, licence.
        pictures: ``(H, W, 3)``, at most a tile each, to fit the probability tables to; without them, the tables are
            those of Gaussians.
        progress: called with pictures fitted to, which take most of the time.

    Raises:
        CalotypeError: the folder holds something else, or the network's sums could leave the exact integers.
    """
    with replacement(folder) as made:
        return _write_bundle(network.eval(), crops, made, facts, pictures, progress)


def _write_bundle(
    network: Talbot, crops: Tensor, folder: Path, facts: dict[str, Any], pictures: Sequence[Samples],
    progress: Progress,
) -> str:  # fmt: skip
    config = network.config
    transforms = {"g_a": (3, network.g_a), "h_a": (config.m, network.h_a), "g_s": (config.m, network.g_s)}
    for name, (channels, transform) in transforms.items():
        transform_graph(name, channels, transform).save(folder / f"{name}.onnx")

    captured = calibration_inputs(network, crops)
    with torch.inference_mode():
        quality, z00 = captured["z_pass"]
        graphs = {"z_pass": integer_pass("z_pass", network.z_pass, quality, None, [z00])}
        z_hat, quality = captured["h_s"]
        graphs["h_s"], e64, e32 = integer_hyper_synthesis(network.h_s, z_hat, quality)
        for i, layer in enumerate(network.passes):
            features, *known = captured[f"pass{i + 1}"]
            exponent = e64 if i < 2 else e32
            # pass modules and their arguments come in the order in which they are run
            graphs[f"pass{i + 1}"] = integer_pass(f"pass{i + 1}", cast(Any, layer), features, exponent, known)
    for name, graph in graphs.items():
        if not sums_stay_exact(graph.model()):
            raise CalotypeError(f"the sums of {name} can leave the integers that float32 holds: train the network anew")
        graph.save(folder / f"{name}.onnx")

    # z's own scales: a level for each quality and channel, so that no float stands between quality and table.
    position = torch.linspace(0, config.levels - 1, Z_ROWS)
    with torch.inference_mode():
        log_scale = network.interpolate(network.z_log_scale, position)[:, :, 0, 0].double().numpy()
    z_levels = np.clip(np.rint((log_scale - math.log(SCALE_MIN)) / scale_step()), 1, LEVELS - 1).astype(np.uint8)
    arrays: dict[str, Any] = {
        "z_levels": z_levels,
        "steps": torch.exp(-network.finer).detach().numpy().astype(np.float32),
        "gain_encoder": network.gain_encoder.detach().numpy().astype(np.float32),
        "gain_decoder": network.gain_decoder.detach().numpy().astype(np.float32),
    }

    def finish(tables: Tables) -> str:
        np.savez_compressed(folder / TABLES, limits=tables.limits, frequencies=tables.frequencies, **arrays)
        return describe(folder, facts, asdict(config))

    digest = finish(gaussian_tables(scales()))
    if pictures:
        threads = min(torch.get_num_threads(), MOST_THREADS)
        codec = Codec(Bundle(folder, json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))), threads)
        qualities = [to_header(quality) for quality in np.linspace(QUALITY_MIN, QUALITY_MAX, config.levels)]
        digest = finish(fit(codec, pictures, qualities, scales(), progress))
        graph_cache.cache_clear()  # this folder is about to be renamed
        transform_cache.cache_clear()
    return digest


def export_run(
    state: Path, config: TalbotConfig, pictures: PictureCache, folder: Path, facts: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> str:  # fmt: skip
    """Export the averaged weights of a training state; calibrated on 44 crops, four for each level of quality.

    ``facts`` are the bundle's id and title, where they are not those of :data:`FACTS`, and its ``distortion`` if it is
    not the squared error. The float weights are written beside the state (float16), for training to go on from.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration; as :func:`export_bundle`.
    """
    folder = folder.absolute()  # so that it has a name
    check_replaceable(folder)
    stored = read_state(state)
    network = network_from_weights(stored["average"], config)
    rng = np.random.default_rng(CALIBRATION_SEED)
    crops = random_crops(pictures, CropConfig(), rng, 4 * config.levels)
    origin = provenance(stored, len(pictures), parent_of(state.parent))
    fitted = CropConfig(FITTED_SIDE, scale_probability=0)
    samples = [to_samples(random_crop(pictures, fitted, rng)) for _ in range(FITTED_CROPS)]
    digest = export_bundle(network, crops, folder, {**FACTS, **(facts or {}), **origin}, samples, progress)
    write_weights(state.with_suffix(".safetensors"), stored["average"], asdict(config))
    return digest


def to_samples(crop: Tensor) -> Samples:
    """A crop ``(3, H, W)`` in 0..1 -> ``(H, W, 3)`` of 8 bits."""
    samples: Samples = crop.permute(1, 2, 0).mul(255).round().clamp(0, 255).byte().numpy()
    return samples


def network_from_weights(weights: dict[str, Tensor], config: TalbotConfig | None = None) -> Talbot:
    """A network with the given weights: those of a training state, or of a file of float weights.

    Raises:
        CalotypeError: they are those of another network.
    """
    network = Talbot(config)
    copy_weights(weights, network)
    return network.eval()
