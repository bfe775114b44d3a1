# SPDX-License-Identifier: BSD-3-Clause
"""From photographs to a codec by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("torch")

import calotype
from calotype.cli import app
from tests.make_golden import drawing

RECIPE = """
[network]
c1 = 8
c2 = 8
m = 8
blocks = 1
hyper = 8
z = 4
context = [8, 8, 8]
levels = 3
[loop]
hours = 0.0002
batch = 2
[crop]
size = 128
"""


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_train_resume_export_encode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Image.fromarray(drawing(160, 200, 3, 8)).save("photos/a.png")
    Path("mine.toml").write_text(RECIPE, encoding="utf-8")
    command = ("train", "mine.toml", "--data", "photos", "--validation", "photos", "--threads", 1)
    run(*command)
    first, files = map(json.loads, Path("runs/mine/log.jsonl").read_text(encoding="utf-8").splitlines()[-2:])
    assert first["step"] > 0 and "psnr@4" in first and files["file_bpp@25"] > 0
    told = run(*command, "--hours", 0.0004, "--init", "weights/none")
    assert "going on from the state in runs/mine, not from weights/none" in told
    last = json.loads(Path("runs/mine/log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["step"] > first["step"]
    run("export", "runs/mine", "--data", "photos", "-o", "weights/mine")  # by the recipe that the run keeps
    monkeypatch.setenv("CALOTYPE_WEIGHTS", "weights")
    data = calotype.encode(drawing(100, 90, 3, 8), threads=1)
    assert calotype.decode(data).size == (90, 100)
    # The float weights beside the state start another run, and so does the bundle, which the new one names.
    run("train", "mine.toml", "--data", "photos", "--init", "runs/mine/state.safetensors", "--fresh", "--threads", 1)
    assert not Path("runs/mine/parent.json").exists()
    run("train", "mine.toml", "--data", "photos", "--init", "weights/mine", "--fresh", "--threads", 1)
    parent, old = (
        json.loads(Path(p).read_text(encoding="utf-8")) for p in ("runs/mine/parent.json", "weights/mine/model.json")
    )
    run("export", "runs/mine", "--data", "photos", "-o", "weights/next")
    new = json.loads(Path("weights/next/model.json").read_text(encoding="utf-8"))
    assert new["parent"] == parent["hash"] == old["hash"] and new["training"]["steps"] > old["training"]["steps"]


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["train", "talbot", "--data", "nowhere"])
    assert result.exit_code == 1 and "no pictures below nowhere: there is no such folder" in result.output
    result = CliRunner().invoke(app, ["train", "nothing", "--data", "nowhere"])
    assert result.exit_code == 1 and "there is no recipe" in result.output
    Path("photos").mkdir()
    Image.fromarray(drawing(160, 200, 3, 8)).save("photos/a.png")
    command = ["train", "talbot", "--data", "photos"]
    result = CliRunner().invoke(app, [*command, "--validation", "empty"])
    assert result.exit_code == 1 and "no pictures below empty" in result.output
    result = CliRunner().invoke(app, [*command, "--init", "nope"])
    assert result.exit_code == 1 and "no weights at nope" in result.output
    assert not Path("runs").exists()
