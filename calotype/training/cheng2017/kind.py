# SPDX-License-Identifier: BSD-3-Clause
"""The tables of a recipe -> an infinite mixture for super-resolution, its training and its bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...arrays import Progress
from ...errors import CalotypeError
from ...networks.cheng2017 import Mixture, MixtureConfig
from ..crops import CropConfig
from ..data import PictureCache
from ..ledig2017.task import PixelLossConfig, ResNetTask
from ..parents import parent_of, provenance
from ..recipe import configure
from ..weights import copy_weights, read_state, start_from
from .export import export_bundle
from .fit import fit

Tables = Mapping[str, Any]


SETTINGS = {"network": MixtureConfig, "crop": CropConfig, "pixels": PixelLossConfig}


def refused(tables: Tables) -> str:
    """Nothing: all of them can be exported."""
    return ""


def network(tables: Tables) -> Mixture:
    """A mixture that is bicubic interpolation yet."""
    config = configure(MixtureConfig, tables.get("network", {}))
    if config.dimensions >= config.side**2:
        raise CalotypeError(f"dimensions should be fewer than the {config.side**2} samples of a patch")
    return Mixture(config)


def start(made: Mixture, init: Path | None, pictures: PictureCache) -> None:
    """Fit the mixture to the photographs, unless there are float weights to start from."""
    if init:
        start_from(made, init)
    else:
        fit(made, pictures)


def task(made: Mixture, tables: Tables, pictures: PictureCache, judges: Sequence[Path]) -> ResNetTask:
    """Task of the loop: the regressors, once more, for the error of whole pictures."""
    crop = configure(CropConfig, tables.get("crop", {}))
    if crop.size % made.config.scale:
        raise CalotypeError(f"crops of {crop.size} pixels cannot be scaled down by {made.config.scale}")
    return ResNetTask(made, pictures, crop, configure(PixelLossConfig, tables.get("pixels", {})), judges)


def export(state: Path, tables: Tables, pictures: PictureCache, folder: Path, progress: Progress | None = None) -> str:
    """The bundle of the mixture; its id is the recipe's ``id``, or that of the scale."""
    stored = read_state(state)
    mixture = network(tables)
    copy_weights(stored["average"], mixture)
    name = str(tables.get("id", f"mixture-x{mixture.config.scale}"))
    return export_bundle(mixture, folder, name, provenance(stored, len(pictures), parent_of(state.parent)))
