# SPDX-License-Identifier: BSD-3-Clause
"""The outcomes for programs: JSON and CSV.

A number that was not measured is missing (JSON) or empty (CSV). The PSNR of equal pictures is infinite: ``"Infinity"``
in JSON, which has no such number, and ``inf`` in CSV.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from ..metrics.metric import Metric
from .outcome import Outcome, Picture


def as_json(original: Picture, outcomes: Sequence[Outcome]) -> str:
    """An object with the original and a list of the others, all figures in full."""
    others = [
        {
            **_file(outcome.picture),
            "metrics": {key: _number(value) for key, value in outcome.measurement.values.items()},
            "ms_ssim_scales": outcome.measurement.scales,
            "notes": list(outcome.notes),
        }
        for outcome in outcomes
    ]
    return json.dumps({"original": _file(original), "others": others}, indent=2, allow_nan=False)


def as_csv(original: Picture, outcomes: Sequence[Outcome], metrics: Sequence[Metric]) -> str:
    """A line for the original, which has a size and a rate alone, and one for each of the others."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "width", "height", "bytes", "bpp", *(metric.key for metric in metrics)])
    writer.writerow([*_file(original).values()][:3] + [original.size, repr(original.bpp)] + [""] * len(metrics))
    for outcome in outcomes:
        values = [outcome.value(metric.key) for metric in metrics]
        cells = ["" if value is None else repr(value) for value in values]
        writer.writerow(
            [*list(_file(outcome.picture).values())[:3], outcome.picture.size, repr(outcome.picture.bpp), *cells]
        )
    return out.getvalue()


def _file(picture: Picture) -> dict[str, Any]:
    raster = picture.raster
    return {
        "file": picture.name,
        "width": raster.width,
        "height": raster.height,
        "channels": raster.channels,
        "depth": raster.depth,
        "alpha": raster.alpha is not None,
        "bytes": picture.size,
        "bpp": picture.bpp,
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity"
