# SPDX-License-Identifier: BSD-3-Clause
"""Rate-distortion curves: pictures x settings -> records, their averages, and one JSON file a codec.

The file has CompressAI's form, with what made it and every single measurement beside the averages::

    {"name": "talbot", "description": "...",
     "results": {"setting": [...], "bpp": [...], "psnr-rgb": [...], "ms-ssim-rgb": [...],
                 "encode_mps": [...], "decode_mps": [...]},
     "provenance": {"date": "...", "versions": {...}, "settings": {...}, ...},
     "pictures": {"1": {"setting": [...], "bytes": [...], "bpp": [...], ...}, ...}}

Averages are means over the pictures (of MS-SSIM as such, not of its decibels), as in the literature; speeds are medians
over the pictures, in megapixels a second. A number that does not exist, such as the PSNR of a lossless copy, is null.
"""

from __future__ import annotations

import json
import math
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from calotype.benchmark.codec import Codec
from calotype.benchmark.pictures import Photograph
from calotype.benchmark.records import Cache, Record, Trial, fingerprint

Progress = Callable[[int, int, str], None]  # measurements done, all of them, what comes next


@dataclass(frozen=True)
class Curve:
    """All measurements of one codec."""

    codec: Codec
    records: tuple[Record, ...]  # picture by picture, settings in order

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
            "psnr-rgb": [finite(record.psnr) for record in records],
            "ms-ssim-rgb": [record.ms_ssim for record in records],
            "encode_s": [round(record.encode_s, 6) for record in records],
            "decode_s": [round(record.decode_s, 6) for record in records],
            "predicted_bytes": [record.predicted_bytes for record in records],
        }

    def averages(self) -> dict[str, list[float | None]]:
        """The points of the average over all pictures, as columns."""
        columns: dict[str, list[float | None]] = {"setting": list(self.settings)}
        for name in ("bpp", "psnr-rgb", "ms-ssim-rgb", "encode_mps", "decode_mps"):
            columns[name] = []
        for setting in self.settings:
            records = [record for record in self.records if record.setting == setting]
            columns["bpp"].append(mean([record.bpp for record in records]))
            columns["psnr-rgb"].append(mean([record.psnr for record in records]))
            columns["ms-ssim-rgb"].append(mean([record.ms_ssim for record in records]))
            columns["encode_mps"].append(speed([record.megapixels / record.encode_s for record in records]))
            columns["decode_mps"].append(speed([record.megapixels / record.decode_s for record in records]))
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


def measure(
    codecs: Sequence[Codec],
    photographs: Sequence[Photograph],
    settings: Mapping[str, Sequence[float]] | None = None,
    *,
    rounds: int = 1,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> dict[str, Curve]:
    """Send every picture through every codec at each of its settings.

    The codecs take turns - A, B, C, and again if ``rounds`` asks for it - so that whatever else the machine does meets
    them alike; times are medians over the rounds. ``settings`` replaces the default settings of the codecs it names.
    Records that ``cache`` holds are not measured again.
    """
    chosen = {codec.name: tuple((settings or {}).get(codec.name, codec.settings)) for codec in codecs}
    prints = {codec.name: fingerprint(codec) for codec in codecs}
    found: dict[tuple[str, str, float], Record] = {}
    total = len(photographs) * sum(len(values) for values in chosen.values())
    for photograph in photographs:
        for values in zip_longest(*(chosen[codec.name] for codec in codecs)):
            trials: list[tuple[Trial, Path | None]] = []
            for codec, setting in zip(codecs, values, strict=True):
                if setting is None:  # this codec has fewer settings than others
                    continue
                path = cache.path(prints[codec.name], photograph, setting, rounds) if cache else None
                known = cache.get(path, photograph) if cache and path else None
                if known:
                    found[codec.name, photograph.name, setting] = known
                else:
                    trials.append((Trial(codec, photograph, setting), path))
            for _ in range(rounds):
                for trial, _path in trials:
                    if progress:
                        label = f"{trial.codec.name} {trial.setting:g}, {photograph.name}"
                        progress(len(found), total, label)
                    trial.run()
            for trial, path in trials:
                record = trial.record()
                found[trial.codec.name, photograph.name, trial.setting] = record
                if cache and path:
                    cache.put(path, record)
    if progress:
        progress(total, total, "")
    return {
        codec.name: Curve(
            codec,
            tuple(
                found[codec.name, photograph.name, setting]
                for photograph in photographs
                for setting in chosen[codec.name]
            ),
        )
        for codec in codecs
    }


def provenance() -> dict[str, Any]:
    """When and on what a measurement was made."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "threads": 1,
    }


def processor() -> str:
    """The processor's model as the system calls it, or an empty string."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


def mean(values: Sequence[float | None]) -> float | None:
    """The mean, or None if a value is missing or not finite."""
    present = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(present) / len(present) if len(present) == len(values) else None


def speed(values: Sequence[float]) -> float:
    """The median with as many digits as a timing deserves."""
    return round(statistics.median(values), 3)


def compact_json(value: Any, indent: str = "") -> str:
    """JSON with one line for each list: diffs stay readable."""
    if isinstance(value, dict) and value:
        inner = indent + " "
        items = [f"{inner}{json.dumps(str(key))}: {compact_json(item, inner)}" for key, item in value.items()]
        body = "{\n" + ",\n".join(items) + f"\n{indent}}}"
    else:
        body = json.dumps(value, allow_nan=False)
    return body if indent else body + "\n"
