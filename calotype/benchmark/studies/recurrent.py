# SPDX-License-Identifier: BSD-3-Clause
"""Units and frameworks of ``toderici2017`` at equal training time, by the time that the processor spends on a thread.

    python -m calotype.benchmark.studies.recurrent --data photos/ --judge validation/ --minutes 30 --seeds 3

Each unit (``lstm``, ``alstm``, ``gru``, ``deep``) in each framework (``one-shot``, ``additive``, ``scaling``) trains
for --minutes from the recipe ``toderici2017``, once for each seed, and is judged on the middles of the validation
pictures with all cells going on: PSNR and MS-SSIM in decibels after 1, 2, 4, 8 and 16 iterations, before and after
training. --only "gru one-shot" "deep one-shot" takes some of them.

States are kept in --runs, so that an interrupted study goes on where it stopped, and longer --minutes go on from
shorter ones. Results go to ``benchmarks/results/experiments/recurrent.json``, a table to standard output. The codec
runs one-shot networks of ``gru``, ``deep`` and ``lstm``: ``calotype export`` makes a bundle of such a run; the others
are for this table.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...atomic import write_atomically
from ...networks.toderici2017 import FRAMEWORKS, UNITS, TodericiConfig
from ...training.data import PictureCache, find_pictures
from ...training.loop import LoopConfig
from ...training.recipe import KEPT, configure, load_recipe
from ...training.toderici2017.task import JUDGED, TaskConfig, Toderici2017Task, make_network, start_greedily
from . import RESULTS, study
from .talbot_experiments import ProcessorTimeLoop

RECIPE = "toderici2017"
ALL = [f"{unit} {framework}" for framework in FRAMEWORKS for unit in UNITS]
Record = dict[str, Any]


def run(name: str, seed: int, data: PictureCache, judges: Sequence[Path], minutes: float, runs: Path) -> Record:
    """Train and judge one, from where it is."""
    tables = load_recipe(RECIPE)
    unit, framework = name.split()
    config = configure(TodericiConfig, {**tables["network"], "unit": unit, "framework": framework})
    torch.manual_seed(seed)
    network = make_network(config)
    start_greedily(network, data, seed=seed)
    task = Toderici2017Task(network, data, configure(TaskConfig, tables["task"]), judges)
    folder = runs / f"{unit}-{framework}-{seed}"
    network.eval()
    with torch.inference_mode():
        untrained = task.validate()
    schedule = configure(LoopConfig, tables["loop"], hours=minutes / 60, seed=seed)
    loop = ProcessorTimeLoop(task, replace(schedule, validate_minutes=1e9), folder)
    chosen = f'kind = "toderici2017"\n[network]\nunit = "{unit}"\nframework = "{framework}"\n'
    write_atomically(folder / KEPT, chosen.encode())
    loop.run()
    with loop.averaged(), torch.inference_mode():
        network.eval()
        trained = task.validate()
    parameters = sum(p.numel() for p in network.parameters())
    return {"name": name, "seed": seed, "minutes": loop.seconds / 60, "steps": loop.step, "parameters": parameters,
            "untrained": untrained, "trained": trained}  # fmt: skip


def markdown(records: Sequence[Record]) -> str:
    """The results as a table: the mean over the seeds and, of several, the distance from it that they have at most."""
    lines = [f"| unit, framework | minutes x seeds | steps | {' | '.join(map(str, JUDGED))} |"]
    lines.append("|---|--:|--:|" + "--:|" * len(JUDGED))
    for name in dict.fromkeys(r["name"] for r in records):
        mine = [r for r in records if r["name"] == name]
        for stage in ("untrained", "trained"):
            cells = [
                " / ".join(spread([r[stage][f"{m}@{t}"] for r in mine]) for m in ("psnr", "ms-ssim")) for t in JUDGED
            ]
            trained = stage == "trained"
            minutes = f"{np.mean([r['minutes'] for r in mine]):.3g} x {len(mine)}" if trained else "0"
            steps = f"{np.mean([r['steps'] for r in mine]):.0f}" if trained else "0"
            lines.append(f"| {', '.join(name.split())} | {minutes} | {steps} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Mean, and largest distance from it."""
    mean = float(np.mean(values))
    return f"{mean:.2f}" + (f" ± {max(abs(v - mean) for v in values):.2f}" if len(values) > 1 else "")


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="pictures to train on")
    parser.add_argument("--judge", type=Path, required=True, help="pictures to judge on")
    parser.add_argument("--minutes", type=float, default=30.0, help="of training, each")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each")
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL, metavar="NAME")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where states and decoded pictures are kept")
    parser.add_argument("--results", type=Path, default=RESULTS / "experiments")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    path = options.results / "recurrent.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    pictures, judges = PictureCache(options.data, options.runs / "cache"), find_pictures(options.judge)
    for seed in range(1, options.seeds + 1):  # all of them once before any twice
        for name in options.only:
            print(f"== {name}, seed {seed}", file=sys.stderr, flush=True)
            made = run(name, seed, pictures, judges, options.minutes, options.runs)
            known = [r for r in known if (r["name"], r["seed"]) != (name, seed)] + [made]
            options.results.mkdir(parents=True, exist_ok=True)
            write_atomically(path, (json.dumps(known, indent=1) + "\n").encode())
    print(markdown(known))


if __name__ == "__main__":
    sys.exit(main())
