# SPDX-License-Identifier: BSD-3-Clause
"""The files of a benchmark::

CODEC.json       one a codec: averages, provenance, every measurement (see curves.py)
records.csv      every measurement, a line each
summary.json     delta rates, speeds, memory, and what was published
per-picture.csv  delta rates of Calotype's codecs for each picture
plots/METRIC.*   rate and quality, as PNG and SVG
report.html      all of it on one page, with pictures to compare
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..atomic import write_atomically
from ..container import EXTENSION
from .compare import Comparison
from .curves import compact_json, provenance
from .plots import plot
from .report import report
from .run import Results


def write(outcome: Results, folder: Path) -> list[Path]:
    """Write all files; those that are there are replaced. Raises CalotypeError where one cannot be written."""
    plan = outcome.plan
    written = []

    def put(name: str, content: str | bytes) -> None:
        path = folder / name
        write_atomically(path, content if isinstance(content, bytes) else content.encode("utf-8"), parents=True)
        written.append(path)

    for name, curve in outcome.curves.items():
        put(f"{name}.json", compact_json(curve.to_json(plan.data_set)))
    put("records.csv", records_csv(outcome))
    put("summary.json", compact_json(summary(outcome)))
    put("per-picture.csv", per_picture_csv(outcome))
    drawings = {}
    for metric in plan.metrics:
        drawn = plot(metric, list(outcome.curves.values()), plan.published, plan.data_set)
        if drawn:
            put(f"plots/{metric.name}.png", drawn[0])
            put(f"plots/{metric.name}.svg", drawn[1])
            drawings[metric.name] = drawn[1].decode("utf-8")
    put("report.html", report(outcome, drawings))
    return written


def records_csv(outcome: Results) -> str:
    """Every measurement, a line each."""
    columns = [metric.key for metric in outcome.plan.metrics]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        ["codec", "picture", "width", "height", "setting", "bytes", "bpp", *columns, "encode_s", "decode_s"]
    )
    for name, curve in outcome.curves.items():
        for record in curve.records:
            values = [record.quality[column] for column in columns]
            size = [record.picture, record.width, record.height, f"{record.setting:g}", record.bytes, record.bpp]
            writer.writerow([name, *size, *values, record.encode_s, record.decode_s])
    return table.getvalue()


def per_picture_csv(outcome: Results) -> str:
    """Delta rates of Calotype's own codecs against all others, a line for each metric, pair and picture."""
    ours = {name for name, curve in outcome.curves.items() if curve.codec.extension == EXTENSION}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["metric", "codec", "anchor", "picture", "bd-rate"])
    for item in outcome.comparisons:
        if item.codec in ours:
            writer.writerows(
                [item.metric, item.codec, item.anchor, name, round(rate, 3)] for name, rate in item.single.items()
            )
    return table.getvalue()


def summary(outcome: Results) -> dict[str, Any]:
    """Everything that is derived from the curves, and speed and memory."""
    plan = outcome.plan
    names = [*outcome.curves, *(curve.name for curve in plan.published)]
    return {
        "description": f"{plan.data_set}, {len(plan.photographs)} pictures, real files",
        "provenance": provenance(),
        "bd-rate": {metric.name: matrix(outcome.comparisons, metric.name, names) for metric in plan.metrics},
        "speed": {item.codec: asdict(item) for item in outcome.speeds},
        "memory": {item.codec: asdict(item) for item in outcome.memory},
        "published": {curve.name: {"title": curve.title, "source": curve.source} for curve in plan.published},
    }


def matrix(comparisons: Sequence[Comparison], metric: str, names: Sequence[str]) -> dict[str, Any]:
    """Delta rates in one metric: for each codec a list with one value for each anchor, null where there is none.

    ``averaged`` in per cent, of the averaged curves; ``overlap`` is the share of their qualities that both reach;
    ``per-picture`` in per cent, the mean over the pictures; ``worst`` that of the picture that fares worst.
    """
    found = {(item.codec, item.anchor): item for item in comparisons if item.metric == metric}
    averaged: dict[str, list[float | None]] = {}
    overlap: dict[str, list[float | None]] = {}
    single: dict[str, list[float | None]] = {}
    worst: dict[str, list[float | None]] = {}
    for codec in names:
        row = [found.get((codec, anchor)) for anchor in names]
        rates = [item.averaged if item else None for item in row]
        averaged[codec] = [round(rate.percent, 3) if rate else None for rate in rates]
        overlap[codec] = [round(rate.overlap, 3) if rate else None for rate in rates]
        single[codec] = [rounded(item.per_picture if item else None) for item in row]
        worst[codec] = [rounded(item.worst if item else None) for item in row]
    return {"anchors": list(names), "averaged": averaged, "overlap": overlap, "per-picture": single, "worst": worst}


def rounded(percent: float | None) -> float | None:
    """With as many digits as a file needs."""
    return None if percent is None else round(percent, 3)
