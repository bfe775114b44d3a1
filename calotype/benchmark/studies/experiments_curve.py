# SPDX-License-Identifier: BSD-3-Clause
"""How an experiment is trained: in processor time, judged on the way; see :mod:`.experiments`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from ...training.loop import Loop, LoopConfig, Task

POINTS = (0.125, 0.25, 0.5, 0.75, 1.0)  # of the time, where a curve is judged
Figures = dict[str, float]


class Stretch(Loop):
    """A loop of processor time, which can be gone on with."""

    def now(self) -> float:
        """Processor seconds."""
        return time.process_time()


def curve(
    task: Task, judge: Callable[[], Figures], minutes: float, batch: int, rate: float, seed: int
) -> Iterator[Figures]:
    """Train, and judge the averaged weights at each of the :data:`POINTS`; first of all the network as it starts."""
    config = LoopConfig(
        hours=minutes / 60, batch=batch, learning_rate=rate, warmup_steps=50, decay=0.0, ema=0.99, seed=seed,
        save_minutes=1e9, validate_minutes=1e9,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        loop = Stretch(task, config, Path(folder), resume=False)
        loop.task = _Silent(task)
        for point in (0.0, *POINTS):
            loop.total = point * minutes * 60
            if point:
                loop.run()
            with loop.averaged(), torch.inference_mode():
                task.network.eval()
                yield {"minutes": round(loop.seconds / 60, 2), "steps": loop.step, **judge()}
                task.network.train()


class _Silent:
    """A task whose own validation is left out."""

    def __init__(self, task: Task) -> None:
        self.network, self.batch, self.loss = task.network, task.batch, task.loss

    def validate(self) -> Figures:
        """Nothing."""
        return {}
