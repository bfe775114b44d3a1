# SPDX-License-Identifier: BSD-3-Clause
"""A trained ``talbot`` -> the bundle that the codec half reads."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..bundles import FILE_ORDER_NOTE, bundle_hash
from ..entropy import gaussian_tables
from ..networks.talbot import Talbot, TalbotConfig
from .data import CropConfig, PictureCache, random_crop
from .graphs import Graph, float_layer
from .integer import LEVELS, integer_hyper_synthesis, integer_pass, scales, sums_stay_exact

QUALITY_STEPS = 256  # rows of the table of z's levels
CALIBRATION_SEED = 5
FACTS = {
    "id": "talbot",
    "codec": "talbot",
    "title": "photographs in real time on a plain CPU, tuned for PSNR",
    "paper": "hierarchical prior, learned transform; after arXiv 1802.01436, 1809.02736, 2103.15306, 2003.02012",
    "licence": "BSD-3-Clause",
}


def calibration_inputs(network: Talbot, crops: Tensor) -> dict[str, list[Tensor]]:
    """What reaches the prior's networks on calibration crops at all qualities: name -> arguments."""
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


def export_bundle(network: Talbot, crops: Tensor, folder: Path, facts: dict[str, Any]) -> str:
    """Write the bundle of ``network`` and return its hash.

    Args:
        network: in evaluation mode, with the weights to ship.
        crops: calibration pictures ``(B, 3, H, W)`` in 0..1; every quality is run on some of them.
        folder: made if missing; its files are replaced.
        facts: what ``model.json`` says beside the configuration: id, title, paper, training provenance, licence.
    """
    network = network.eval()
    config = network.config
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()

    transforms = {"g_a": (3, network.g_a), "h_a": (config.m, network.h_a), "g_s": (config.m, network.g_s)}
    for name, (channels, transform) in transforms.items():
        graph = Graph(name)
        x = graph.input("x", channels)
        if name == "g_a":
            x = graph.add("Sub", x, graph.constant(np.array(0.5, np.float32)))
        x = float_layer(graph, x, transform)
        if name == "g_s":
            x = graph.add("Add", x, graph.constant(np.array(0.5, np.float32)))
            x = graph.clip(x, 0, 1)
        graph.output(x, "out")
        graph.save(folder / f"{name}.onnx")

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
            raise ArithmeticError(f"the sums of {name} can leave the integers that float32 holds")
        graph.save(folder / f"{name}.onnx")

    # z's own scales: a level for each quality and channel, so that no float stands between quality and table.
    tables = gaussian_tables(scales())
    position = torch.linspace(0, config.levels - 1, QUALITY_STEPS)
    with torch.inference_mode():
        log_scale = network.interpolate(network.z_log_scale, position)[:, :, 0, 0].double().numpy()
    step = math.log(scales()[-1] / scales()[0]) / (LEVELS - 1)
    z_levels = np.clip(np.rint((log_scale - math.log(scales()[0])) / step), 1, LEVELS - 1).astype(np.uint8)
    np.savez_compressed(
        folder / "tables.npz",
        limits=tables.limits,
        frequencies=tables.frequencies,
        z_levels=z_levels,
        steps=torch.exp(-network.finer).detach().numpy().astype(np.float32),
        gain_encoder=network.gain_encoder.detach().numpy().astype(np.float32),
        gain_decoder=network.gain_decoder.detach().numpy().astype(np.float32),
    )
    digest = bundle_hash(folder)
    description = {**facts, "hash": digest, "hash_of": FILE_ORDER_NOTE, "configuration": asdict(config)}
    (folder / "model.json").write_text(json.dumps(description, indent=2) + "\n")
    return digest


def export_run(state: Path, config: TalbotConfig, pictures: PictureCache, folder: Path) -> str:
    """Export the averaged weights of a training state; calibrated on 44 crops, four for each level of quality.

    The float weights are written beside the bundle (``<folder>.safetensors``, float16), for training to go on from.
    """
    stored = torch.load(state, weights_only=True)
    network = network_from_weights(stored["average"], config)
    rng = np.random.default_rng(CALIBRATION_SEED)
    crops = torch.stack([random_crop(pictures, CropConfig(), rng) for _ in range(4 * config.levels)])
    training = {"steps": stored["step"], "minutes": round(stored["seconds"] / 60), "pictures": len(pictures)}
    digest = export_bundle(network, crops, folder, {**FACTS, "training": training})
    weights = {name: value.half().contiguous() for name, value in stored["average"].items()}
    save_file(weights, folder.with_suffix(".safetensors"), metadata={"configuration": json.dumps(asdict(config))})
    return digest


def network_from_weights(weights: dict[str, Tensor], config: TalbotConfig | None = None) -> Talbot:
    """A network with the given weights (those of a training state, or of a file of float weights)."""
    network = Talbot(config)
    parameters = dict(network.named_parameters())
    if parameters.keys() != weights.keys():
        raise ValueError("the weights are those of another network")
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)
    return network.eval()
