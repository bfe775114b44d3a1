# SPDX-License-Identifier: BSD-3-Clause
"""What a run goes on from: longer runs, interrupted ones, and states of old."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from calotype.training import loop as loop_module  # noqa: E402
from calotype.training.interruption import Interruption  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402


class Line:
    """The smallest task: a line through noise, that can be told to raise signals in a step."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.network = nn.Linear(1, 1)
        self.signals: dict[int, list[int]] = {}  # losses computed before -> signals to raise
        self.losses = 0

    def batch(self, rng: np.random.Generator, size: int) -> Tensor:
        return torch.from_numpy(rng.normal(size=(size, 1))).float()

    def loss(self, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        for number in self.signals.get(self.losses, []):
            signal.raise_signal(number)
        self.losses += 1
        return (self.network(batch) - 2 * batch).square().mean(), {}

    def validate(self) -> dict[str, float]:
        return {}


@pytest.fixture(autouse=True)
def steps_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(loop_module.time, "perf_counter", lambda: float(next(ticks)))


def make(folder: Path, steps: int, resume: bool = True, task: Line | None = None) -> Loop:
    config = LoopConfig(hours=steps / 3600, warmup_steps=1, bfloat16=False, decay=0.25)
    return Loop(task or Line(), config, folder, resume)


def steps_of(folder: Path, name: str) -> int:
    return int(torch.load(folder / name, weights_only=True)["step"])


def test_a_longer_run_goes_on_from_before_the_fall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, 8).run()
    assert steps_of(tmp_path, "hold.pt") == 6 and steps_of(tmp_path, "state.pt") == 8
    assert make(tmp_path, 8).step == 8  # no more time: the last state
    assert make(tmp_path, 4).step == 8
    assert "hold.pt" not in capsys.readouterr().err
    longer = make(tmp_path, 16)
    assert longer.step == 6 and "going on from hold.pt" in capsys.readouterr().err
    longer.run()
    assert steps_of(tmp_path, "hold.pt") == 12 and longer.step == 16
    whole = make(tmp_path / "whole", 16)
    whole.run()
    for name, value in whole.parameters.items():
        torch.testing.assert_close(longer.parameters[name], value, rtol=0, atol=0)


def test_a_run_that_was_not_falling_goes_on_as_it_was(tmp_path: Path) -> None:
    task = Line()
    task.signals[3] = [signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, 8, task=task).run()
    assert make(tmp_path, 16).step == 4


def test_a_finished_run_keeps_its_plan(tmp_path: Path) -> None:
    make(tmp_path, 8).run()
    make(tmp_path, 4).run()
    assert make(tmp_path, 8).step == 8


def test_a_fresh_run_holds_anew(tmp_path: Path) -> None:
    make(tmp_path, 8).run()
    make(tmp_path, 4, resume=False).run()
    assert steps_of(tmp_path, "hold.pt") == 3 and steps_of(tmp_path, "state.pt") == 4


def test_states_of_old_load(tmp_path: Path) -> None:
    make(tmp_path, 8).run()
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    del state["total"], state["fallen"]
    torch.save(state, tmp_path / "state.pt")
    assert make(tmp_path, 8).step == 8
    again = make(tmp_path, 16)
    again.run()
    assert again.step == 16


@pytest.mark.parametrize(
    ("name", "expected"), [("SIGINT", KeyboardInterrupt), ("SIGTERM", SystemExit), ("SIGHUP", SystemExit)]
)
def test_a_signal_ends_the_step_then_saves(
    tmp_path: Path, name: str, expected: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"no {name} here")

    def leave(*_: object) -> None:
        raise expected

    before = signal.signal(number, leave)
    try:
        task = Line()
        task.signals[2] = [number]
        loop = make(tmp_path, 8, task=task)
        with pytest.raises(expected):
            loop.run()
        assert signal.getsignal(number) is leave
    finally:
        signal.signal(number, before)
    assert loop.step == steps_of(tmp_path, "state.pt") == 3
    assert "the state is saved" in capsys.readouterr().err
    resumed, whole = make(tmp_path, 8), make(tmp_path / "whole", 8)
    resumed.run()
    whole.run()
    for key, value in whole.parameters.items():
        torch.testing.assert_close(resumed.parameters[key], value, rtol=0, atol=0)


def test_a_second_interruption_is_immediate(tmp_path: Path) -> None:
    task = Line()
    task.signals[2] = [signal.SIGINT, signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, 8, task=task).run()
    assert task.losses == 2 and not (tmp_path / "state.pt").exists()


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        interruption = Interruption()
        with interruption.put_off():
            signal.raise_signal(signal.SIGTERM)
        assert interruption.asked is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_validation_is_interrupted_at_once_with_the_state_saved(tmp_path: Path) -> None:
    class Slow(Line):
        def validate(self) -> dict[str, float]:
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("went on")

    loop = make(tmp_path, 3, task=Slow())
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert steps_of(tmp_path, "state.pt") == 3
