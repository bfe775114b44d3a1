# SPDX-License-Identifier: BSD-3-Clause
"""The commands and the Python of the tutorials run as they stand; those that train for hours are only parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from calotype.cli import app

ROOT = Path(__file__).parent.parent.parent
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
LONG = {"batch", "train", "export", "validate", "bench"}


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gradient = Image.radial_gradient("L").resize((200, 160))  # smooth, as most of a photograph is
    gradient.convert("RGB").save("photo.png")
    Path("album/trip").mkdir(parents=True)
    gradient.convert("RGB").crop((0, 0, 70, 60)).save("album/trip/a.png")


def commands(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```console\n(.*?)```", text, re.S) for line in block.splitlines()]
    parts = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [part[part.index("calotype") + 1 :] for part in parts if "calotype" in part]


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_tutorial(page: Path) -> None:
    found = commands(page)
    assert found
    for arguments in found:
        if arguments[0] in LONG:
            command = typer.main.get_command(app).commands[arguments[0]]  # type: ignore[attr-defined]
            Path("runs/talbot").mkdir(parents=True, exist_ok=True)
            for folder in ("photos", "others"):
                Path(folder).mkdir(exist_ok=True)
            command.make_context(arguments[0], list(arguments[1:]))  # raises for an option that there is not
        else:
            result = CliRunner().invoke(app, arguments)
            assert result.exit_code == 0, (arguments, result.output)
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        exec(block, {})
