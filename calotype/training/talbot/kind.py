# SPDX-License-Identifier: BSD-3-Clause
"""Training and export of recipes of the kind ``talbot``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ...arrays import Progress
from ...errors import CalotypeError
from ...networks.talbot import Talbot, TalbotConfig
from ..crops import CropConfig
from ..data import PictureCache
from ..loop import LoopConfig
from ..parents import bundle_in
from ..perceptual import PerceptualConfig, perceptual
from ..progress import silent
from ..recipe import configure
from .export import export_run
from .klt import start_as_klt
from .measure import LossConfig
from .natural import Natural, NaturalConfig, NaturalTask
from .start import start_from_bundle
from .synthesis import Synthesis, SynthesisConfig, SynthesisTask, find
from .synthesis import export_run as export_synthesis
from .task import TalbotTask, initialise, make_network

Tables = Mapping[str, Any]
SYNTHESIS = "synthesis"  # the table that makes a recipe one that trains the synthesis alone
NATURAL = "natural"  # a table beside it: train the synthesis for a natural look
SETTINGS = {
    "network": TalbotConfig, "crop": CropConfig, "loss": LossConfig, SYNTHESIS: SynthesisConfig,
    NATURAL: NaturalConfig, "perceptual": PerceptualConfig,
}  # fmt: skip


def refused(tables: Tables) -> str:
    """Nothing: all of them can be exported."""
    return ""


def network(tables: Tables) -> Talbot | Synthesis:
    """The network that a recipe names, or its synthesis alone."""
    if SYNTHESIS not in tables:
        return make_network(configure(TalbotConfig, tables.get("network", {})))
    made = synthesis(tables)
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    return made


def synthesis(tables: Tables) -> Synthesis:
    """The one of the bundle that a recipe names, with a critic where it asks for a natural look."""
    config = configure(TalbotConfig, tables.get("network", {}))
    bundle = find(configure(SynthesisConfig, tables[SYNTHESIS]).bundle)
    if NATURAL in tables:
        return Natural(config, bundle, configure(NaturalConfig, tables[NATURAL]).width)
    return Synthesis(config, bundle)


def start(network: Talbot | Synthesis, init: Path | None, pictures: PictureCache) -> None:
    """First weights: those of a bundle or in a file, or the Karhunen-Loève transform of the photographs."""
    if isinstance(network, Synthesis):
        if init:
            raise CalotypeError("a synthesis starts from the bundle that its recipe names: leave out --init")
    elif init and init.is_dir():
        start_from_bundle(network, bundle_in(init))
    elif init:
        initialise(network, init)
    else:
        start_as_klt(network, pictures)


def task(
    network: Talbot | Synthesis, tables: Tables, pictures: PictureCache, judges: Sequence[Path]
) -> TalbotTask | SynthesisTask:
    """The loss to minimise."""
    crop, loss = configure(CropConfig, tables.get("crop", {})), configure(LossConfig, tables.get("loss", {}))
    fused = configure(LoopConfig, tables.get("loop", {})).compile
    if isinstance(network, Synthesis):
        pool = configure(SynthesisConfig, tables[SYNTHESIS]).pool
        if isinstance(network, Natural):
            natural = configure(NaturalConfig, tables[NATURAL])
            seen = perceptual(configure(PerceptualConfig, tables.get("perceptual", {})))
            return NaturalTask(network, pictures, crop, judges, loss, fused, pool, natural, perceptual=seen)
        return SynthesisTask(network, pictures, crop, judges, loss, fused, pool)
    return TalbotTask(network, pictures, crop, judges, loss, fused)


def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path, progress: Progress | None = None) -> str:
    """A bundle of the state of a run."""
    config = configure(TalbotConfig, tables.get("network", {}))
    facts = dict(tables.get("bundle", {}))
    shares = asdict(configure(LossConfig, tables.get("loss", {})).shares)
    if stated := {name: share for name, share in shares.items() if share}:
        facts["distortion"] = stated  # what high efforts of the encoder minimise
    if SYNTHESIS in tables:
        return export_synthesis(state, synthesis(tables), folder, len(pictures), facts)
    return export_run(state, config, pictures, folder, facts, progress or silent)
