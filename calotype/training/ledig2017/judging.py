# SPDX-License-Identifier: BSD-3-Clause
"""What a training state of ``ledig2017`` makes of photographs: exported, and run as users would run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

WINDOW = 1536  # pixels of the result, a side: what a network makes at once


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """Mean PSNR of the luma of whole pictures, scaled down and enlarged, and that of bicubic interpolation.

    Args:
        state: of a training run.
        tables: its recipe.
        pictures: that it was trained on.
        files: photographs that were not trained on.
    """
    with exported(lambda folder: export(state, tables, pictures, folder)) as bundle:
        scale, halo = (bundle.description["configuration"][name] for name in ("scale", "halo"))
        enlarge = PictureNetwork(
            bundle.path / "generator.onnx", scale, 1, halo, WINDOW // scale, torch.get_num_threads()
        )
        figures: dict[str, list[float]] = {"psnr_y": [], "bicubic_psnr_y": []}
        for real in still_readable(files):
            h, w = (side // enlarge.scale * enlarge.scale for side in real.shape[:2])
            small: Samples8 = imresize(real[:h, :w], h // enlarge.scale, w // enlarge.scale)
            figures["psnr_y"].append(luma_psnr(real[:h, :w], to_8(enlarge(small)), enlarge.scale))
            figures["bicubic_psnr_y"].append(luma_psnr(real[:h, :w], imresize(small, h, w), enlarge.scale))
    return {name: float(np.mean(values)) for name, values in figures.items()}
