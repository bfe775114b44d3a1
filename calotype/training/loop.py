# SPDX-License-Identifier: BSD-3-Clause
"""The training loop: one for every network.

A network brings a *task* (see :class:`Task`): its parameters, the loss of a batch and a validation. The loop brings
the optimiser, the schedule, averaged weights, logging, and states from which a run resumes where it stopped.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..networks.layers import train_in_bfloat16


@dataclass(frozen=True)
class LoopConfig:
    """How long and how to train."""

    hours: float = 1.0  # time of training; a resumed run counts what it has already spent
    batch: int = 4  # crops a step
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    decay: float = 0.25  # last part of the time, in which the learning rate falls to a hundredth (cosine)
    weight_decay: float = 0.0
    clip_norm: float = 1.0  # a robust bound: high qualities have rare, large gradients
    ema: float = 0.999  # averaged weights are what is validated and exported
    bfloat16: bool = True  # pointwise branches in bfloat16 where the CPU has it: 1.7 times faster, sums stay float32
    seed: int = 1
    save_minutes: float = 4.0
    validate_minutes: float = 10.0


class Task(Protocol):
    """What a network brings to the loop."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""
        ...

    def batch(self, rng: np.random.Generator, size: int) -> Any:
        """Random training material."""

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """What to minimise, and what to log."""
        ...

    def validate(self) -> dict[str, float]:
        """Figures of merit of the network as it is."""
        ...


def learning_rate(config: LoopConfig, step: int, progress: float) -> float:
    """Warm up, hold, then fall: a state from the hold can be trained on for longer, a fallen one is exported."""
    warm = min(1.0, (step + 1) / config.warmup_steps)
    fall = max(0.0, (progress - (1 - config.decay)) / config.decay) if config.decay else 0.0
    return config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(fall, 1.0))))


class Loop:
    """Train ``task`` in ``folder``, where the state, the log and the averaged weights are kept."""

    def __init__(self, task: Task, config: LoopConfig, folder: Path, resume: bool = True) -> None:
        self.task, self.config, self.folder = task, config, folder
        if config.bfloat16:
            train_in_bfloat16(task.network)
        folder.mkdir(parents=True, exist_ok=True)
        self.parameters = dict(task.network.named_parameters())
        decayed = [p for p in self.parameters.values() if p.ndim > 1]
        plain = [p for p in self.parameters.values() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            fused=True,
        )
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.rng = np.random.default_rng(config.seed)
        torch.manual_seed(config.seed)
        self.step, self.seconds = 0, 0.0
        if resume and (folder / "state.pt").exists():
            self.load()

    def load(self, path: Path | None = None) -> None:
        """Resume exactly: weights, averages, optimiser, schedule and random state."""
        state = torch.load(path or self.folder / "state.pt", weights_only=True)
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(state["weights"][name])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.rng.bit_generator.state = json.loads(state["numpy_random"])
        torch.set_rng_state(state["torch_random"])

    def save(self, name: str = "state.pt") -> None:
        """Write the state under a temporary name, then rename: an interruption leaves the last one whole."""
        state = {
            "weights": {name: p.detach() for name, p in self.parameters.items()},
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "numpy_random": json.dumps(self.rng.bit_generator.state),
            "torch_random": torch.get_rng_state(),
        }
        temporary = self.folder / f"{name}.{os.getpid()}.tmp"
        torch.save(state, temporary)
        temporary.replace(self.folder / name)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in place of the current ones."""
        kept = {name: p.detach().clone() for name, p in self.parameters.items()}
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(self.average[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, p in self.parameters.items():
                    p.copy_(kept[name])

    def log(self, **values: Any) -> None:
        """A line in ``log.jsonl`` and on the terminal."""
        line = {"step": self.step, "minutes": round(self.seconds / 60, 2), **values}
        with open(self.folder / "log.jsonl", "a") as out:
            out.write(json.dumps(line) + "\n")
        print(" ".join(f"{k}={v:.5g}" if isinstance(v, float) else f"{k}={v}" for k, v in line.items()), flush=True)

    def validate(self) -> None:
        """Log the validation of the averaged weights."""
        with self.averaged():
            self.task.network.eval()
            with torch.inference_mode():
                self.log(**self.task.validate())
            self.task.network.train()

    def run(self) -> None:
        """Train until the time is spent; interrupted by the keyboard, save first."""
        try:
            self._run()
        except KeyboardInterrupt:
            self.save()
            raise

    def _run(self) -> None:
        config, network = self.config, self.task.network
        network.train()
        total = config.hours * 3600
        saved = validated = logged = self.seconds
        sums: dict[str, list[float]] = {}
        while self.seconds < total:
            start = time.perf_counter()
            if not (self.folder / "hold.pt").exists() and self.seconds >= (1 - config.decay) * total:
                self.save("hold.pt")  # from here the learning rate falls; a longer run goes on from this state
            rate = learning_rate(config, self.step, self.seconds / total)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            loss, details = self.task.loss(self.task.batch(self.rng, config.batch))
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(list(self.parameters.values()), config.clip_norm)
            if torch.isfinite(norm):  # a batch that overflowed teaches nothing
                self.optimiser.step()
            decay = min(config.ema, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(
                    list(self.average.values()), [p.detach() for p in self.parameters.values()], 1 - decay
                )
            self.step += 1
            self.seconds += time.perf_counter() - start
            for key, value in {"loss": loss.item(), "norm": norm.item(), **details}.items():
                sums.setdefault(key, []).append(value)
            if self.seconds - logged > 60:
                speed = len(sums["loss"]) / (self.seconds - logged)
                left = (total - self.seconds) / 60
                self.log(rate=rate, **{k: float(np.mean(v)) for k, v in sums.items()}, steps_a_second=speed, left=left)
                sums, logged = {}, self.seconds
            if self.seconds - saved > config.save_minutes * 60:
                self.save()
                saved = self.seconds
            if self.seconds - validated > config.validate_minutes * 60:
                self.validate()
                validated = self.seconds
        self.save()
        self.validate()
