# SPDX-License-Identifier: BSD-3-Clause
"""The curves of an experiment, over time and over steps; see :mod:`.experiments`."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from ..plots import FAINT, INK, OTHERS, require_matplotlib

COLOURS = ("#d0104c", "#1560bd", "#0f8a5f", "#c47f00", *OTHERS)
CONTROL = (4, 2)  # dashes


def svg(group: Mapping[str, Any], figure_of_merit: str) -> bytes:
    """One of the figures that a group of runs was judged by, beside its controls.

    Args:
        group: as the JSON has it: ``controls`` and ``runs`` with their curves.
        figure_of_merit: such as ``PSNR``.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.hashsalt": f"calotype {figure_of_merit}",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9.2, 4.6), facecolor="white", layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, unit in zip(panels, ("minutes", "steps"), strict=True):
            for index, (name, run) in enumerate(group["runs"].items()):
                points = [(point[unit], point[figure_of_merit]) for point in run["curve"]]
                axes.plot(*zip(*points, strict=True), "o-", color=COLOURS[index % len(COLOURS)], ms=3, label=name)
            for index, (name, figures) in enumerate(group["controls"].items()):
                dashes = (0, (CONTROL[0] + 3 * index, CONTROL[1]))
                axes.axhline(figures[figure_of_merit], color=INK, lw=1, linestyle=dashes, label=name)
            axes.set_xlabel("minutes of processor time" if unit == "minutes" else unit)
            axes.grid(color=FAINT, lw=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        panels[0].set_ylabel(f"{figure_of_merit}, dB" if figure_of_merit.startswith("PSNR") else figure_of_merit)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        memory = BytesIO()
        figure.savefig(memory, format="svg", metadata={"Date": None, "Creator": None})
    return memory.getvalue()
