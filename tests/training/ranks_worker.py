# SPDX-License-Identifier: BSD-3-Clause
"""What each process of test_ranks.py does: a small run whose batches are the same however many ranks share them.

python ranks_worker.py FOLDER STEPS WHOLE_BATCH [RANK:STEP of a signal]
"""

from __future__ import annotations

import gc
import itertools
import signal
import sys
import weakref
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from calotype.cli.signals import die_cleanly
from calotype.training import loop as loop_module
from calotype.training.loop import Loop, LoopConfig
from calotype.training.ranks import Ranks, together


class Halves:
    """A network of three parts: one for all steps, one for some steps and some ranks, one that nobody uses.

    The whole batch of a step is always the same, and each rank takes its share of it. Random numbers are drawn as
    well, and kept, to see how the streams of a rank go on.
    """

    loop: Loop

    def __init__(self, ranks: Ranks, whole: int, signalled: tuple[int, int] | None) -> None:
        torch.manual_seed(ranks.rank)  # other weights in each process: those of the first one should hold
        self.network = nn.ModuleDict({name: nn.Conv2d(3, 3, 3) for name in ("all", "some", "none")})
        self.ranks, self.whole, self.signalled = ranks, whole, signalled
        self.drawn: list[float] = []

    def batch(self, rng: np.random.Generator, size: int) -> tuple[int, Tensor]:
        self.drawn += [float(rng.random()), float(torch.rand(()))]
        step = self.loop.step
        x = np.random.default_rng([99, step]).normal(size=(self.whole, 3, 8, 8)).astype(np.float32)
        return step, torch.from_numpy(np.array_split(x, self.ranks.count)[self.ranks.rank])

    def loss(self, batch: tuple[int, Tensor]) -> tuple[Tensor, dict[str, float]]:
        step, x = batch
        if self.signalled == (self.ranks.rank, step):
            signal.raise_signal(signal.SIGTERM)
        loss = (self.network["all"](x) + x[:, :, 1:-1, 1:-1]).square().mean()
        if step % 3 == 0:
            loss = loss + self.network["some"](x).square().mean()
        elif step % 3 == 1 and self.ranks.first:  # the first half only
            half, share = (x[: self.whole // 2], 0.5) if self.ranks.count == 1 else (x, 1.0)
            loss = loss + share * self.network["some"](half).square().mean()
        return loss, {}

    def validate(self) -> dict[str, float]:
        return {"sum": float(self.network["all"].weight.sum())}


def main(folder: Path, steps: int, whole: int, signalled: tuple[int, int] | None) -> None:
    torch.set_num_threads(1)
    die_cleanly()
    group = None
    with together("cpu") as ranks:
        if ranks.count > 1:
            group = weakref.ref(torch.distributed.group.WORLD)
        ticks = itertools.count(step=1 + ranks.rank)  # a step is a second to the first rank, and two to the next
        loop_module.time.perf_counter = lambda: float(next(ticks))
        minutes = {"save_minutes": 4 / 60, "validate_minutes": 8 / 60}
        config = LoopConfig(hours=steps / 3600, warmup_steps=2, bfloat16=False, weight_decay=0.01, **minutes)
        task = Halves(ranks, whole, signalled)
        task.loop = loop = Loop(task, config, folder, ranks=ranks)
        try:
            loop.run()
        finally:
            found = {"weights": dict(loop.parameters), "drawn": task.drawn, "step": loop.step}
            torch.save(found, folder / f"rank{ranks.rank}.pt")
    gc.collect()
    assert group is None or group() is None, "the threads of a group that is kept may abort this process at its end"


if __name__ == "__main__":
    given = [int(v) for v in sys.argv[4].split(":")] if len(sys.argv) > 4 else None
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), (given[0], given[1]) if given else None)
