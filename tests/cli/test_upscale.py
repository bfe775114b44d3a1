# SPDX-License-Identifier: BSD-3-Clause
"""``calotype upscale``, and ``encode`` with the options of ``ledig2017``."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import calotype
from calotype.cli import app
from tests.make_golden import GOLDEN, drawing
from tests.small_enlarger import write_enlarger


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for model, scale in (("srresnet", 2), ("srresnet", 4), ("srgan", 4)):
        write_enlarger(tmp_path / "weights", model, scale)
    monkeypatch.setenv("CALOTYPE_WEIGHTS", os.pathsep.join([str(tmp_path / "weights"), str(GOLDEN / "weights")]))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def run(*arguments: object, stdin: bytes = b"") -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=100)


def ok(*arguments: object, stdin: bytes = b"") -> Any:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def fails(code: int, *arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.replace("│", " ").split())


def draw(path: str, channels: int = 3) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawing(20, 30, channels, 8)).save(path)
    return Path(path)


def tree(folder: str = ".") -> set[str]:
    return {p.relative_to(folder).as_posix() for p in Path(folder).rglob("[!.]*") if p.is_file()}


def test_beside_the_picture() -> None:
    before = draw("photo.png").read_bytes()
    line = ok("upscale", "photo.png").stderr
    assert "photo.png" in line and "120 × 80" in line
    assert tree() == {"photo.png", "photo-4x.png"} and Image.open("photo-4x.png").size == (120, 80)
    assert "photo-4x.png exists already" in fails(1, "upscale", "photo.png")
    ok("upscale", "photo.png", "--overwrite", "-q")
    ok("upscale", "photo.png", "--scale", 2, "--format", "webp")
    assert Image.open("photo-2x.webp").size == (60, 40)
    assert Path("photo.png").read_bytes() == before


def test_into_a_file_or_a_folder() -> None:
    draw("photo.png", 4)
    ok("upscale", "photo.png", "-o", "deep/large.webp", "--scale", 2)
    large = Image.open("deep/large.webp")
    assert (large.format, large.mode, large.size) == ("WEBP", "RGBA", (60, 40))
    ok("upscale", "photo.png", "-o", "out/")
    assert tree() == {"photo.png", "deep/large.webp", "out/photo.png"}
    assert "never overwritten" in fails(1, "upscale", "photo.png", "-o", "photo.png", "--overwrite")
    assert "no alpha channel" in fails(1, "upscale", "photo.png", "-o", "large.jpg")


def test_a_folder() -> None:
    draw("album/a.png"), draw("album/trip/b.jpg")
    assert "name another folder" in fails(2, "upscale", "album")
    assert "is the folder of the pictures" in fails(2, "upscale", "album", "-o", "album/")
    report = ok("upscale", "album", "-o", "large", "--scale", 2).stderr
    assert "2 enlarged" in report and tree("large") == {"a.png", "trip/b.png"}
    assert "2 up to date" in ok("upscale", "album", "-o", "large", "--scale", 2).stderr


def test_calo_files_are_decoded_first() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    ok("upscale", "photo.calo")
    assert Image.open("photo-4x.png").size == (120, 80)


def test_in_a_pipe() -> None:
    data = draw("photo.png").read_bytes()
    made = ok("upscale", "-", "--scale", 2, stdin=data)
    assert Image.open(io.BytesIO(made.stdout_bytes)).size == (60, 40)
    assert tree() == {"photo.png"}


def test_wrong_usage() -> None:
    draw("photo.png")
    assert "3 is not one of 2, 4" in fails(2, "upscale", "photo.png", "--scale", 3)
    assert "'nix' is not one of" in fails(2, "upscale", "photo.png", "--format", "nix")
    assert "there is no model esrgan for scale 4; there are: " in fails(1, "upscale", "photo.png", "--model", "esrgan")


def test_a_result_that_would_be_too_large() -> None:
    Image.fromarray(np.zeros((2, 20000), np.uint8)).save("long.png")
    assert "80000 x 8 pixels" in fails(1, "upscale", "long.png")
    assert tree() == {"long.png"}


def test_help_teaches() -> None:
    text = ok("upscale", "--help").stdout
    assert "photo-4x.png" in text and "srgan" in text and "Exit codes" in text


def test_encoding_with_options() -> None:
    draw("photo.png")
    ok("encode", "photo.png", "--codec", "ledig2017", "--scale", 4, "--model", "srgan")
    sheet = ok("info", "photo.calo").stdout
    assert (
        "ledig2017, quality 60" in sheet
        and "(srgan-x4) and " in sheet
        and " of talbot, installed" in sheet
        and "4096 × 4096" in sheet
    )
    assert calotype.probe(Path("photo.calo").read_bytes()).tile == 4096
    ok("decode", "photo.calo", "-o", "back.png")
    assert Image.open("back.png").size == (30, 20)
    assert "has no option scale" in fails(2, "encode", "photo.png", "-o", "x.calo", "--scale", 4)
    assert "scale of codec 'ledig2017' should be 2 or 4" in fails(
        2, "encode", "photo.png", "-o", "x.calo", "--codec", "ledig2017", "--scale", 3
    )
    listing = ok("codecs").stdout
    assert "ledig2017" in listing and "srgan-x4" in listing
