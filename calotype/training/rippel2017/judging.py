# SPDX-License-Identifier: BSD-3-Clause
"""What a training state of ``rippel2017`` is worth: real files, with its integer networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...codecs.rippel2017.codec import Rippel2017
from ..data import PictureCache
from ..judging import exported, real_files
from .kind import export


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """Mean bits per pixel and PSNR of real files; the pictures train what predicts their bits."""
    with exported(lambda folder: export(state, tables, pictures, folder)) as bundle:
        return real_files({"": Rippel2017(bundle, torch.get_num_threads())}, files)
