# SPDX-License-Identifier: BSD-3-Clause
"""What a training state of ``talbot`` is worth: real files, with its integer networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...codecs.talbot.codec import Talbot
from ..data import PictureCache
from ..judging import exported, real_files
from .kind import export


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """Mean bits per pixel and PSNR of real files; the pictures calibrate, as in the export."""
    with exported(lambda folder: export(state, tables, pictures, folder)) as bundle:
        return real_files({"": Talbot(bundle, torch.get_num_threads())}, files)
