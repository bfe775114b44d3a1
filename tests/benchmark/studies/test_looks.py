# SPDX-License-Identifier: BSD-3-Clause
"""The comparison of looks: the Fréchet distance is what it should be, and the whole of it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.benchmark.studies import looks as script
from calotype.metrics import load_squeezenet
from tests.make_golden import GOLDEN, drawing


def test_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20000, 3))
    assert script.frechet(x, x) == pytest.approx(0, abs=1e-9)
    # Of Gaussians along the axes it is the sum of squared differences of means and of deviations.
    y = rng.normal(size=(20000, 3)) * (2, 1, 1) + (0, 3, 0)
    assert script.frechet(x, y) == pytest.approx(1 + 9, rel=0.05)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert script.frechet(x @ turned, y @ turned) == pytest.approx(script.frechet(x, y))


def test_the_spread_of_originals_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "COMPONENTS", 2)
    x = np.random.default_rng(2).normal(size=(500, 4)) * (9, 5, 1, 1)
    axes = script.components(x)
    assert axes.shape == (4, 2) and np.trace(np.cov((x @ axes).T)) == pytest.approx(1)


def test_patches_are_means(squeezenet: Path) -> None:
    network = load_squeezenet(squeezenet)
    samples = drawing(140, 108, 3, 8)
    found = script.patches(samples, network)
    features = network.features(samples.astype(np.float32))[script.LAYER]
    assert features.shape[:2] == (16, 12)  # 3 x 2 patches of 8 x 8, 4 apart
    np.testing.assert_allclose(found[3], features[4:12, 4:12].mean((0, 1)), rtol=1e-4, atol=1e-4)
    assert found.shape == (6, 512)


def test_the_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, squeezenet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.setattr(script, "COMPONENTS", 2)
    small = next(path for path in (GOLDEN / "weights").iterdir() if (path / "g_s.onnx").is_file())
    shutil.copytree(small, tmp_path / "other")
    (tmp_path / "pictures").mkdir()
    Image.fromarray(drawing(230, 240, 3, 8)).save(tmp_path / "pictures" / "1.png")
    out, command = tmp_path / "looks.json", [str(tmp_path / "pictures"), "--squeezenet", str(squeezenet)]
    more = [
        "--look",
        f"other=0,{tmp_path / 'other'}",
        "--look",
        "noise=1",
        "--out",
        str(out),
        "--show",
        str(tmp_path / "made"),
    ]
    assert script.main([*command, *more, "--qualities", "30", "--avif"]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    faithful, other, noise, avif = report["looks"]
    assert [row["look"] for row in report["looks"]] == ["faithful", "other", "noise", "avif"]
    assert noise["ssimulacra2"] != faithful["ssimulacra2"]
    assert faithful["frechet"] == other["frechet"] > 0 and faithful["ssimulacra2"] == other["ssimulacra2"]
    assert avif["bpp"][0] > 0
    assert len(list((tmp_path / "made").iterdir())) == 5
    assert "| 30 | other |" in capsys.readouterr().out
    assert script.main([*command, "--look", "nothing"]) == 1
