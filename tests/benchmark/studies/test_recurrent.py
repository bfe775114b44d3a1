# SPDX-License-Identifier: BSD-3-Clause
"""The study of recurrent units: it trains, goes on where it stopped, and tells the spread over the seeds."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.benchmark.studies import recurrent  # noqa: E402
from calotype.training.recipe import load_recipe  # noqa: E402
from tests.make_golden import drawing  # noqa: E402


def test_two_units_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(drawing(176, 192, 3, 8)).save(folder / "a.png")
    small = load_recipe("toderici2017")
    small["network"] = {"iterations": 2, "bits": 8, "entry": 8, "encoder": [8, 8], "decoder": [8, 8]}
    small["task"] = {"size": 32, "mse": 1.0, "ms_ssim": 0.0, "most": 2}
    monkeypatch.setattr(recurrent, "load_recipe", lambda _: small)
    monkeypatch.setattr(recurrent, "JUDGED", (1, 2))
    monkeypatch.setattr(recurrent, "start_greedily", partial(recurrent.start_greedily, crops=40))
    arguments = ["--data", str(folder), "--judge", str(folder), "--minutes", "0.002", "--seeds", "2"]
    arguments += [
        "--runs",
        str(tmp_path / "runs"),
        "--results",
        str(tmp_path),
        "--only",
        "gru one-shot",
        "deep scaling",
    ]
    assert recurrent.main(arguments) == 0
    records = json.loads((tmp_path / "recurrent.json").read_text(encoding="utf-8"))
    assert [(r["name"], r["seed"]) for r in records] == [
        (name, seed) for seed in (1, 2) for name in ("gru one-shot", "deep scaling")
    ]
    assert all(r["steps"] >= 1 and r["untrained"].keys() == r["trained"].keys() for r in records)
    table = capsys.readouterr().out
    assert "| gru, one-shot | 0 | 0 |" in table and "±" in table
    steps = [r["steps"] for r in records]
    assert recurrent.main(arguments) == 0  # nothing is left to do
    assert [r["steps"] for r in json.loads((tmp_path / "recurrent.json").read_text(encoding="utf-8"))] == steps
