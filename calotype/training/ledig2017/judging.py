# SPDX-License-Identifier: BSD-3-Clause
"""What training states of super-resolution make of photographs: exported, and run as users would run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...arrays import Samples8
from ...engine.windows import PictureNetwork
from ...raster.bands import to_8
from ..data import PictureCache, still_readable
from ..judging import exported
from .bicubic import imresize
from .kind import export
from .protocol import luma_psnr

GRAPH = "generator.onnx"
WINDOW = 1536  # pixels of the result, a side: what a network makes at once, if its bundle does not say


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """See :func:`enlarged`."""
    return enlarged(lambda folder: export(state, tables, pictures, folder), files)


def enlarged(write: Callable[[Path], str], files: Sequence[Path]) -> dict[str, float]:
    """Mean PSNR of the luma of whole pictures, scaled down and enlarged, and that of bicubic interpolation.

    Args:
        write: exports the bundle into a folder.
        files: photographs that were not trained on.
    """
    with exported(write) as bundle:
        stated = bundle.description["configuration"]
        scale, halo = stated["scale"], stated["halo"]
        enlarge = PictureNetwork(
            bundle.path / GRAPH, scale, 1, halo, stated.get("window", WINDOW // scale), torch.get_num_threads()
        )  # fmt: skip
        figures: dict[str, list[float]] = {"psnr_y": [], "bicubic_psnr_y": []}
        for real in still_readable(files):
            h, w = (side // scale * scale for side in real.shape[:2])
            if not h or not w:  # it has not a pixel when it is small
                continue
            small: Samples8 = imresize(real[:h, :w], h // scale, w // scale)
            figures["psnr_y"].append(luma_psnr(real[:h, :w], to_8(enlarge(small)), scale))
            figures["bicubic_psnr_y"].append(luma_psnr(real[:h, :w], imresize(small, h, w), scale))
    return {name: float(np.mean(values)) for name, values in figures.items() if values}
