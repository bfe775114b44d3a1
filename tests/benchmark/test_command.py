# SPDX-License-Identifier: BSD-3-Clause
"""``calotype bench`` from its arguments to its files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from calotype.cli import app

pytest.importorskip("matplotlib")
FAST = ["--speed-rounds", "0", "--viewer", "0"]
TWO = ["--codecs", "jpeg,webp", "--settings", "jpeg=10,40,90", "--settings", "webp=90,5,40"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_everything(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "deep" / "results"
    more = ["--speed-rounds", "1", "--viewer", "1", "--viewer-rates", "0.5", "--published", "vtm", "--name", "crops"]
    result = bench(folder, "--out", out, *TWO, *more, "--metric", "psnr,ms-ssim,ssim,psnr-hvs")
    assert result.exit_code == 0, result.output
    assert "BD-rate of jpeg" in result.stdout and "Speed in megapixels" in result.stdout
    assert "means over the 24 Kodak pictures" in result.stderr and "report.html" in result.stderr
    stored = json.loads((out / "webp.json").read_text(encoding="utf-8"))
    assert stored["results"]["setting"] == [5, 40, 90]
    assert {"psnr-rgb", "ms-ssim-rgb", "ssim-rgb", "psnr-hvs-luma"} <= set(stored["results"])
    assert stored["description"].endswith("; crops, 2 pictures, real files")
    assert (out / "plots" / "psnr-hvs.svg").is_file()

    kept = list((tmp_path / "cache" / "calotype" / "bench").rglob("*.json"))
    assert len(kept) == 2 * 6 + 2
    monkeypatch.setattr("calotype.benchmark.measure.Trial", None)  # nothing is measured twice
    again = bench(folder, "--out", tmp_path / "again", *TWO, *FAST, "--metric", "psnr,ssim", "--quiet")
    assert again.exit_code == 0, again.output
    assert again.output == ""
    assert (
        json.loads((tmp_path / "again" / "webp.json").read_text(encoding="utf-8"))["pictures"]["a"]["bytes"]
        == (stored["pictures"]["a"]["bytes"])
    )


def test_several_at_a_time(folder: Path, tmp_path: Path) -> None:
    result = bench(folder, "--out", tmp_path / "out", *TWO, *FAST, "--jobs", "2", "--metric", "psnr", "--fresh")
    assert result.exit_code == 0, result.output
    stored = json.loads((tmp_path / "out" / "jpeg.json").read_text(encoding="utf-8"))
    assert stored["results"]["encode_mps"] == [None] * 3 and None not in stored["results"]["psnr-rgb"]
    assert "several at a time" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--codecs", "gif"], "there is no gif; there are: talbot, talbot-eye"),
        (["--codecs", ","], "name one or more of talbot"),
        (["--metric", "beauty"], "there is no beauty; there are: ssimulacra2"),
        (["--published", "x266"], "there is no x266; there are: all, vtm"),
        (["--settings", "avif=30", "--codecs", "jpeg"], "none of the codecs of this run"),
        (["--settings", "jpeg=a,b", "--codecs", "jpeg"], "not CODEC=NUMBER"),
        (["--settings", "jpeg=1,500", "--codecs", "jpeg"], "the quality of jpeg is 1 to 100"),
        (["--viewer-rates", "low"], "not BPP,BPP"),
        (["--viewer-rates", "0"], "above 0"),
        (["--jobs", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_usage(folder: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = bench(folder, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_bad_input(folder: Path, tmp_path: Path) -> None:
    missing = bench(tmp_path / "none", "--out", tmp_path / "out")
    assert missing.exit_code == 1 and "is not a folder of pictures" in missing.stderr
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert bench(folder, "--out", file).exit_code == 2


def test_missing_packages(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "imagecodecs", None)
        result = bench(folder, "--out", tmp_path / "out", "--codecs", "jxl")
        assert result.exit_code == 1 and "pip install 'calotype[bench]'" in result.stderr
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = bench(folder, "--out", tmp_path / "out", "--codecs", "jpeg")
    assert result.exit_code == 1 and "the plots need matplotlib: pip install 'calotype[bench]'" in result.stderr


def test_interrupted(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calotype.benchmark.records import Trial

    run, count = Trial.run, iter(range(99))

    def stop_at_the_fifth(trial: Trial) -> None:
        if next(count) == 4:
            raise KeyboardInterrupt
        run(trial)

    with monkeypatch.context() as patch:
        patch.setattr(Trial, "run", stop_at_the_fifth)
        stopped = bench(folder, "--out", tmp_path / "out", *TWO, *FAST, "--metric", "psnr")
    assert stopped.exit_code == 130 and not (tmp_path / "out").exists()
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 4
    assert bench(folder, "--out", tmp_path / "out", *TWO, *FAST, "--metric", "psnr").exit_code == 0
