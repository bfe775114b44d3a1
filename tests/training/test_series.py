# SPDX-License-Identifier: BSD-3-Clause
"""All kinds are trained one after the other in the time that there is, and exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.training import series  # noqa: E402
from calotype.training.kinds import DEFAULT, KINDS, kind_of  # noqa: E402
from calotype.training.recipe import load_recipe  # noqa: E402
from tests.make_golden import drawing  # noqa: E402


def test_recipes_of_a_series_can_be_exported() -> None:
    kinds = [kind_of(load_recipe(name)) for name in series.RECIPES]
    assert not any(kind.refused(load_recipe(name)) for kind, name in zip(kinds, series.RECIPES, strict=True))


def test_a_series_trains_every_kind() -> None:
    assert {load_recipe(name).get("kind", DEFAULT) for name in series.RECIPES} == set(KINDS)


def test_time_is_shared_out() -> None:
    hours = series.shares(["talbot", "toderici2017"], 0.5)
    assert sum(hours.values()) == pytest.approx(0.5)
    assert hours["talbot"] == 2 * hours["toderici2017"]  # as the recipes have it


def test_two_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(drawing(200, 220, 3, 8)).save(tmp_path / "photos" / "a.png")
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        Path(f"{name}.toml").write_text(
            'kind = "ledig2017"\nid = "small-x2"\n[network]\nscale = 2\nchannels = 8\nblocks = 1\n'
            "[loop]\nhours = 1.0\nbatch = 1\n[crop]\nsize = 32\n",
            encoding="utf-8",
        )
    arguments = ["--data", "photos", "--recipes", "first.toml", "second.toml", "--device", "cpu", "--threads", "1"]
    assert series.main(["train", "--hours", "0.0002", *arguments]) == 0
    assert series.main(["export", "-o", "weights", *arguments]) == 0
    said = capsys.readouterr().err
    assert said.count("trained for") == 2
    for name in ("first", "second"):
        assert json.loads(Path(f"weights/{name}/model.json").read_text(encoding="utf-8"))["codec"] == "ledig2017"
    assert series.main(["export", "--data", "photos", "--recipes", "third"]) == 1
    assert "there is no" in capsys.readouterr().err
