# SPDX-License-Identifier: BSD-3-Clause
"""A small bundle of ``toderici2017``: four iterations of 8 bits, hardly trained, but each makes the picture better."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image


def write_progressive(folder: Path, picture: np.ndarray) -> None:
    """Write ``folder/toderici2017``, made for ``picture (H, W, 3)``. Needs PyTorch."""
    import torch

    from calotype.networks.toderici2017 import TodericiConfig
    from calotype.training.data import PictureCache
    from calotype.training.toderici2017.bits import codes_of
    from calotype.training.toderici2017.export import FACTS, export_bundle
    from calotype.training.toderici2017.task import make_network, start_greedily

    torch.manual_seed(5)
    network = make_network(TodericiConfig(iterations=4, bits=8, entry=8, encoder=(8, 16), decoder=(16, 8)))
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "pictures").mkdir()
        Image.fromarray(picture).save(Path(place) / "pictures" / "a.png")
        pictures = PictureCache(Path(place) / "pictures", Path(place) / "cache")
        start_greedily(network, pictures, crops=24)
        codes = codes_of(network, pictures, 16, 128)
    export_bundle(network, codes, folder / "toderici2017", {**FACTS, "title": "for tests"}, steps=60)
