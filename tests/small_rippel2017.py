# SPDX-License-Identifier: BSD-3-Clause
"""A small bundle of ``rippel2017``: sixteen latents, not trained, but each plane makes the picture better."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image


def write_planes(folder: Path, picture: np.ndarray) -> None:
    """Write ``folder/rippel2017``, made for ``picture (H, W, 3)``. Needs PyTorch."""
    import torch

    from calotype.networks.rippel2017 import Rippel2017, RippelConfig
    from calotype.training.data import PictureCache
    from calotype.training.rippel2017.context import latents_of
    from calotype.training.rippel2017.export import FACTS, export_bundle
    from calotype.training.rippel2017.start import make_network, start_as_transform

    torch.manual_seed(5)
    network = make_network(Rippel2017(RippelConfig(latents=16, width=16, blocks=1, scales=(12, 8))))
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "pictures").mkdir()
        Image.fromarray(picture).save(Path(place) / "pictures" / "a.png")
        pictures = PictureCache(Path(place) / "pictures", Path(place) / "cache")
        start_as_transform(network, pictures, crops=24)
        latents = latents_of(network, pictures, 16, 128)
    export_bundle(network, latents, folder / "rippel2017", {**FACTS, "title": "for tests"}, steps=60)
