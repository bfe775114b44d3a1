# SPDX-License-Identifier: BSD-3-Clause
"""The commands and the Python of docs/toderici2017.md run as they stand."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype.cli import app
from tests.make_golden import GOLDEN, drawing

PAGE = (Path(__file__).parent.parent.parent / "docs" / "toderici2017.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(160, 200, 3, 8)).save("photo.png")
    lines = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    for command in (shlex.split(line.removeprefix("$ "), comments=True) for line in lines):
        if command[0] == "head":
            data = Path("photo.calo").read_bytes()
            Path("cut.calo").write_bytes(data[: len(data) * 3 // 4])
            continue
        assert command[0] == "calotype"
        result = CliRunner().invoke(app, command[1:])
        assert result.exit_code == 0, (command, result.output)
    assert Image.open("cut.png").size == Image.open("early.png").size == (200, 160)
    scope = {"picture": Image.open("photo.png")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.S):
            exec(block, scope)
    assert Image.open("step4.png").size == (200, 160)
