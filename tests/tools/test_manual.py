# SPDX-License-Identifier: BSD-3-Clause
"""The manual page and the completions that ship are those of today's command line."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from calotype.cli import app
from tests.tools import TOOLS, script

SHARE = TOOLS.parent / "share"
MANUAL = script("manual")


@pytest.mark.parametrize("name", ["calotype.1", "calotype.bash", "_calotype", "calotype.fish"])
def test_files_are_current(name: str) -> None:
    if name != "calotype.1":
        pinned = re.search(r"^typer==(.+)$", (TOOLS.parent / "constraints.txt").read_text(encoding="utf-8"), re.M)
        if not pinned or typer.__version__ != pinned[1]:
            pytest.skip("another version of Typer writes other scripts")
    assert MANUAL.generated()[name] == (SHARE / name).read_text(encoding="utf-8"), "run tools/manual.py"


def test_every_command_and_option_is_there() -> None:
    page = (SHARE / "calotype.1").read_text(encoding="utf-8").replace("\\-", "-")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f".SS calotype {name}\n" in page
        assert all(option in page for parameter in command.params for option in parameter.opts if option[0] == "-")


def test_special_characters() -> None:
    assert MANUAL.escaped(".a\n'b -c \\d") == "\\&.a\n\\&'b \\-c \\ed"


def test_staleness_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(MANUAL, "SHARE", tmp_path / "share")
    assert MANUAL.main(["--check"]) == 1 and "calotype.1" in capsys.readouterr().err
    assert MANUAL.main([]) == 0 and MANUAL.main(["--check"]) == 0


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_roff_has_no_errors() -> None:
    command = ["groff", "-man", "-ww", "-z", str(SHARE / "calotype.1")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes(tmp_path: Path) -> None:
    lines = f"source {SHARE / 'calotype.bash'}; complete -p calotype"
    found = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=True)
    assert "_calotype_completion" in found.stdout


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_at_the_first_tab(tmp_path: Path) -> None:
    program = tmp_path / "calotype"
    program.write_text("#!/bin/sh\necho echo completed $_TYPER_COMPLETE_ARGS\n", encoding="ascii")
    program.chmod(0o755)
    lines = "compdef() { }; words=(calotype en); CURRENT=2; fpath=($1); PATH=$2:$PATH; autoload -U _calotype; _calotype"
    command = ["zsh", "-fc", lines, "zsh", str(SHARE), str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == "completed calotype en\n"
