# SPDX-License-Identifier: BSD-3-Clause
"""The commands of docs/rippel2017.md run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype.benchmark.studies import RESULTS, adversary
from calotype.benchmark.studies.bit_planes import markdown
from calotype.cli import app
from tests.make_golden import GOLDEN, drawing

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rippel2017.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(160, 200, 3, 8)).save("photo.png")
    lines = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    for command in (shlex.split(line.removeprefix("$ "), comments=True) for line in lines):
        command = ["3kB" if word == "8kB" else word for word in command]  # the picture here is smaller
        assert command[0] == "calotype"
        result = CliRunner().invoke(app, command[1:])
        assert result.exit_code == 0, (command, result.output)
    assert Image.open("early.png").size == (200, 160)
    assert Path("small.calo").stat().st_size <= 3000


def test_the_table_is_that_of_the_results() -> None:
    averages = json.loads((RESULTS / "bit_planes.json").read_text(encoding="utf-8"))["averages"]
    columns = ("rippel2017", "control", "toderici2017", "jpeg")
    rows = markdown({name: averages[name] for name in columns}).splitlines()[2:-1]  # the last rate is beyond its curve
    table = PAGE.replace("*", "")
    assert len(rows) == 7 and not [row for row in rows if row not in table]


def test_the_table_of_the_adversary_is_that_of_the_results() -> None:
    rows = adversary.markdown(json.loads((RESULTS / "adversary.json").read_text(encoding="utf-8"))["averages"])
    assert rows in PAGE
