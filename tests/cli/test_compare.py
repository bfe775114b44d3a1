# SPDX-License-Identifier: BSD-3-Clause
"""``calotype compare`` on the command line."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from calotype import metrics
from calotype.cli import app
from calotype.cli.compare_table import print_table
from calotype.comparison.outcome import Picture, best, compare
from calotype.comparison.table import columns
from calotype.metrics.catalogue import METRICS
from calotype.raster import Raster
from tests.make_golden import GOLDEN
from tests.metrics.copies import PHOTOGRAPH
from tests.metrics.test_squeezenet import WEIGHTS


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.chdir(tmp_path)
    image = Image.fromarray(PHOTOGRAPH[:240, 100:340])
    image.save("photo.png")
    image.save("low.jpg", quality=20)
    image.save("high.jpg", quality=85)
    image.resize((60, 60)).save("small.png")
    image.resize((60, 60)).save("small.webp", quality=60)
    return tmp_path


def run(*arguments: object, stdin: bytes = b"") -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], input=stdin, terminal_width=100)


def ok(*arguments: object, stdin: bytes = b"") -> Any:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def fails(code: int, *arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.replace("│", " ").split())


def test_table() -> None:
    out = ok("photo.png", "low.jpg", "high.jpg").stdout
    lines = out.splitlines()
    original, low, high = (
        next(line for line in lines if name in line) for name in ("photo.png", "low.jpg", "high.jpg")
    )
    size = Path("low.jpg").stat().st_size
    assert "(original)" in original and f"{Path('photo.png').stat().st_size * 8 / 57600:.3f}" in original
    assert f"{size:,}*" in low and f"{size * 8 / 57600:.3f}*" in low
    a, b = np.asarray(Image.open("photo.png")), np.asarray(Image.open("high.jpg"))
    for value in (metrics.psnr(a, b), metrics.psnr_luma(a, b), metrics.psnr_hvs(a, b), metrics.psnr_hvs_m(a, b)):
        assert f"{value:.2f}*" in high
    assert f"{metrics.ms_ssim(a, b):.4f}*" in high and low.count("*") == 2
    assert "PSNR-HVS-M" in out and "SSIMULACRA" in out and "perceptual" not in out


def test_one_other_is_best_in_nothing() -> None:
    assert "*" not in ok("photo.png", "low.jpg").stdout


def test_json() -> None:
    answer = json.loads(ok("photo.png", "low.jpg", "photo.png", "--json").stdout)
    assert answer["original"]["file"] == "photo.png" and answer["original"]["bpp"] > 5
    low, same = answer["others"]
    assert low["bytes"] == Path("low.jpg").stat().st_size and low["bpp"] == low["bytes"] * 8 / 57600
    a, b = np.asarray(Image.open("photo.png")), np.asarray(Image.open("low.jpg"))
    assert low["metrics"]["psnr-rgb"] == metrics.psnr(a, b)
    assert low["ms_ssim_scales"] == 5 and low["notes"] == []
    assert float(same["metrics"]["psnr-rgb"]) == math.inf and same["metrics"]["ssim-rgb"] == 1
    assert set(low["metrics"]) <= set(METRICS)


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(ok("photo.png", "low.jpg", "photo.png", "--csv").stdout)))
    assert [row["file"] for row in rows] == ["photo.png", "low.jpg", "photo.png"]
    assert rows[0]["psnr-rgb"] == "" and float(rows[0]["bpp"]) > 5 and rows[0]["width"] == "240"
    assert float(rows[1]["mse-rgb"]) > 1 and rows[2]["psnr-rgb"] == "inf"


def test_calo_files() -> None:
    out = CliRunner().invoke(app, ["encode", "photo.png", "--quality", "70"])
    assert out.exit_code == 0, out.output
    answer = json.loads(ok("photo.png", "photo.calo", "--json", "--threads", 1).stdout)
    assert answer["others"][0]["bytes"] == Path("photo.calo").stat().st_size
    assert ok("photo.calo", "photo.png", "low.jpg").exit_code == 0  # as the original as well


def test_map_and_page() -> None:
    result = ok("photo.png", "low.jpg", "high.jpg", "--map", "out/map.png", "--html", "out/page.html")
    sheet = Image.open("out/map.png")
    assert sheet.width > 3 * 240 and sheet.height > 2 * 240
    text = Path("out/page.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and "low.jpg" in text
    assert f"written: {Path('out/map.png')}" in result.stderr


def test_features() -> None:
    np.savez("squeezenet.npz", **WEIGHTS)
    answer = json.loads(ok("photo.png", "low.jpg", "--features", "squeezenet.npz", "--json").stdout)
    assert 0 < answer["others"][0]["metrics"]["squeezenet"] < 2
    assert "perceptual" in ok("photo.png", "low.jpg", "--features", "squeezenet.npz").stdout
    assert "there is no file none.npz" in fails(1, "photo.png", "low.jpg", "--features", "none.npz")
    assert "is no npz file" in fails(1, "photo.png", "low.jpg", "--features", "photo.png")


def test_without_butteraugli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calotype.metrics.catalogue.has_butteraugli", lambda: False)
    result = ok("photo.png", "low.jpg")
    assert "Butteraugli" not in result.stdout
    assert "Butteraugli is left out" in result.stderr and "libjxl-devtools" in result.stderr
    assert "libjxl-devtools" in fails(1, "photo.png", "low.jpg", "--metric", "butteraugli")


def test_chosen_metrics() -> None:
    answer = json.loads(ok("photo.png", "low.jpg", "--metric", "psnr,ssimulacra2", "--json").stdout)
    assert list(answer["others"][0]["metrics"]) == ["psnr-rgb", "ssimulacra2"]
    assert "there is no beauty" in " ".join(fails(2, "photo.png", "low.jpg", "--metric", "beauty").split())


def test_small_pictures() -> None:
    result = ok("small.png", "small.webp")
    assert "MS-SSIM with 3 of 5 scales" in result.stderr
    Image.new("RGB", (3, 2)).save("dot.png")
    result = ok("dot.png", "dot.png")
    assert "too small" in result.stderr
    assert " - " in result.stdout and "inf" in result.stdout


def test_kinds_of_pictures() -> None:
    image = Image.open("photo.png")
    image.convert("L").save("grey.png")
    image.convert("RGBA").save("opaque.png")
    transparent = image.convert("RGBA")
    transparent.putalpha(100)
    transparent.save("transparent.png")
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save("deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save("turned.png", exif=exif)
    names = ["opaque.png", "turned.png", "grey.png", "deep.png", "transparent.png"]
    answer = json.loads(ok("photo.png", *names, "--json").stdout)
    found = {other["file"]: other for other in answer["others"]}
    for name in ("opaque.png", "turned.png"):
        assert found[name]["metrics"]["mse-rgb"] == 0 and found[name]["notes"] == []
    assert "compared as RGB" in found["grey.png"]["notes"][0]
    assert any("16 bits" in note for note in found["deep.png"]["notes"])
    grey, deep = (found[name]["metrics"]["psnr-rgb"] for name in ("grey.png", "deep.png"))
    assert grey == pytest.approx(deep, abs=1e-9)
    assert "medium grey" in found["transparent.png"]["notes"][0]


def test_what_is_not_compared_is_told() -> None:
    image = Image.open("photo.png")
    for name in ("one.gif", "two.gif"):
        image.save(name, save_all=True, append_images=[image.rotate(90)])
    told = " ".join(ok("one.gif", "two.gif", "--metric", "psnr").stderr.split())
    for name in ("one.gif", "two.gif"):
        assert f"calotype: {name}: warning: it has 2 pictures, of which one is kept" in told
    assert "LossWarning" not in told


def test_a_bad_picture_does_not_stop_the_others() -> None:
    Path("text.jpg").write_text("hello", encoding="utf-8")
    result = run("photo.png", "small.png", "none.png", "text.jpg", "low.jpg")
    assert result.exit_code == 1 and "low.jpg" in result.stdout
    errors = result.stderr
    assert "small.png: it has 60 x 60 pixels and the original 240 x 240" in " ".join(errors.split())
    assert "none.png: there is no such file" in errors and "text.jpg: not a picture" in errors
    assert "none.png: there is no such file" in fails(1, "none.png", "low.jpg")


def test_standard_input() -> None:
    answer = json.loads(ok("photo.png", "-", "--json", stdin=Path("low.jpg").read_bytes()).stdout)
    assert answer["others"][0]["file"] == "standard input"
    assert answer["others"][0]["bytes"] == Path("low.jpg").stat().st_size


def test_wrong_usage() -> None:
    fails(2, "photo.png")
    assert "cannot be combined with --json" in fails(2, "photo.png", "low.jpg", "--json", "--csv")
    assert "can be read only once" in fails(2, "-", "-")
    assert "should end in .png" in fails(2, "photo.png", "low.jpg", "--map", "map.jpg")
    assert "should end in .html or .htm" in fails(2, "photo.png", "low.jpg", "--html", "page")
    before = Path("photo.png").read_bytes()
    assert "never overwritten" in fails(2, "photo.png", "low.jpg", "--map", "./photo.png")
    os.link("photo.png", "other.png")  # another name of the same file, as where the case of letters does not count
    assert "never overwritten" in fails(2, "photo.png", "low.jpg", "--map", "other.png")
    assert Path("photo.png").read_bytes() == before


def test_outputs_that_cannot_be_written() -> None:
    Path("file").write_text("", encoding="utf-8")
    message = fails(1, "photo.png", "low.jpg", "--map", "file/map.png", "--html", "page.html")
    assert f"cannot write {Path('file/map.png')}" in message and Path("page.html").exists()


def test_narrow_terminals_get_several_tables() -> None:
    from rich.console import Console

    rng = np.random.default_rng(1)
    samples = rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    original = Picture("a.png", Raster(samples), 100)
    others = [Picture("x" * 70 + ".png", Raster(samples // n), 50 * n) for n in (1, 2)]
    outcomes = [compare(original, other) for other in others]
    assert best(outcomes, "mse-rgb") == {0} and best(outcomes, "bytes") == {0} and best(outcomes[:1], "bytes") == set()
    out = io.StringIO()
    print_table(Console(file=out, width=72, force_terminal=True), original, outcomes, columns(list(METRICS.values())))
    lines = out.getvalue().splitlines()
    assert sum("(original)" in line for line in lines) > 1
    plain = out.getvalue().replace("\n", "")
    assert "PSNR-HVS-M" in plain and "…" in plain


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
def test_names_are_printed_safely() -> None:
    Path("low.jpg").rename("[red]\x1b[31m.jpg")
    out = ok("photo.png", "[red]\x1b[31m.jpg").stdout
    assert "[red]" in out and "\x1b[31m.jpg" not in out
