# SPDX-License-Identifier: BSD-3-Clause
"""The files of a benchmark, and those that are committed."""

from __future__ import annotations

import csv
import importlib.util
import json
import socket
from pathlib import Path
from types import ModuleType

import pytest

from calotype.benchmark import published
from calotype.benchmark.results import write
from calotype.benchmark.run import Results

pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parent.parent.parent
COMMITTED = ROOT / "benchmarks" / "results"
needs_results = pytest.mark.skipif(not (COMMITTED / "summary.json").is_file(), reason="no results are committed yet")


@pytest.fixture(scope="module")
def results(outcome: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "new"
    write(outcome, folder)
    return folder


def readme_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "tools" / "readme.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_files(results: Path, outcome: Results) -> None:
    names = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    plots = {f"plots/{metric}.{kind}" for metric in ("psnr", "ms-ssim") for kind in ("png", "svg")}
    codecs = {f"{name}.json" for name in ("jpeg", "webp", "jpeg2000")}
    assert names == {*codecs, *plots, "records.csv", "summary.json", "per-picture.csv", "report.html"}

    stored = json.loads((results / "jpeg.json").read_text(encoding="utf-8"))
    assert stored["name"] == "jpeg" and stored["results"]["psnr-rgb"] == outcome.curves["jpeg"].averages()["psnr-rgb"]
    assert {"date", "processor", "python", "versions", "settings"} <= set(stored["provenance"])

    with (results / "records.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert rows[0]["codec"] == "jpeg" and int(rows[0]["bytes"]) == outcome.curves["jpeg"].records[0].bytes
    assert float(rows[0]["ms-ssim-rgb"]) == outcome.curves["jpeg"].records[0].ms_ssim


def test_summary(results: Path) -> None:
    summary = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    matrix = summary["bd-rate"]["psnr"]
    assert matrix["anchors"] == ["jpeg", "webp", "jpeg2000", "vtm", "elic2022"]
    assert matrix["averaged"]["webp"][0] < 0 and matrix["averaged"]["jpeg"][0] is None
    assert matrix["per-picture"]["webp"][0] < 0 and matrix["per-picture"]["webp"][3] is None
    assert 0 < matrix["overlap"]["webp"][0] <= 1
    assert summary["speed"]["jpeg"]["encode_mps"] > 0
    assert summary["published"]["vtm"]["source"]


def test_nothing_tells_the_machine(results: Path) -> None:
    host, home = socket.gethostname(), str(Path.home())
    for path in results.rglob("*"):
        if path.suffix in (".json", ".csv", ".html", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert str(results) not in text
            for private in (host, home):  # a short one may stand in a text by chance
                assert len(private) < 6 or private not in text


def test_the_delta_rates_agree_with_the_bjontegaard_package(results: Path) -> None:
    theirs = pytest.importorskip("bjontegaard")
    columns = {
        name: json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["results"] for name in ("jpeg", "webp")
    }
    points = [columns[name][key] for name in ("jpeg", "webp") for key in ("bpp", "psnr-rgb")]
    expected = theirs.bd_rate(*points, method="pchip", require_matching_points=False, min_overlap=0)
    found = json.loads((results / "summary.json").read_text(encoding="utf-8"))["bd-rate"]["psnr"]["averaged"]["webp"][0]
    assert found == pytest.approx(float(expected), abs=1e-3)


def test_filling_a_readme(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = readme_script()
    script.LEAD = ("webp",)
    script.OURS = "webp"  # in the place of talbot, whose weights may not be here
    stored = json.loads((results / "webp.json").read_text(encoding="utf-8"))
    stored["provenance"]["versions"]["weights"] = "0123abcd"
    (results / "webp.json").write_text(json.dumps(stored), encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{script.BEGIN}\nold\n{script.END}\n\nafter\n", encoding="utf-8")
    options = ["--results", str(results), "--readme", str(readme)]
    assert script.main([*options, "--check"]) == 1
    assert "README.md is not as" in capsys.readouterr().err
    assert script.main(options) == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# Title\n\n") and text.endswith("\n\nafter\n") and "old" not in text
    assert "| JPEG (libjpeg-turbo, optimised, progressive, 4:2:0) | −" in text and "0123abcd" in text
    assert script.main([*options, "--check"]) == 0
    readme.write_text("# no marks\n", encoding="utf-8")
    assert script.main(options) == 1
    assert script.main([*options, "--results", str(tmp_path)]) == 1


@needs_results
def test_the_readme_says_what_the_results_say() -> None:
    assert readme_script().main(["--check"]) == 0


@needs_results
@pytest.mark.parametrize(
    ("name", "rate", "decibels"),
    [("jpeg", 1e-6, 1e-3), ("webp", 1e-6, 1e-3), ("jpeg2000", 4e-3, 0.001), ("avif", 0.013, 0.11)],
)
def test_the_results_agree_with_an_earlier_measurement(name: str, rate: float, decibels: float) -> None:
    """JPEG 2000 within some 20 bytes of header, AVIF within what libaom 3.14 changed (with 3.13 it agrees exactly)."""
    earlier = published.stored("kodak_measured.json")["curves"][name]
    found = json.loads((COMMITTED / f"{name}.json").read_text(encoding="utf-8"))["results"]
    shared = [setting for setting in found["setting"] if setting in earlier["setting"]]
    assert len(shared) >= 8
    for setting in shared:
        mine, other = found["setting"].index(setting), earlier["setting"].index(setting)
        assert found["bpp"][mine] == pytest.approx(earlier["bpp"][other], rel=rate)
        assert found["psnr-rgb"][mine] == pytest.approx(earlier["psnr-rgb"][other], abs=decibels)
