# SPDX-License-Identifier: BSD-3-Clause
"""Experiments with ``tao2017``: what the networks learn, beside their untrained control and the standard codec.

    python -m calotype.benchmark.studies.experiments variants --data photos/ --judge others/ --minutes 20
    python -m calotype.benchmark.studies.experiments patches --data pets/ --minutes 10
    python -m calotype.benchmark.studies.experiments losses --data photos/ --judge others/ --minutes 10
    python -m calotype.benchmark.studies.experiments small --data cifar10 --minutes 5       # or stl10, or a folder

``variants`` trains restorers from nothing: RecCNN in several shapes, all with the same amplitude, whitened first layer,
batches and learning rate, on the luma of 40 x 40 crops behind JPEG (:mod:`.experiments_restoring`). The other groups
go on from the weights that are installed, at scale 2 (:mod:`.experiments_half_size`).

Minutes are of this process's processor time, so that other work on the machine does not count; the learning rate warms
up and then stays, and what is judged are averaged weights: so each point of a curve is a fair end, and one run compares
at equal time and at equal steps. Without --judge every fifth picture of --data is kept from training and judged on.
Results, curves and seeds go to ``benchmarks/results/experiments.json``, plots of the curves beside it, a table to
standard output.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...arrays import Samples8
from ...training.data import PictureCache, find_pictures, still_readable
from ...training.sources import open_pictures
from ..curves import compact_json, provenance
from . import RESULTS, study
from . import experiments_half_size as half
from . import experiments_restoring as restoring
from .experiments_plot import svg

OUT = RESULTS / "experiments.json"


def held_out(pictures: PictureCache) -> list[Samples8]:
    """Every fifth picture, which random crops then leave alone."""
    pictures.weights[::5] = 0
    pictures.weights /= pictures.weights.sum()
    return [np.array(pictures[i]) for i in range(0, len(pictures), 5)]


def table(group: Mapping[str, Any]) -> str:
    """The last point of each curve, and the controls, in Markdown."""
    controls, runs = group["controls"], group["runs"]
    shown = list(next(iter(controls.values())))
    lines = ["| | minutes | steps | " + " | ".join(shown) + " |", "|---|--:|--:|" + "--:|" * len(shown)]
    rows = [(name, figures) for name, figures in controls.items()]
    rows += [(name, run["curve"][-1]) for name, run in runs.items()]
    for name, figures in rows:
        cells = [f"{figures[key]:.3f}" for key in shown]
        lines.append(f"| {name} | {figures.get('minutes', '')} | {figures.get('steps', '')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(out: Path, group: str, content: Mapping[str, Any]) -> None:
    """Put the results of a group beside those of the others."""
    known = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(compact_json({**known, group: {**provenance(), **content}}), encoding="utf-8")


def draw(out: Path, group: str, content: Mapping[str, Any]) -> None:
    """Plot the first two figures that a group was judged by."""
    for number, name in enumerate(list(next(iter(content["controls"].values())))[:2], 1):
        place = out.parent / "plots" / f"experiments-{group}-{number}.svg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(svg(content, name))


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    groups = {"variants": restoring.experiments, **half.GROUPS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=groups)
    parser.add_argument("--data", required=True, help="pictures to train on, as of calotype train")
    parser.add_argument("--judge", type=Path, help="folder of pictures to judge on")
    parser.add_argument("--count", type=int, default=24, help="of those that are judged on, at most")
    parser.add_argument("--cache", type=Path, help="where decoded pictures are kept")
    parser.add_argument("--minutes", type=float, default=5.0, help="of processor time, each")
    parser.add_argument("--width", type=int, default=64, help="channels of the paper's networks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    scratch = Path(tempfile.mkdtemp())
    try:
        pictures = open_pictures(options.data, options.cache or scratch / "cache")
        judges = list(still_readable(find_pictures(options.judge))) if options.judge else held_out(pictures)
        judges = judges[:: max(1, len(judges) // options.count)][: options.count]
        controls, runs = groups[options.group](pictures, judges, options)
        content: dict[str, Any] = {
            "seed": options.seed, "minutes": options.minutes, "trained on": len(pictures), "judged on": len(judges),
            "controls": controls, "runs": {},
        }  # fmt: skip
        for name, (about, points) in runs.items():
            print(f"== {name}", file=sys.stderr, flush=True)
            content["runs"][name] = {**about, "curve": list(points)}
            write(options.out, options.group, content)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    draw(options.out, options.group, content)
    print(table(content))


if __name__ == "__main__":
    sys.exit(main())
