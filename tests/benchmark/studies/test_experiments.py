# SPDX-License-Identifier: BSD-3-Clause
"""The experiments with ``tao2017`` run, are judged on what they did not see, and stand beside their controls."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from calotype.benchmark.studies import experiments, experiments_curve, experiments_half_size, experiments_restoring
from calotype.benchmark.studies.experiments_half_size import Half, read
from calotype.training.data import PictureCache
from tests.make_golden import drawing


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(experiments_curve, "POINTS", (0.5, 1.0))
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.fromarray(drawing(80 + 16 * i, 96, 3, 8)).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def run(group: str, photos: Path, tmp_path: Path) -> dict[str, object]:
    out = tmp_path / "experiments.json"
    options = ["--minutes", "0.003", "--width", "8", "--count", "1"]
    assert experiments.main([group, "--data", str(photos), "--out", str(out), *options]) == 0
    plot = (tmp_path / "plots" / f"experiments-{group}-1.svg").read_text(encoding="utf-8")
    assert plot.startswith("<?xml") and "minutes of processor time" in plot
    found: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))[group]
    return found


def test_restorers(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {"layers": {"variant": "plain", "depth": 3}, "blocks": {"variant": "blocks", "c4": 16, "c8": 16}}
    monkeypatch.setattr(experiments_restoring, "VARIANTS", shapes)
    monkeypatch.setattr(experiments_restoring, "BATCH", 4)
    monkeypatch.setattr(experiments_restoring, "KEPT", 2)
    found = run("variants", photos, tmp_path)
    (alone,) = found["controls"].values()  # type: ignore[attr-defined]
    for name in shapes:
        start, *points = found["runs"][name]["curve"]  # type: ignore[index]
        assert start["steps"] == 0 and len(points) == 2 and points[-1]["steps"] > 0
        assert start["minutes"] <= points[0]["minutes"] <= points[1]["minutes"]
        assert start.keys() >= alone.keys() and abs(start["PSNR at 10"] - alone["PSNR at 10"]) < 3


def test_half_of_the_size(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments_half_size, "SETS", {"small": {"MSE": Half(16, 2)}})
    found = run("small", photos, tmp_path)
    assert list(found["controls"]) == ["JPEG alone", "bicubic down, JPEG, bicubic up"]  # type: ignore[call-overload]
    assert found["runs"]["MSE"]["curve"][-1]["PSNR"] > 10  # type: ignore[index]


def test_what_is_judged_on_is_not_trained_on(photos: Path, tmp_path: Path) -> None:
    pictures = PictureCache(photos, tmp_path / "cache")
    (held,) = experiments.held_out(pictures)
    assert (held == pictures[0]).all()
    assert pictures.weights[0] == 0 and pictures.weights.sum() == pytest.approx(1)


def test_curves_are_read_at_rates() -> None:
    line = [(0.1, {"PSNR": 20.0}), (0.2, {"PSNR": 22.0}), (0.4, {"PSNR": 24.0})]
    assert read([line], [[0.1, 0.4]]) == {"PSNR": 22.0}
    assert read([line, line], [[0.2 * np.sqrt(2)], [0.2]]) == {"PSNR": 22.5}
