# SPDX-License-Identifier: BSD-3-Clause
"""What a training state of ``cheng2017`` makes of photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data import PictureCache
from ..ledig2017.judging import enlarged
from .kind import export


def judge_state(
    state: Path, tables: Mapping[str, Any], pictures: PictureCache, files: Sequence[Path]
) -> dict[str, float]:
    """See :func:`calotype.training.ledig2017.judging.enlarged`."""
    return enlarged(lambda folder: export(state, tables, pictures, folder), files)
