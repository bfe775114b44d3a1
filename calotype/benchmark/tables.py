# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from ..metrics.catalogue import NAMED
from .compare import Comparison
from .contender import Contender
from .curves import Curve
from .memory import Memory
from .speed import Speed

LITTLE_OVERLAP = 0.5  # below this share a delta rate rests on a part of the curves only


def plain(title: str, *columns: str, left: int = 1) -> Table:
    """A table with few lines, so that it fits into 80 columns; all but the first ``left`` columns hold numbers."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=index == 0)
    return table


def settings_table(codecs: Iterable[Contender]) -> Table:
    """Encoders and their settings."""
    table = plain("Codecs", "codec", "encoder", "settings", left=3)
    for codec in codecs:
        table.add_row(
            codec.name,
            codec.description,
            ", ".join(f"{name} {value}" for name, value in codec.settings_table().items()),
        )
    return table


def bd_rate_table(comparisons: Sequence[Comparison], codec: str) -> Table:
    """One codec against each of the others, in every metric: of the averaged curves, and the mean of the pictures'."""
    mine = [item for item in comparisons if item.codec == codec]
    metrics = list(dict.fromkeys(item.metric for item in mine))
    by_key = {(item.anchor, item.metric): item for item in mine}
    title = (
        f"BD-rate of {codec} in per cent: bytes at equal quality, negative is smaller. "
        "Of the averaged curves, and (mean of the single pictures, worst one); ! for an overlap below half"
    )
    table = plain(title, "against", *(NAMED[name].title for name in metrics))
    for anchor in dict.fromkeys(item.anchor for item in mine):
        table.add_row(anchor, *(cell(by_key[anchor, name]) for name in metrics))
    return table


def cell(item: Comparison) -> str:
    """Averaged, and per picture in a second line; a mark on values that rest on little."""
    if not item.averaged:
        return "-"
    mark = "!" if item.averaged.overlap < LITTLE_OVERLAP else ""
    single = "" if item.per_picture is None else f"\n({item.per_picture:+.1f}, {item.worst:+.0f})"
    return f"{item.averaged.percent:+.1f}{mark}{single}"


def speed_table(speeds: Sequence[Speed], reference: str, memory: Sequence[Memory] = ()) -> Table:
    """Megapixels a second, how many times as fast as ``reference``, and what memory it took."""
    weighed = {item.codec: item for item in memory}
    base = next((speed for speed in speeds if speed.codec == reference), None)
    table = plain(
        f"Speed in megapixels a second, one thread each, in turn (times {reference}'s); memory to encode and decode",
        *("codec", "setting", "bpp", "encode", "", "decode", ""),
        *(("memory",) if memory else ()),
    )
    for speed in speeds:
        row = [speed.codec, f"{speed.setting:g}", f"{speed.bpp:.3f}"]
        for value, other in (
            (speed.encode_mps, base.encode_mps if base else None),
            (speed.decode_mps, base.decode_mps if base else None),
        ):
            row += [f"{value:.2f}", f"({value / other:.2f})" if other else ""]
        if memory:
            mine = weighed.get(speed.codec)
            row.append(f"{mine.encode_bytes / 1e6:.0f} {mine.decode_bytes / 1e6:>3.0f} MB" if mine else "-")
        table.add_row(*row)
    return table


def entropy_table(curves: Mapping[str, Curve]) -> Table | None:
    """File sizes against what the probability tables predict, for codecs that tell; None if none does."""
    table = plain("File size against predicted entropy, all pictures", "codec", "setting", "file / predicted")
    for name, curve in curves.items():
        for setting in curve.settings:
            records = [record for record in curve.records if record.setting == setting]
            predicted = [record.predicted_bytes for record in records if record.predicted_bytes is not None]
            if predicted and len(predicted) == len(records):
                excess = sum(record.bytes for record in records) / sum(predicted) - 1
                table.add_row(name, f"{setting:g}", f"{excess:+.2%}")
    return table if table.row_count else None


def cores_table(found: Mapping[str, Any]) -> Table:
    """Speeds of :mod:`calotype.benchmark.cores`."""
    made, first, peer = found["provenance"], found["region"], found["peer"]
    title = (
        f"Speed of talbot in megapixels a second ({made['processor']}, {made['instructions']}). First pixels of "
        f"{first['side']} x {first['side']}: {first['seconds']:.2f} s. Encodes {peer['times_as_fast']:.2f} times as "
        f"fast as {peer['description']} on one thread"
    )
    table = plain(title, "", "megapixels", "bpp", "threads", "encode", "decode")
    for row in found["speeds"]:
        numbers = (f"{row['megapixels']:.1f}", f"{row['bpp']:.2f}", str(row["threads"]))
        table.add_row(row["what"], *numbers, f"{row['encode_mps']:.2f}", f"{row['decode_mps']:.2f}")
    return table
