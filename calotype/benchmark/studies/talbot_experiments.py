# SPDX-License-Identifier: BSD-3-Clause
"""Experiments with ``talbot`` at equal training time, each on one thread, by the time that its processor spends.

    python -m calotype.benchmark.studies.talbot_experiments --data photos/ --judge validation/ --minutes 20
    python -m calotype.benchmark.studies.talbot_experiments --data photos/ --judge others/ --init FILE --only "batch"

Every experiment changes one thing of the recipe that ships; those of width and depth keep its multiplications a pixel
about as they are. Without --init, networks start as the Karhunen-Loève transform of the photographs; with it, those of
the same shape go on from these weights. The learning rate falls over the last half of the time. Judged are the
estimated rates and PSNR on the middles of the validation pictures at four levels, as BD-rates against the recipe that
ships.

Results go to ``benchmarks/results/experiments/talbot.json`` (with --init ``talbot-continued.json``); experiments that
are there are kept, unless --only names them again. A table goes to standard output.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks import talbot as shape
from ...networks.layers import Block
from ...networks.talbot import Pass, Talbot, TalbotConfig
from ...training.crops import CropConfig
from ...training.data import PictureCache, find_pictures
from ...training.loop import Loop, LoopConfig
from ...training.talbot.klt import start_as_klt
from ...training.talbot.measure import LossConfig
from ...training.talbot.task import TalbotTask, initialise, make_network
from ..bdrate import bd_rate
from . import RESULTS, study

LEVELS = ("1", "2.5", "4", "6")
BASE = "the recipe that ships"


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One thing that is different."""

    about: str
    loop: dict[str, Any] = dataclasses.field(default_factory=dict)
    crop: int = 256
    loss: dict[str, Any] = dataclasses.field(default_factory=dict)
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    change: Callable[[Talbot], None] | None = None  # of the network, once it is made

    @property
    def same_shape(self) -> bool:
        """Whether weights of the recipe that ships fit."""
        return not self.network and self.change in (None, without_context, noise_for_all, rounding_for_all)


def with_kernel(side: int) -> Callable[[Talbot], None]:
    """Other depthwise kernels in the transforms."""

    def change(network: Talbot) -> None:
        replace_blocks(network, lambda channels: Block(channels, side))

    return change


def with_relu(network: Talbot) -> None:
    """ReLU in the transforms."""

    class Rectified(Block):
        def forward(self, x: Tensor) -> Tensor:
            h = self.depthwise(x)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
                h = self.project(F.relu(self.expand(h)))
            return cast(Tensor, x + h.float())

    replace_blocks(network, Rectified)


def replace_blocks(network: Talbot, make: Callable[[int], nn.Module]) -> None:
    """Put other blocks into both transforms."""
    for transform in (network.g_a, network.g_s):
        for i, layer in enumerate(transform):
            if isinstance(layer, Block):
                transform[i] = make(layer.project.out_channels)


def without_context(network: Talbot) -> None:
    """A hyper-prior alone: passes see nothing of each other."""
    for layer in network.passes:
        assert isinstance(layer, Pass)
        forward = layer.forward
        layer.forward = lambda f, *known, run=forward: run(f, *(torch.zeros_like(k) for k in known))  # type: ignore


def quantising(network: Talbot, noisy_picture: bool, noisy_rate: bool) -> None:
    """Choose what reconstruction and rate see in training."""

    def quantise(y: Tensor, predicted: shape.Statistics, finer: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        means, log_scales = predicted
        residual = (y - means) * finer
        rounded = residual + (torch.round(residual) - residual).detach()
        noisy = residual + torch.empty_like(residual).uniform_(-0.5, 0.5) if network.training else rounded
        shown, counted = (noisy if n else rounded for n in (noisy_picture, noisy_rate))
        return shown / finer + means, shape.gaussian_bits(counted, log_scales).sum((1, 2, 3))

    network.quantise = quantise  # type: ignore[method-assign]


def noise_for_all(network: Talbot) -> None:
    """Additive noise in place of rounding, everywhere."""
    quantising(network, True, True)


def rounding_for_all(network: Talbot) -> None:
    """Rounding with a straight-through gradient, everywhere."""
    quantising(network, False, False)


EXPERIMENTS: dict[str, Experiment] = {
    BASE: Experiment("AdamW 1e-3, 4 crops of 256, 3 + 3 blocks, 5x5"),
    "Muon, batch 8": Experiment("optimiser", {"optimiser": "muon", "batch": 8}),
    "Muon, batch 8, learning rate 5e-4": Experiment(
        "optimiser", {"optimiser": "muon", "batch": 8, "learning_rate": 5e-4}
    ),
    "learning rate 5e-4": Experiment("learning rate", {"learning_rate": 5e-4}),
    "learning rate 2e-3": Experiment("learning rate", {"learning_rate": 2e-3}),
    "batch 2": Experiment("batch", {"batch": 2}),
    "batch 8": Experiment("batch", {"batch": 8}),
    "batch 8, crops of 128": Experiment("batch and crop", {"batch": 8}, crop=128),
    "batch 2, crops of 384": Experiment("batch and crop", {"batch": 2}, crop=384),
    "wider, 2 + 2 blocks": Experiment("width and depth", network={"blocks": 2, "c1": 160, "c2": 384, "m": 320}),
    "narrower, 5 + 5 blocks": Experiment("width and depth", network={"blocks": 5, "c1": 96, "c2": 256, "m": 256}),
    "kernels 3x3": Experiment("kernel", change=with_kernel(3)),
    "kernels 7x7": Experiment("kernel", change=with_kernel(7)),
    "ReLU": Experiment("activation", change=with_relu),
    "no context between passes": Experiment("context", change=without_context),
    "noise for all": Experiment("quantisation", change=noise_for_all),
    "rounding for all": Experiment("quantisation", change=rounding_for_all),
    "losses not balanced": Experiment("loss weighting", loss={"balance": 0.0}),
}


class ProcessorTimeLoop(Loop):
    """A loop that other work on the machine delays, but does not shorten."""

    def now(self) -> float:
        """The time that the processor spent on this process."""
        return time.process_time()


def run(name: str, data: PictureCache, judges: Sequence[Path], minutes: float, init: Path | None) -> dict[str, Any]:
    """Train and judge one."""
    experiment = EXPERIMENTS[name]
    torch.manual_seed(1)
    network = make_network(TalbotConfig(**experiment.network))
    if experiment.change and not init:
        experiment.change(network)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if init:
        initialise(network, init)
        if experiment.change:
            experiment.change(network)
    else:
        start_as_klt(network, data)
    task = TalbotTask(network, data, CropConfig(experiment.crop), judges, LossConfig(**experiment.loss))
    config = LoopConfig(
        hours=minutes / 60, decay=0.5, warmup_steps=50, ema=0.99, save_minutes=1e9, validate_minutes=1e9
    )
    config = dataclasses.replace(config, **experiment.loop)
    with tempfile.TemporaryDirectory() as folder:
        loop = ProcessorTimeLoop(task, config, Path(folder), resume=False)
        loop.run()
    network.eval()
    with torch.inference_mode():
        plain = task.validate()
        with loop.averaged():
            averaged = task.validate()
    return {"name": name, "about": experiment.about, "minutes": minutes, "steps": loop.step, "init": bool(init),
            "averaged": averaged, "not averaged": plain}  # fmt: skip


def compared(anchor: dict[str, float], other: dict[str, float]) -> float:
    """BD-rate in per cent."""
    columns = [[figures[f"{k}@{level}"] for level in LEVELS] for figures in (anchor, other) for k in ("bpp", "psnr")]
    found = bd_rate(*columns)
    return float("nan") if found is None else found.percent


def markdown(records: Sequence[dict[str, Any]]) -> str:
    """The results as a table."""
    base = next(r for r in records if r["name"] == BASE)["averaged"]
    lines = ["| what is different | of | steps | BD-rate, % |", "|---|---|--:|--:|"]
    for r in records:
        lines.append(f"| {r['name']} | {r['about']} | {r['steps']} | {compared(base, r['averaged']):+.1f} |")
        if r["name"] == BASE:
            lines.append(f"| weights not averaged | EMA | {r['steps']} | {compared(base, r['not averaged']):+.1f} |")
    return "\n".join(lines)


@study
def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="pictures to train on")
    parser.add_argument("--judge", type=Path, required=True, help="pictures to judge on")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where decoded pictures are kept")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training, each")
    parser.add_argument("--init", type=Path, help="float weights (safetensors) to go on from")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--results", type=Path, default=RESULTS / "experiments")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    name = "talbot-continued.json" if options.init else "talbot.json"
    path = options.results / name
    known = {r["name"]: r for r in json.loads(path.read_text(encoding="utf-8"))} if path.exists() else {}
    pictures, judges = PictureCache(options.data, options.cache), find_pictures(options.judge)
    for name in options.only:
        if options.init and not EXPERIMENTS[name].same_shape:
            continue
        print(f"== {name}", file=sys.stderr, flush=True)
        known[name] = run(name, pictures, judges, options.minutes, options.init)
        options.results.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(list(known.values()), indent=1) + "\n", encoding="utf-8")
    if BASE in known:
        print(markdown(list(known.values())))


if __name__ == "__main__":
    sys.exit(main())
