# SPDX-License-Identifier: BSD-3-Clause
"""Speeds on one core and on all: what is measured, and where it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from calotype.benchmark import cores
from calotype.benchmark.pictures import Photograph
from calotype.cli import app
from tests.benchmark.test_results import readme_script
from tests.make_golden import GOLDEN


def test_the_large_photograph_is_made_of_all_pictures_without_seams(photographs: list[Photograph]) -> None:
    made = cores.large(photographs, 450, 420)
    assert made.shape == (420, 450, 3)
    first = photographs[0].samples
    assert np.array_equal(made[:192, :200], first[:192, :200])
    assert np.array_equal(made[191, 399:199:-1], photographs[1].samples[191, :200])
    alone = cores.large(photographs[:1], 512, 384)
    assert np.array_equal(alone[:, 255], alone[:, 256]) and np.array_equal(alone[191], alone[192])


def test_speeds_from_the_command_to_the_readme(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.setattr(cores, "cores", lambda: 2)
    out = tmp_path / "out"
    large = next(folder.glob("a.png"))
    result = CliRunner().invoke(app, ["bench", str(folder), "--speed", "--photograph", str(large), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "First pixels" in " ".join(result.stdout.split())
    found = json.loads((out / cores.FILE).read_text(encoding="utf-8"))
    assert [(row["pictures"], row["threads"]) for row in found["speeds"]] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert all(row["encode_mps"] > 0 and row["decode_mps"] > 0 and row["bpp"] > 0 for row in found["speeds"])
    assert found["region"]["seconds"] > 0 and found["peer"]["times_as_fast"] > 0
    text = readme_script().cores(out)
    assert text.count("| small pictures, 2 x ") == 2 and "256 x 256" in text
    assert readme_script().cores(tmp_path) == ""
