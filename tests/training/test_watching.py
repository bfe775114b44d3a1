# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees of a run: curves in TensorBoard, a line on the terminal, figures of real files."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from calotype.cli import app  # noqa: E402
from calotype.errors import DependencyError  # noqa: E402
from calotype.networks.fused import Fused  # noqa: E402
from calotype.training.board import Board, need_tensorboard  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402
from calotype.training.progress import ProgressLine, clock, part  # noqa: E402
from tests.cli.test_train import RECIPE, run  # noqa: E402
from tests.make_golden import drawing  # noqa: E402


def test_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = Board(tmp_path, 0)
    board(3, {"step": 3, "minutes": 0.5, "psnr@4": 30.0, "note": "no number"})
    Board(tmp_path, 2)(2, {"psnr@4": 29.0})  # a run that went on from an earlier state
    events = EventAccumulator(str(tmp_path)).Reload()
    assert sorted(events.Tags()["scalars"]) == ["minutes", "psnr/4"]
    assert [(e.step, e.value) for e in events.Scalars("psnr/4")] == [(2, 29.0)]


def test_without_tensorboard_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(DependencyError, match=r"pip install 'calotype\[tensorboard\]'"):
        need_tensorboard()


def test_the_line_is_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ProgressLine().draw(10, 100, "step 1")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    line = ProgressLine()
    line.draw(25, 100, "step 7")
    line.draw(26, 100, "too soon")
    drawn = capsys.readouterr().err
    assert drawn.rstrip(" ") == "\r[======                  ]  25%  01:15 left  step 7"
    line.clear()
    line.clear()
    assert capsys.readouterr().err == "\r" + " " * (len(drawn) - 1) + "\r"
    assert clock(3723) == "1:02:03" and clock(-1) == "00:00"


def test_progress_in_parts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    line = ProgressLine()
    part(lambda done, total: line.count(done, total, "exporting"), 0.5, 1.0)(5, 10)
    assert capsys.readouterr().err.rstrip() == "\r[==================      ]  75%  exporting"


def test_compiling_is_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        network = torch.nn.Linear(1, 1)

        def batch(self, rng: object, size: int) -> None: ...

        def loss(self, batch: None) -> tuple[torch.Tensor, dict[str, float]]:
            time.sleep(0.02)
            Fused.seconds += 0.015
            return self.network(torch.ones(1, 1)).square().sum(), {}

        def validate(self) -> dict[str, float]:
            return {}

    monkeypatch.setattr(Fused, "seconds", 0.0)
    loop = Loop(Slow(), LoopConfig(hours=0.1 / 3600, bfloat16=False), tmp_path)  # type: ignore[arg-type]
    loop.run()
    assert loop.seconds < 0.05 * loop.step - Fused.seconds + 0.1 and Fused.seconds > 0.015


def test_real_files_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "others"):
        Path(name).mkdir()
        Image.fromarray(drawing(160, 200, 3, 8)).save(f"{name}/a.png")
    Path("mine.toml").write_text(RECIPE, encoding="utf-8")
    said = run("train", "mine.toml", "--data", "photos", "--threads", 1)
    assert re.search(r"trained for [\d.e-]+ minutes, \d+ steps; loss [\d.]+ at the end", said)
    assert "next: calotype export runs/mine --data photos -o weights/mine" in said
    common = ("validate", "runs/mine", "--data", "photos", "--validation", "others")
    lines = run(*common, "--recipe", "mine.toml").splitlines()
    assert [line.split()[0] for line in lines] == ["quality", "25", "50", "75"]
    rates = [float(line.split()[1]) for line in lines[1:]]
    assert 0 < rates[0] < rates[-1]
    result = CliRunner().invoke(app, [*common, "--recipe", "tao2017"])
    assert result.exit_code == 1 and "weights are those of another network" in result.output
    result = CliRunner().invoke(app, [*common, "--state", "nothing.pt"])
    assert result.exit_code == 1 and f"no state of a training run at {Path('runs/mine/nothing.pt')}" in result.output
