# SPDX-License-Identifier: BSD-3-Clause
"""``calotype --version --verbose``: everything that a report of a fault should say."""

from __future__ import annotations

import onnxruntime
import pytest
from typer.testing import CliRunner

import calotype
from calotype.cli import app
from calotype.engine import bundles


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_version() -> None:
    assert run("--version") == f"calotype {calotype.__version__}\n"


@pytest.mark.parametrize("arguments", [("--version", "--verbose"), ("--verbose", "--version")])
def test_verbose(arguments: tuple[str, str]) -> None:
    lines = dict(line.split(": ", 1) for line in run(*arguments).splitlines())
    assert lines["calotype"] == f"{calotype.__version__}, file format 1"
    assert f"onnxruntime {onnxruntime.__version__}" in lines["libraries"] and "numpy " in lines["libraries"]
    assert all(f"{bundle.id} {bundle.hash[:8]}" in lines["weights"] for bundle in bundles.installed())
    assert "WebP" in lines["pictures"] and lines["processor"] and lines["instructions"] != "unknown"


def test_nothing_to_do() -> None:
    result = CliRunner().invoke(app, ["--verbose"])
    assert result.exit_code == 2 and "Missing command" in result.output
