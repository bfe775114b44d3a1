# SPDX-License-Identifier: BSD-3-Clause
"""The comparison at the lowest rates runs, and finds crossings where they are."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from calotype.benchmark.studies import lowest_rates as script
from tests.make_golden import GOLDEN, drawing


def test_crossings() -> None:
    psnr = script.measures(None)[0]
    reference = {"bpp": [0.05, 0.2], "psnr-rgb": [24.0, 28.0]}
    found = script.crossings({"bpp": [0.05, 0.2], "psnr-rgb": [25.0, 27.0]}, reference, psnr)
    assert found["better_below"] and found["rates"] == [pytest.approx(0.1)]
    assert found["range"] == [pytest.approx(0.05), pytest.approx(0.2)]
    assert "cross at 0.100 bpp" in script.sentence("x", psnr, found)
    never = script.crossings({"bpp": [0.01, 0.1], "psnr-rgb": [20.0, 20.0]}, reference, psnr)
    assert not never["better_below"] and never["rates"] == []
    assert "worse than talbot at all common rates, 0.050 to 0.100" in script.sentence("x", psnr, never)
    apart = script.crossings({"bpp": [0.01, 0.02], "psnr-rgb": [20.0, 20.0]}, reference, psnr)
    assert "no rate in common" in script.sentence("x", psnr, apart)


def test_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    (tmp_path / "pictures").mkdir()
    Image.fromarray(drawing(170, 180, 3, 8)).save(tmp_path / "pictures" / "1.png")
    monkeypatch.setattr(
        script,
        "CANDIDATES",
        (script.Candidate("small", (10, 60), "#000000", {"codec": "talbot"}), script.CANDIDATES[1]),
    )
    monkeypatch.setattr(script, "REFERENCE", "small")
    assert script.main([str(tmp_path / "pictures"), "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "lowest-rates.json").read_text(encoding="utf-8"))
    assert set(report["results"]) == {"small", "srresnet-x2"}
    assert all(math.isfinite(v) for numbers in report["results"].values() for vs in numbers.values() for v in vs)
    assert (tmp_path / "out" / "plots" / "lowest-rates.svg").is_file()
    monkeypatch.delenv("CALOTYPE_WEIGHTS")
    monkeypatch.setattr(script, "REFERENCE", "talbot")
    assert script.main([str(tmp_path / "missing"), "--out", str(tmp_path / "out")]) == 1
