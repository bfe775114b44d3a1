# SPDX-License-Identifier: BSD-3-Clause
"""The training loop: one for every network.

A network brings a *task* (see :class:`Task`): its parameters, the loss of a batch and a validation. The loop brings
the optimiser, the schedule, averaged weights, logging, and states from which a run resumes where it stopped. Several
processes can train one network, see :mod:`calotype.training.ranks`.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..atomic import atomic
from ..errors import CalotypeError
from ..networks.fused import Fused
from ..networks.layers import compile_gradients, train_in_bfloat16
from . import optimisers, precision
from .interruption import Interruption
from .progress import ProgressLine
from .ranks import Ranks, moved
from .weights import copy_weights, read_state


@dataclass(frozen=True)
class LoopConfig:
    """Length and settings of a training run."""

    hours: float = 1.0  # time of training; a resumed run counts what it has already spent
    batch: int = 4  # crops a step, of each process
    optimiser: optimisers.Name = "adamw"
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    decay: float = 0.25  # last part of the time, in which the learning rate falls to a hundredth (cosine)
    weight_decay: float = 0.0
    clip_norm: float = 1.0  # a robust bound: high qualities have rare, large gradients
    ema: float = 0.999  # averaged weights are what is validated and exported
    bfloat16: bool = True  # branches in bfloat16 where the machine is faster in it, which is timed; sums stay float32
    compile: bool = False  # gradients of depthwise kernels, where there is a C++ compiler: pays after some minutes
    seed: int = 1
    save_minutes: float = 4.0
    validate_minutes: float = 10.0

    def __post_init__(self) -> None:
        sound = {
            "hours": self.hours >= 0,
            "batch": self.batch >= 1,
            "learning_rate": 0 < self.learning_rate < math.inf,
            "decay": 0 <= self.decay <= 1,
            "ema": 0 <= self.ema < 1,
            "seed": 0 <= self.seed < 2**63,
        }
        for name in (name for name, fits in sound.items() if not fits):
            raise CalotypeError(f"LoopConfig.{name} cannot be {getattr(self, name)!r}")


class Task(Protocol):
    """The part of training that depends on the network."""

    @property
    def network(self) -> nn.Module:
        """The modules to train."""
        ...

    def batch(self, rng: np.random.Generator, size: int) -> Any:
        """Random training material."""

    def loss(self, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """The loss to minimise, and values to log."""
        ...

    def validate(self) -> dict[str, float]:
        """Figures of merit of the network as it is."""
        ...


def learning_rate(config: LoopConfig, step: int, progress: float) -> float:
    """Warm up, hold, then fall: a state from the hold can be trained on for longer, a fallen one is exported."""
    warm = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    fall = max(0.0, (progress - (1 - config.decay)) / config.decay) if config.decay else 0.0
    return config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(fall, 1.0))))


def tell(sentence: str) -> None:
    """A sentence for whoever watches, on standard error."""
    print(sentence, file=sys.stderr, flush=True)


class Loop:
    """Train ``task`` in ``folder``, where the states and the log are kept.

    ``state.pt`` is the last state, ``hold.pt`` the one from which the learning rate began to fall. When a run is
    resumed for a longer time than it was planned for and its rate has begun to fall, it goes on from ``hold.pt``.

    With several ``ranks``, each of them has a loop, and draws batches from random streams of its own; all of them need
    ``folder``. States load on any device and for any number of ranks.

    Attributes:
        observers: are told the step and the values of each line of the log.
    """

    def __init__(
        self, task: Task, config: LoopConfig, folder: Path, resume: bool = True, ranks: Ranks | None = None
    ) -> None:
        self.task, self.config, self.folder = task, config, folder
        self.ranks = ranks = ranks or Ranks()
        self.observers: list[Callable[[int, Mapping[str, Any]], None]] = []
        self.progress = ProgressLine()
        task.network.to(ranks.device)
        self.choose_precision()
        if config.compile and ranks.device.type == "cpu" and not compile_gradients():
            self.tell("gradients cannot be compiled here (is there a C++ compiler?): steps take about a quarter longer")
        folder.mkdir(parents=True, exist_ok=True)
        self.parameters = dict(task.network.named_parameters())
        self.optimiser = optimisers.make(
            config.optimiser, self.parameters.values(), config.learning_rate, config.weight_decay
        )
        ranks.broadcast([*self.parameters.values(), *task.network.buffers()])
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.rng, torch_seed = ranks.seeds(config.seed)
        torch.manual_seed(torch_seed)
        self.step, self.seconds = 0, 0.0
        self.loss = math.nan  # the mean of the last minute
        self.total = config.hours * 3600  # seconds
        self.fallen = False  # the learning rate has begun to fall, and hold.pt is the state from before
        if resume and (folder / "state.pt").exists():
            self.resume()

    def choose_precision(self) -> None:
        """Compute branches in bfloat16 if the recipe allows it and the first rank's machine gains by it; say so."""
        if not self.config.bfloat16:
            return
        (gain, *_) = self.ranks.gather(precision.gain(self.ranks.device) if self.ranks.first else 0.0)
        chosen = gain >= precision.WORTH
        if chosen:
            train_in_bfloat16(self.task.network)
        reason = "" if math.isinf(gain) or not gain else f": bfloat16 is {gain:.2g} times as fast here"
        self.tell(f"computing in {'bfloat16, sums in float32' if chosen else 'float32'}{reason}")

    def resume(self) -> None:
        """Load the state to go on from: the last one, or that from before the fall if there is more time now."""
        planned = self.load()
        if not self.fallen or self.total <= planned:
            return
        if (self.folder / "hold.pt").exists():
            self.load("hold.pt")
            self.tell(
                f"more time than the {planned / 3600:g} hours before: going on from hold.pt at minute "
                f"{self.seconds / 60:.3g}, where the learning rate had not begun to fall"
            )
        else:
            self.tell(
                "more time than before, but no hold.pt: going on from a state whose learning rate had begun to fall"
            )
        self.fallen = False

    def load(self, name: str = "state.pt") -> float:
        """Resume exactly: weights, averages, optimiser, schedule and random state.

        Returns:
            the seconds that the run of this state was planned for.
        """
        state = read_state(self.folder / name)
        advice = "take the recipe that it was begun with, name another folder with --run, or begin anew with --fresh"
        try:
            copy_weights(state.get("weights", {}), self.task.network)
        except CalotypeError:
            raise CalotypeError(
                f"the run in {self.folder} is of another network than this recipe's: {advice}"
            ) from None
        with torch.no_grad():
            for name, value in self.task.network.named_buffers():
                value.copy_(state.get("buffers", {}).get(name, value))
        self.average = moved(state["average"], self.ranks.device)
        try:
            self.optimiser.load_state_dict(state["optimiser"])
        except (KeyError, ValueError):
            raise CalotypeError(f"the run in {self.folder} was begun with another optimiser: {advice}") from None
        self.step, self.seconds = state["step"], state["seconds"]
        self.load_random([state, *state.get("other_ranks", [])])
        # Older states do not say what they were planned for: take them for states of this plan.
        self.fallen = bool(state.get("fallen", self.config.decay > 0 and self.seconds > self.falls_from))
        return float(state.get("total", self.total))

    def load_random(self, states: list[dict[str, Any]]) -> None:
        """Go on with the random streams of this rank; one that was not there before gets new ones."""
        if self.ranks.rank >= len(states):
            self.rng, torch_seed = self.ranks.seeds(self.config.seed, self.step)
            torch.manual_seed(torch_seed)
            return
        mine = states[self.ranks.rank]
        self.rng.bit_generator.state = json.loads(mine["numpy_random"])
        torch.set_rng_state(mine["torch_random"])
        if self.ranks.device.type == "cuda" and "cuda_random" in mine:
            torch.cuda.set_rng_state(mine["cuda_random"])

    def random(self) -> dict[str, Any]:
        """State of the random streams of this rank."""
        states: dict[str, Any] = {
            "numpy_random": json.dumps(self.rng.bit_generator.state),
            "torch_random": torch.get_rng_state(),
        }
        if self.ranks.device.type == "cuda":
            states["cuda_random"] = torch.cuda.get_rng_state()
        return states

    @property
    def falls_from(self) -> float:
        """When the learning rate begins to fall, in seconds of training."""
        return (1 - self.config.decay) * self.total if self.config.decay else math.inf

    def save(self, name: str = "state.pt") -> None:
        """Write the state whole or not at all: an interruption leaves the last one. All ranks call this at once."""
        random, *others = self.ranks.gather(self.random())
        if self.ranks.first:
            self.write(name, {**random, "other_ranks": others})
        self.ranks.wait()  # so that whoever leaves next leaves a whole state behind

    def write(self, name: str, random: dict[str, Any]) -> None:
        """The state with everybody's random streams; its tensors load on any machine."""
        state = {
            "weights": {name: p.detach() for name, p in self.parameters.items()},
            "buffers": dict(self.task.network.named_buffers()),  # the running means of batch normalisation
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "total": self.total,
            "fallen": self.fallen,
            **random,
        }
        with atomic(self.folder / name) as out:
            torch.save(moved(state, torch.device("cpu")), out)

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
        """A line in ``log.jsonl`` and on the terminal, from the first rank."""
        if not self.ranks.first:
            return
        line = {"step": self.step, "minutes": round(self.seconds / 60, 2), **values}
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.progress.clear()
        print(" ".join(f"{k}={v:.5g}" if isinstance(v, float) else f"{k}={v}" for k, v in line.items()), flush=True)
        for observe in self.observers:
            observe(self.step, line)

    def tell(self, sentence: str) -> None:
        """As :func:`tell`, once for all ranks."""
        if self.ranks.first:
            self.progress.clear()
            tell(sentence)

    def validate(self) -> None:
        """Log the validation of the averaged weights, by the first rank. It runs on the CPU, where the codecs will."""
        if not self.ranks.first:
            return
        network = self.task.network
        with self.averaged():
            network.eval().to("cpu")
            try:
                with torch.inference_mode():
                    self.log(**self.task.validate())
            finally:
                network.train().to(self.ranks.device)

    def now(self) -> float:
        """The clock of the schedule, in seconds."""
        return time.perf_counter()

    def run(self) -> bool:
        """Train until the time is spent. Interrupted (Ctrl-C, SIGTERM, SIGHUP), finish the step and save first.

        A signal to one rank stops all of them. Time in which something was compiled does not count.

        Returns:
            whether the time is spent.
        """
        interruption = Interruption()
        try:
            with interruption.put_off():
                self._run(interruption)
        finally:
            self.progress.clear()
        return interruption.asked is None

    def _run(self, interruption: Interruption) -> None:
        config, network, ranks = self.config, self.task.network, self.ranks
        network.train()
        total = self.total
        saved = validated = logged = begun = self.seconds
        first = self.step
        sums: dict[str, list[float]] = {}
        stop = 0  # the signal that ends the run
        while self.seconds < total and not stop:
            start, compiled = self.now(), Fused.seconds
            if not self.fallen and self.seconds >= self.falls_from:
                self.save("hold.pt")  # from here the learning rate falls; a longer run goes on from this state
                self.fallen = True
            rate = learning_rate(config, self.step, self.seconds / total)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            loss, details = self.task.loss(moved(self.task.batch(self.rng, config.batch), ranks.device))
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            ranks.average_gradients(self.parameters.values())
            norm = nn.utils.clip_grad_norm_(list(self.parameters.values()), config.clip_norm)
            if torch.isfinite(norm):  # a batch that overflowed teaches nothing
                self.optimiser.step()
            decay = min(config.ema, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(
                    list(self.average.values()), [p.detach() for p in self.parameters.values()], 1 - decay
                )
            self.step += 1
            self.seconds += max(0.0, self.now() - start - (Fused.seconds - compiled))
            self.seconds, stop = ranks.agree(self.seconds, interruption.number)
            interruption.follow(stop)
            for key, value in {"loss": loss.item(), "norm": norm.item(), **details}.items():
                sums.setdefault(key, []).append(value)
            if self.seconds - logged > 60:
                self.report(sums, self.seconds - logged, rate)
                sums, logged = {}, self.seconds
            if ranks.first:
                speed = (self.step - first) / max(self.seconds - begun, 1e-9)
                facts = f"step {self.step}  loss {loss.item():.4g}  {speed:.2f} steps/s"
                self.progress.draw(self.seconds, total, facts)
            validate = self.seconds - validated > config.validate_minutes * 60
            if validate or self.seconds - saved > config.save_minutes * 60:
                self.save()
                saved = self.seconds
            if validate and not stop:
                if ranks.first and interruption.asked is None:
                    with interruption.at_once():  # the state is saved, and validation may take long
                        self.validate()
                validated = self.seconds
        if sums:
            self.report(sums, self.seconds - logged, rate)
        if Fused.seconds:
            self.tell(f"compiling took {Fused.seconds:.0f} s, which are not counted")
        # A run that was finished before keeps the plan that it was finished with.
        if self.seconds > begun or not (self.folder / "state.pt").exists():
            self.save()
        if interruption.asked is None:
            with interruption.at_once():
                self.validate()
        else:
            self.tell(
                f"{interruption.asked.name}: the state is saved in {self.folder}; the same command goes on from it"
            )

    def report(self, sums: dict[str, list[float]], seconds: float, rate: float) -> None:
        """Log the means of the last ``seconds``. All ranks call this at once."""
        means, left = self.means(sums), max(0.0, self.total - self.seconds) / 60
        self.loss = means["loss"]
        self.log(rate=rate, **means, steps_a_second=len(sums["loss"]) / max(seconds, 1e-9), left=left)

    def means(self, sums: dict[str, list[float]]) -> dict[str, float]:
        """Mean of each value since the last line of the log, over all ranks. All of them call this at once."""
        together: dict[str, list[float]] = {}
        for mine in self.ranks.gather(sums):
            for key, values in mine.items():
                together.setdefault(key, []).extend(values)
        return {key: float(np.mean(values)) for key, values in together.items()}
