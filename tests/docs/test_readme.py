# SPDX-License-Identifier: BSD-3-Clause
"""The commands and the Python of the README run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype import codecs
from calotype.cli import app
from tests.make_golden import GOLDEN, drawing

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(160, 200, 3, 8)).save("photo.png")
    Path("album/trip").mkdir(parents=True)
    Image.fromarray(drawing(60, 70, 3, 8)).save("album/trip/a.png")


def test_commands() -> None:
    lines = [line for block in re.findall(r"```console\n(.*?)```", README, re.S) for line in block.splitlines()]
    commands = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    ours = [c[1:] for c in commands if c[0] == "calotype"]
    assert len(ours) >= 6
    for arguments in ours:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output)
    assert Path("small/trip/a.calo").exists() and Path("tiny.calo").stat().st_size <= 20_000
    assert Image.open("part.png").size == (100, 80)
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()}
    assert {c[1] for c in commands if c[0] == "make"} <= targets


def test_python() -> None:
    scope = {"picture": Image.open("photo.png")}
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(block, scope)
    assert Image.open("again.calo").size == (200, 160)


def test_every_codec_is_named() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for entry in codecs.own():
        assert entry.id in README and f"| `{entry.id}` |" in index


def test_help_names_the_progressive_codecs() -> None:
    for command in ("decode", "truncate"):
        page = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        assert "toderici2017" in page and "rippel2017" in page
