# SPDX-License-Identifier: BSD-3-Clause
"""Train networks of all kinds, one after the other, in the time that there is; then export them all.

    python -m calotype.training.series train --data photos/ --hours 0.5
    python -m calotype.training.series export --data photos/ -o weights/

The hours are shared out in proportion to those that the recipes ask for. Each run has its folder in --runs, as with
``calotype train``; the first command, given again, goes on where it stopped. Recipes that begin from the weights of
another one are not among them: they come after, with ``--init``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ..errors import CalotypeError
from .loop import LoopConfig, tell
from .ranks import together
from .recipe import configure, load_recipe
from .run import STATE, Run, Trained
from .sources import MEGAPIXELS

RECIPES = (
    "talbot", "toderici2017", "rippel2017", "tao2017", "srresnet-x2", "srresnet-x4", "mixture-x2", "mixture-x4",
)  # fmt: skip


def shares(recipes: Sequence[str], hours: float) -> dict[str, float]:
    """Hours of each recipe, in proportion to its own."""
    asked = {name: configure(LoopConfig, load_recipe(name).get("loop", {})).hours for name in recipes}
    return {name: hours * own / sum(asked.values()) for name, own in asked.items()}


def train(recipes: Sequence[str], data: str, hours: float, runs: Path, device: str, megapixels: float) -> bool:
    """Train one after the other; False where a signal ended it."""
    shared = shares(recipes, hours)
    plans = [Run(name, data, runs / Path(name).stem, megapixels, hours=share) for name, share in shared.items()]
    for plan in plans:
        plan.check()
    with together(device) as ranks:
        for plan in plans:
            tell(f"== {plan.recipe}, {60 * (plan.hours or 0):.3g} minutes, on {ranks.device}")
            if not plan.train(ranks):
                return False
    return True


def export(recipes: Sequence[str], data: str, runs: Path, weights: Path, megapixels: float) -> None:
    """A bundle of each run."""
    for name in (Path(recipe).stem for recipe in recipes):
        run = Trained.open(runs / name, STATE, None, data, megapixels)
        begin = time.perf_counter()
        digest = run.kind.export(run.state, run.tables, run.pictures, weights / name, None)
        tell(f"{weights / name}: {digest[:8]}, after {time.perf_counter() - begin:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 with a sentence on error, or where a signal ended it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("train", "export"))
    parser.add_argument("--data", required=True, help="photographs: as of calotype train")
    parser.add_argument("--recipes", nargs="+", default=RECIPES, metavar="NAME", help=f"default: {', '.join(RECIPES)}")
    parser.add_argument("--hours", type=float, default=0.5, help="of training, all together")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where states and decoded pictures are kept")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, help="of PyTorch on the CPU; default: all cores")
    parser.add_argument("--megapixels", type=float, default=MEGAPIXELS, help="decode at most so many of data sets")
    parser.add_argument("-o", "--output", type=Path, default=Path("weights"), help="folder of the bundles")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        if options.command == "export":
            export(options.recipes, options.data, options.runs, options.output, options.megapixels)
            return 0
        plan = options.recipes, options.data, options.hours, options.runs, options.device, options.megapixels
        return 0 if train(*plan) else 1
    except CalotypeError as error:
        print(f"series: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
