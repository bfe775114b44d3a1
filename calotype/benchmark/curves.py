# SPDX-License-Identifier: BSD-3-Clause
"""Rate-distortion curves: pictures x settings -> records, their averages, and one JSON file a codec.

The file has CompressAI's form, with what made it and every single measurement beside the averages::

    {"name": "talbot", "description": "...",
     "results": {"setting": [...], "bpp": [...], "psnr-rgb": [...], "ms-ssim-rgb": [...], ...,
                 "encode_mps": [...], "decode_mps": [...]},
     "provenance": {"date": "...", "versions": {...}, "settings": {...}, ...},
     "pictures": {"1": {"setting": [...], "bytes": [...], "bpp": [...], ...}, ...}}

Averages are means over the pictures (of MS-SSIM as such, not of its decibels), as in the literature; speeds are medians
over the pictures, in megapixels a second. A number that does not exist is null: the PSNR of a lossless copy, the speed
where other work went on beside it.
"""

from __future__ import annotations

import json
import math
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..engine.processor import model
from ..metrics.metric import Metric
from .contender import Contender
from .records import Record


@dataclass(frozen=True)
class Curve:
    """All measurements of one codec."""

    codec: Contender
    records: tuple[Record, ...]  # picture by picture, settings in order
    metrics: tuple[Metric, ...]

    @property
    def name(self) -> str:
        """Of the codec."""
        return self.codec.name

    @property
    def settings(self) -> tuple[float, ...]:
        """The settings that were measured, in order."""
        return tuple(dict.fromkeys(record.setting for record in self.records))

    @property
    def pictures(self) -> tuple[str, ...]:
        """The names of the pictures."""
        return tuple(dict.fromkeys(record.picture for record in self.records))

    def of_picture(self, name: str) -> dict[str, list[float | None]]:
        """The points of one picture, as columns."""
        records = [record for record in self.records if record.picture == name]
        return {
            "setting": [record.setting for record in records],
            "bytes": [record.bytes for record in records],
            "bpp": [record.bpp for record in records],
            **{m.key: [record.quality[m.key] for record in records] for m in self.metrics},
            "encode_s": [rounded(record.encode_s) for record in records],
            "decode_s": [rounded(record.decode_s) for record in records],
            "predicted_bytes": [record.predicted_bytes for record in records],
        }

    def averages(self) -> dict[str, list[float | None]]:
        """The points of the average over all pictures, as columns."""
        columns: dict[str, list[float | None]] = {"setting": list(self.settings)}
        names = [metric.key for metric in self.metrics]
        columns |= {name: [] for name in ("bpp", *names, "encode_mps", "decode_mps")}
        for setting in self.settings:
            records = [record for record in self.records if record.setting == setting]
            columns["bpp"].append(mean([record.bpp for record in records]))
            for name in names:
                columns[name].append(mean([record.quality[name] for record in records]))
            columns["encode_mps"].append(
                speed([record.megapixels for record in records], [r.encode_s for r in records])
            )
            columns["decode_mps"].append(
                speed([record.megapixels for record in records], [r.decode_s for r in records])
            )
        return columns

    def to_json(self, data_set: str) -> dict[str, Any]:
        """The file described above."""
        return {
            "name": self.codec.name,
            "description": f"{self.codec.description}; {data_set}, {len(self.pictures)} pictures, real files",
            "results": self.averages(),
            "provenance": {**provenance(), "versions": self.codec.versions(), "settings": self.codec.settings_table()},
            "pictures": {name: self.of_picture(name) for name in self.pictures},
        }

    def write(self, path: Path, data_set: str) -> None:
        """Write the file, with one line a column so that changes can be read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(compact_json(self.to_json(data_set)), encoding="utf-8")


def provenance() -> dict[str, Any]:
    """When and on what a measurement was made."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model(),
        "threads": 1,
    }


def mean(values: Sequence[float | None]) -> float | None:
    """The mean, or None if a value is missing or not finite."""
    present = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(present) / len(present) if len(present) == len(values) else None


def speed(megapixels: Sequence[float], seconds: Sequence[float | None]) -> float | None:
    """The median with as many digits as a timing deserves, or None if a time is missing."""
    speeds = [size / time for size, time in zip(megapixels, seconds, strict=True) if time is not None]
    return round(statistics.median(speeds), 3) if len(speeds) == len(seconds) else None


def rounded(seconds: float | None) -> float | None:
    """To the microsecond."""
    return None if seconds is None else round(seconds, 6)


def compact_json(value: Any, indent: str = "") -> str:
    """JSON with one line for each list: diffs stay readable."""
    if isinstance(value, dict) and value:
        inner = indent + " "
        items = [f"{inner}{json.dumps(str(key))}: {compact_json(item, inner)}" for key, item in value.items()]
        body = "{\n" + ",\n".join(items) + f"\n{indent}}}"
    else:
        body = json.dumps(value, allow_nan=False)
    return body if indent else body + "\n"
