# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from calotype.benchmark.codec import Codec
from calotype.benchmark.compare import METRICS, Comparison
from calotype.benchmark.curves import Curve
from calotype.benchmark.speed import Speed

LITTLE_OVERLAP = 0.5  # below this share a delta rate rests on a part of the curves only


def settings_table(codecs: Iterable[Codec]) -> Table:
    """Which encoder, and with which settings."""
    table = Table("codec", "encoder", "settings", title="Codecs")
    for codec in codecs:
        table.add_row(
            codec.name,
            codec.description,
            ", ".join(f"{name} {value}" for name, value in codec.settings_table().items()),
        )
    return table


def bd_rate_table(comparisons: Sequence[Comparison]) -> Table:
    """Each codec against each anchor, in every metric."""
    table = Table(title="BD-rate in per cent: bytes at equal quality, negative is smaller than the anchor")
    table.add_column("codec", no_wrap=True)
    table.add_column("anchor", no_wrap=True)
    for name in METRICS.values():
        table.add_column(f"{name}\naveraged", justify="right")
        table.add_column("\nper picture", justify="right")
        table.add_column("\noverlap", justify="right")
    pairs = list(dict.fromkeys((item.codec, item.anchor) for item in comparisons))
    by_key = {(item.codec, item.anchor, item.metric): item for item in comparisons}
    for index, (codec, anchor) in enumerate(pairs):
        row = [codec, anchor]
        for metric in METRICS:
            row += cells(by_key[codec, anchor, metric])
        table.add_row(*row, end_section=index + 1 < len(pairs) and pairs[index + 1][0] != codec)
    return table


def cells(item: Comparison) -> list[str]:
    """Averaged, per picture, overlap; a mark on values that rest on little."""
    averaged, overlap = "-", "-"
    if item.averaged:
        averaged = f"{item.averaged.percent:+.1f}"
        overlap = f"{item.averaged.overlap:.0%}" + ("!" if item.averaged.overlap < LITTLE_OVERLAP else "")
    return [averaged, "-" if item.per_picture is None else f"{item.per_picture:+.1f}", overlap]


def speed_table(speeds: Sequence[Speed], reference: str) -> Table:
    """Megapixels a second, and how many times as fast as ``reference``."""
    table = Table(title="Speed, one thread each, in turn, megapixels a second")
    for name in (
        "codec",
        "setting",
        "bits per pixel",
        "encode",
        "decode",
        f"encode / {reference}",
        f"decode / {reference}",
    ):
        table.add_column(name, justify="left" if name == "codec" else "right")
    base = next((speed for speed in speeds if speed.codec == reference), None)
    for speed in speeds:
        ratios = ["-", "-"]
        if base:
            ratios = [f"{speed.encode_mps / base.encode_mps:.2f}", f"{speed.decode_mps / base.decode_mps:.2f}"]
        table.add_row(
            speed.codec,
            f"{speed.setting:g}",
            f"{speed.bpp:.3f}",
            f"{speed.encode_mps:.2f}",
            f"{speed.decode_mps:.2f}",
            *ratios,
        )
    return table


def entropy_table(curves: Mapping[str, Curve]) -> Table | None:
    """File sizes against what the probability tables predict, for codecs that tell; None if none does."""
    table = Table("codec", "setting", "file / predicted", title="File size against predicted entropy, all pictures")
    for name, curve in curves.items():
        for setting in curve.settings:
            records = [record for record in curve.records if record.setting == setting]
            predicted = [record.predicted_bytes for record in records if record.predicted_bytes is not None]
            if predicted and len(predicted) == len(records):
                excess = sum(record.bytes for record in records) / sum(predicted) - 1
                table.add_row(name, f"{setting:g}", f"{excess:+.2%}")
    return table if table.row_count else None
