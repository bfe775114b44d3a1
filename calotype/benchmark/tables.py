# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from calotype.benchmark.codec import Codec
from calotype.benchmark.compare import Comparison
from calotype.benchmark.curves import Curve
from calotype.benchmark.memory import Memory
from calotype.benchmark.quality import METRICS
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


def bd_rate_table(comparisons: Sequence[Comparison], codec: str) -> Table:
    """One codec against each of the others, in every metric; of the averaged curves, and the mean of the pictures'."""
    mine = [item for item in comparisons if item.codec == codec]
    metrics = list(dict.fromkeys(item.metric for item in mine))
    by_key = {(item.anchor, item.metric): item for item in mine}
    table = Table(title=f"BD-rate of {codec} in per cent: bytes at equal quality, negative is smaller than the anchor")
    table.add_column("anchor", no_wrap=True)
    for name in metrics:
        table.add_column(f"{METRICS[name].title}\naveraged", justify="right")
        table.add_column("\nper picture", justify="right")
        table.add_column("\noverlap", justify="right")
    for anchor in dict.fromkeys(item.anchor for item in mine):
        table.add_row(anchor, *(cell for name in metrics for cell in cells(by_key[anchor, name])))
    return table


def cells(item: Comparison) -> list[str]:
    """Averaged, per picture, overlap; a mark on values that rest on little."""
    averaged, overlap = "-", "-"
    if item.averaged:
        averaged = f"{item.averaged.percent:+.1f}"
        overlap = f"{item.averaged.overlap:.0%}" + ("!" if item.averaged.overlap < LITTLE_OVERLAP else "")
    return [averaged, "-" if item.per_picture is None else f"{item.per_picture:+.1f}", overlap]


def speed_table(speeds: Sequence[Speed], reference: str, memory: Sequence[Memory] = ()) -> Table:
    """Megapixels a second, how many times as fast as ``reference``, and what memory it took."""
    table = Table(title="Speed, one thread each, in turn, in megapixels a second; memory in MB")
    names = ("codec", "setting", "bits per pixel", "encode", "decode", f"encode / {reference}", f"decode / {reference}")
    for name in (*names, "memory encode", "memory decode") if memory else names:
        table.add_column(name, justify="left" if name == "codec" else "right")
    base = next((speed for speed in speeds if speed.codec == reference), None)
    weighed = {item.codec: item for item in memory}
    for speed in speeds:
        ratios = ["-", "-"]
        if base:
            ratios = [f"{speed.encode_mps / base.encode_mps:.2f}", f"{speed.decode_mps / base.decode_mps:.2f}"]
        row = [speed.codec, f"{speed.setting:g}", f"{speed.bpp:.3f}"]
        row += [f"{speed.encode_mps:.2f}", f"{speed.decode_mps:.2f}", *ratios]
        if memory:
            mine = weighed.get(speed.codec)
            row += [f"{mine.encode_bytes / 1e6:.0f}", f"{mine.decode_bytes / 1e6:.0f}"] if mine else ["-", "-"]
        table.add_row(*row)
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
