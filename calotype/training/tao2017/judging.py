# SPDX-License-Identifier: BSD-3-Clause
"""What a training state of ``tao2017`` is worth: real files around JPEG, at full and at half the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...codecs.tao2017.codec import Tao2017
from ..data import PictureCache
from ..judging import exported, real_files
from .kind import export

QUALITIES = (10.0, 30.0, 60.0)  # of the JPEG inside


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """Mean bits per pixel and PSNR of real files; ``file_psnr@10/2`` is that of scale 2 at quality 10."""
    with exported(lambda folder: export(state, tables, pictures, folder)) as bundle:
        threads = torch.get_num_threads()
        return real_files({f"/{s}": Tao2017(bundle, threads, scale=s) for s in (1, 2)}, files, QUALITIES)
