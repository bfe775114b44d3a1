# SPDX-License-Identifier: BSD-3-Clause
"""Rate-distortion plots: one a metric, as PNG and SVG.

Measured curves are solid, with their names at their right ends; published ones are dashed, in a legend of their own,
below the plot if they are many.
The axis of rates is linear and ends at 1.5 bits per pixel, where photographs on the web end, unless all curves begin
beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from math import isfinite
from typing import Any

from ..errors import DependencyError
from ..metrics.metric import Metric
from .compare import Points, scaled
from .curves import Curve
from .published import Published

OURS = "talbot"
COLOURS = {
    "talbot": "#d0104c",
    "talbot-eye": "#ff7a1a",
    "jpeg": "#6f6f6f",
    "webp": "#c47f00",
    "jpeg2000": "#8a55c4",
    "avif": "#1560bd",
    "avif-psnr": "#3fa0e0",
    "avif-420": "#0a3d7a",
    "jxl": "#0f8a5f",
}
OTHERS = ("#7a5c3e", "#b0508f", "#3d8f96", "#8f8f1f")
PUBLISHED = ("#222222", "#a05a2c", "#5f7f2f", "#7b5ea7", "#2f7f8f", "#b04a6a", "#8a8a8a", "#c0902f")
DASHES = ((5, 2), (2, 1.5), (7, 2, 1.5, 2))
INK, FAINT = "#1a1a1a", "#dcdcdc"
END = 1.5  # bits per pixel
WIDTH, HEIGHT = 8.6, 5.2  # inches
CROWD = 8  # published curves; more do not fit into the plot
LEGEND_ROW = 0.2  # inches
LABEL_GAP = 0.042  # of the plot's height between two names


def require_matplotlib() -> None:
    """Raise DependencyError if it is missing: better before the measurements than after."""
    try:
        import matplotlib
    except ImportError as error:
        raise DependencyError("the plots need matplotlib: pip install 'calotype[bench]'") from error
    del matplotlib


def plot(
    metric: Metric, curves: Sequence[Curve], published: Sequence[Published], data_set: str
) -> tuple[bytes, bytes] | None:
    """One plot as (PNG, SVG); None if no curve has two points to draw."""
    measured = {curve.name: points_of(curve, metric) for curve in curves}
    printed = {curve.name: points_of(curve, metric) for curve in published}
    looks = {name: dashes(index) for index, name in enumerate(printed)}  # the same in the plots of all metrics
    measured = {name: points for name, points in measured.items() if len(points) > 1}
    printed = {name: points for name, points in printed.items() if len(points) > 1}
    if not measured:
        return None
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": f"calotype {metric.name}",  # the same file each time; no id twice in a report
        "font.family": "sans-serif",
        "font.sans-serif": ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
        "font.size": 10.5,
    }
    with matplotlib.rc_context(style):
        below = 0.3 + LEGEND_ROW * math.ceil(len(printed) / 4) if len(printed) > CROWD else 0.0
        height = HEIGHT + below
        figure = Figure(figsize=(WIDTH, height), facecolor="white")
        axes = figure.add_axes((0.075, (0.115 * HEIGHT + below) / height, 0.755, 0.80 * HEIGHT / height))
        end = max(points[-1][0] for points in measured.values())
        if min(points[0][0] for points in measured.values()) <= END:
            end = min(END, end)
        bottom, top = limits([*measured.values(), *printed.values()], end)
        draw_frame(axes, metric, data_set, end, bottom, top)
        for name, points in printed.items():
            axes.plot(*zip(*points, strict=True), **looks[name], linewidth=1.1, zorder=2, label=name)
        ends = []
        spare = iter(OTHERS * len(measured))
        for name, points in measured.items():
            colour = COLOURS.get(name) or next(spare)
            ours = name == OURS
            axes.plot(
                *zip(*points, strict=True),
                color=colour,
                linewidth=2.4 if ours else 1.5,
                marker="o",
                markersize=4.6 if ours else 3.2,
                zorder=4 if ours else 3,
            )
            last = min(end, points[-1][0])
            ends.append((at(points, last), last, name, colour))
        label_ends(axes, ends, end, bottom, top)
        if printed:
            look: dict[str, Any] = {
                "title": "published",
                "fontsize": 8.5,
                "title_fontsize": 9,
                "edgecolor": FAINT,
                "handlelength": 2.6,
            }
            if below:
                figure.legend(**look, loc="lower left", bbox_to_anchor=(0.065, 0.005), ncols=4, frameon=False)
            else:
                axes.legend(**look, loc="lower right", framealpha=0.94)
        png, svg = BytesIO(), BytesIO()
        figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return png.getvalue(), svg.getvalue()


def dashes(index: int) -> dict[str, Any]:
    """Line style of the published curve of this number."""
    colour, pattern = PUBLISHED[index % len(PUBLISHED)], DASHES[index // len(PUBLISHED) % len(DASHES)]
    return {"color": colour, "dashes": pattern}


def points_of(curve: Points, metric: Metric) -> list[tuple[float, float]]:
    """(bits per pixel, quality on its scale), sorted by rate."""
    columns = curve.averages()
    pairs = zip(columns["bpp"], scaled(columns, metric), strict=True)
    return sorted((rate, value) for rate, value in pairs if rate is not None and value is not None and isfinite(value))


def limits(curves: Sequence[Sequence[tuple[float, float]]], end: float) -> tuple[float, float]:
    """Qualities to show: all that lie left of the end."""
    values = [value for points in curves for rate, value in points if rate <= end]
    values += [at(points, end) for points in curves if points[0][0] < end < points[-1][0]]
    low, high = min(values), max(values)
    room = 0.03 * (high - low or 1)
    return low - room, high + room


def at(points: Sequence[tuple[float, float]], rate: float) -> float:
    """The quality at a rate, on the line between two points."""
    for (left, low), (right, high) in pairwise(points):
        if left <= rate <= right and left < right:
            return low + (high - low) * (rate - left) / (right - left)
    return points[-1][1] if rate > points[-1][0] else points[0][1]


def draw_frame(axes: Any, metric: Metric, data_set: str, end: float, bottom: float, top: float) -> None:
    """Title, axes and grid."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0, end)
    axes.set_ylim(bottom, top)
    axes.set_xlabel("bits per pixel (bytes of the file x 8 / pixels)", color=INK)
    axes.set_title(f"{metric.axis} on {data_set}", loc="left", fontsize=12.5, color=INK, pad=10, parse_math=False)
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9a9a9a")
    axes.yaxis.set_major_locator(MaxNLocator(9, integer=True))
    axes.tick_params(colors="#555555", length=3)


def label_ends(axes: Any, ends: list[tuple[float, float, str, str]], end: float, bottom: float, top: float) -> None:
    """Names beside the right ends of the curves, moved apart where they would meet."""
    gap = LABEL_GAP * (top - bottom)
    ends.sort()
    places = [value for value, *_ in ends]
    for _ in range(200):  # push neighbours apart, a little at a time, so that a crowd spreads to both sides
        for index in range(len(places) - 1):
            lack = gap - (places[index + 1] - places[index])
            if lack > 0:
                places[index] -= lack / 2
                places[index + 1] += lack / 2
    for place, (value, last, name, colour) in zip(places, ends, strict=True):
        ours = name == OURS
        axes.plot((last, end * 1.03), (value, place), color=colour, linewidth=0.7, clip_on=False)
        axes.text(
            end * 1.036,
            place,
            name,
            color=colour,
            fontsize=11 if ours else 10,
            fontweight="bold" if ours else "normal",
            va="center",
        )
