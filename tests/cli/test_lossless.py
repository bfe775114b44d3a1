# SPDX-License-Identifier: BSD-3-Clause
"""``calotype encode --lossless`` and ``--verify``, and ``extract``, ``info`` and ``codecs`` on what they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import calotype
import calotype.pillow
from calotype.cli import app
from tests.make_golden import drawing


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden_weights: None) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(40, 50, 3, 8)).save("drawing.png")
    Image.fromarray(drawing(60, 80, 3, 8)).save("photo.jpg", quality=85)


def run(*arguments: object, stdin: bytes = b"", code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=100)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def words(result: Any) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_a_folder_of_both() -> None:
    assert "verified" in words(run("encode", "drawing.png", "photo.jpg", "--lossless", "--verify", "-o", "out"))
    assert np.array_equal(calotype.read("out/drawing.calo", as_array=True), drawing(40, 50, 3, 8))
    run("extract", "out/photo.calo", "-o", "back.jpg")
    assert Path("back.jpg").read_bytes() == Path("photo.jpg").read_bytes()
    run("decode", "out/photo.calo", "-o", "seen.png")
    assert np.array_equal(np.asarray(Image.open("seen.png")), np.asarray(Image.open("photo.jpg")))
    run("extract", "out")
    assert np.array_equal(np.asarray(Image.open("out/drawing.webp").convert("RGB")), drawing(40, 50, 3, 8))
    assert "WebP: name it .webp" in words(run("extract", "out/drawing.calo", "-o", "wrong.png", code=1))
    assert "2 up to date" in words(run("encode", "drawing.png", "photo.jpg", "--lossless", "--verify", "-o", "out"))


def test_in_a_pipe() -> None:
    jpeg = Path("photo.jpg").read_bytes()
    assert calotype.extract(run("encode", "-", "--lossless", stdin=jpeg).stdout_bytes) == jpeg


def test_samples_of_a_jpeg_on_request() -> None:
    run("encode", "photo.jpg", "--lossless", "--still", "png")
    assert calotype.probe(Path("photo.calo").read_bytes()).inside == "1 PNG"


def test_what_does_not_go_together() -> None:
    for options, match in [
        (["--quality", "50"], "gives back every sample"),
        (["--target-size", "5kB"], "gives back every sample"),
        (["--codec", "toderici2017"], "'toderici2017' is not lossless"),
    ]:
        assert match in words(run("encode", "drawing.png", "--lossless", *options, code=2))
    assert "keeps its metadata too" in words(run("encode", "photo.jpg", "--lossless", "--strip", code=1))
    assert not Path("photo.calo").exists()


def test_lossy_files_are_verified_too() -> None:
    assert "verified" in words(run("encode", "drawing.png", "--verify"))


def test_nothing_appears_if_verification_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from calotype.codecs.lossless import codec

    read = codec.stills.read
    monkeypatch.setattr(codec.stills, "read", lambda data, size: read(data, size) ^ 1)
    result = run("encode", "drawing.png", "--lossless", "--verify", code=1)
    assert "verification failed: the file that was made gives back other samples" in words(result)
    assert not Path("drawing.calo").exists()


def test_info_and_codecs() -> None:
    run("encode", "drawing.png", "--lossless")
    sheet = run("info", "drawing.calo").stdout
    assert "none needed" in sheet and "1 WebP" in sheet and "wrapped" not in sheet
    record = json.loads(run("info", "drawing.calo", "--json").stdout)
    assert record["installed"] and record["inside"] == "1 WebP"
    known = {codec["id"]: codec for codec in json.loads(run("codecs", "--json").stdout)}
    assert known["lossless"]["weightless"] and not known["talbot"]["weightless"]


def test_through_pillow() -> None:
    calotype.pillow.register()
    Image.open("drawing.png").save("a.calo", lossless=True, verify=True)
    assert np.array_equal(np.asarray(Image.open("a.calo")), drawing(40, 50, 3, 8))
