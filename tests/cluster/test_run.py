# SPDX-License-Identifier: BSD-3-Clause
"""What a run says before any cluster is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from calotype.cli import app
from calotype.cluster import store


def batch(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["batch", *arguments])
    return result.exit_code, result.stderr


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store, "find_spec", lambda name: None)
    code, said = batch(str(tmp_path), str(tmp_path / "out"))
    assert code == 1 and "pip install calotype[cluster]" in said and "ray, pyarrow, fsspec" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--do", "decode", "--quality", "50"], "--do decode does not take it"),
        (["--format", "png"], "--do encode does not take it"),
        (["--option", "effort"], "is not NAME=VALUE"),
        (["--option", "effort=99"], "effort"),
        (["--lossless", "--quality", "50"], "gives back every sample"),
        (["--do", "upscale", "--scale", "3"], "3 is not one of"),
        (["--do", "upscale", "--model", "none"], "is not one of"),
        (["--quality", "50", "--target-size", "80kB"], "cannot be combined"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    code, said = batch("in", "out", *arguments)
    assert code == 2 and message in " ".join(said.replace("│", " ").split())
