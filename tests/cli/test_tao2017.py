# SPDX-License-Identifier: BSD-3-Clause
"""``calotype restore``, ``wrap``, ``extract`` and ``encode --codec tao2017``; with a small random bundle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("onnx")

import calotype
from calotype.cli import app
from tests.make_golden import drawing
from tests.small_tao2017 import write_bundle


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("tao2017")).parent


@pytest.fixture(autouse=True)
def album(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(weights))
    monkeypatch.chdir(tmp_path)
    Path("album/trip").mkdir(parents=True)
    Image.fromarray(drawing(60, 80, 3, 8)).save("photo.jpg", quality=40)
    Image.fromarray(drawing(30, 40, 3, 8)).save("album/a.jpg")
    Image.fromarray(drawing(30, 40, 3, 8)).save("album/trip/b.webp")
    Image.fromarray(drawing(30, 40, 3, 8)).save("album/drawing.png")


def run(*arguments: object, stdin: bytes = b"", code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=100)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def words(result: Any) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def tree(folder: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("[!.]*") if path.is_file()}


def test_restore_one() -> None:
    run("restore", "photo.jpg")
    assert (np.asarray(Image.open("photo-restored.png")) == calotype.restore("photo.jpg", as_array=True)).all()
    assert "exists already" in words(run("restore", "photo.jpg", code=1))
    run("restore", "photo.jpg", "--overwrite", "-q")
    run("restore", "photo.jpg", "-o", "better.webp")
    assert Image.open("better.webp").format == "WEBP"
    run("restore", "photo.jpg", "--format", "jpg")
    assert Image.open("photo-restored.jpg").format == "JPEG"


def test_restore_a_folder() -> None:
    result = run("restore", "album", "-o", "better/")
    assert tree("better") == {"a.png", "trip/b.png"}
    assert "1 .png" in words(result)  # passed over, and said so
    assert "2 up to date" in words(run("restore", "album", "-o", "better/"))
    assert "name another folder" in words(run("restore", "album", code=2))
    assert "the folder of the pictures" in words(run("restore", "album", "-o", "album", code=2))
    run("restore", "album/drawing.png", "photo.jpg", "-o", "named/")
    assert tree("named") == {"drawing.png", "photo.png"}


def test_restore_in_a_pipe() -> None:
    result = run("restore", "-", stdin=Path("photo.jpg").read_bytes())
    expected = calotype.restore("photo.jpg", as_array=True)
    assert (np.asarray(Image.open(io.BytesIO(result.stdout_bytes))) == expected).all()


def test_restore_bad_files() -> None:
    Path("album/bad.jpg").write_bytes(b"nothing")
    assert "bad.jpg" in words(run("restore", "album", "-o", "better/", code=1))
    assert tree("better") == {"a.png", "trip/b.png"}
    run("restore", "none.jpg", code=1)
    run("restore", "photo.jpg", "--format", "doc", code=2)
    run("restore", "photo.jpg", "-o", "better.doc", code=2)


def test_encode_and_extract() -> None:
    run("encode", "photo.jpg", "--codec", "tao2017", "-q")
    run("extract", "photo.calo", "-o", "small.jpg")
    assert Image.open("small.jpg").size == (40, 30)
    assert Path("small.jpg").read_bytes() == calotype.extract(Path("photo.calo").read_bytes())
    run("encode", "album", "-o", "small/", "--codec", "tao2017", "--base", "webp", "--scale", "1")
    run("extract", "small", "-o", "files")
    assert tree("files") == {"a.webp", "drawing.webp", "trip/b.webp"}
    assert Image.open("files/a.webp").size == (40, 30)
    run("extract", "small/a.calo")
    assert "small/a.webp" in {f"small/{name}" for name in tree("small")}
    assert "WebP: name it .webp" in words(run("extract", "small/a.calo", "-o", "wrong.jpg", code=1))
    assert not Path("wrong.jpg").exists()
    wrong = words(
        run("encode", "photo.jpg", "-o", "x.calo", "--codec", "tao2017", "--scale", 2, "--base", "gif", code=2)
    )
    assert "Invalid value for '--base': base of codec 'tao2017' should be" in wrong
    run("encode", "photo.jpg", "-o", "x.calo", "--codec", "tao2017", "--scale", "4", code=2)


def test_wrap_and_extract() -> None:
    original = Path("photo.jpg").read_bytes()
    run("wrap", "photo.jpg")
    assert "wrapped as it was" in run("info", "photo.calo").stdout
    assert "exists already" in words(run("extract", "photo.calo", code=1))
    run("extract", "photo.calo", "-o", "again.jpg")
    assert Path("again.jpg").read_bytes() == original
    run("decode", "photo.calo")
    run("restore", "photo.jpg")
    decoded, restored = (np.asarray(Image.open(f"photo{name}.png")) for name in ("", "-restored"))
    original = np.asarray(Image.open("photo.jpg"))
    moved, less = np.abs(decoded.astype(int) - original), np.abs(restored.astype(int) - original)
    assert ((decoded == restored) | (less < moved)).all()  # restoring leaves flat places alone
    run("wrap", "photo.jpg", "-o", "large.calo", "--scale", "2", "--size", "159x120")
    assert "159 × 120" in run("info", "large.calo").stdout
    run("wrap", "album", "-o", "wrapped")
    assert tree("wrapped") == {"a.calo", "trip/b.calo"}
    run("extract", "wrapped", "-o", "files/")
    assert Path("files/trip/b.webp").read_bytes() == Path("album/trip/b.webp").read_bytes()


def test_folders_come_back_as_they_were() -> None:
    Image.fromarray(drawing(30, 40, 3, 8)).save("album/a.webp")
    run("wrap", "album", "-o", "wrapped/")
    assert tree("wrapped") == {"a.jpg.calo", "a.webp.calo", "trip/b.calo"}
    run("extract", "wrapped", "-o", "files/")
    assert tree("files") == {"a.jpg", "a.webp", "trip/b.webp"}
    Path("wrapped/a.calo").write_bytes(Path("wrapped/a.jpg.calo").read_bytes())  # two files that would be a.jpg
    run("extract", "wrapped", "-o", "more/")
    assert tree("more") == {"a.jpg", "a.jpg.jpg", "a.webp", "trip/b.webp"}
    assert "tao2017 wrapped" in run("info", "wrapped").stdout


def test_wrap_and_extract_in_pipes() -> None:
    original = Path("photo.jpg").read_bytes()
    wrapped = run("wrap", "-", stdin=original).stdout_bytes
    assert run("extract", "-", stdin=wrapped).stdout_bytes == original
    run("extract", "-", "-o", "out/", stdin=wrapped)
    assert Path("out/picture.jpg").read_bytes() == original


def test_wrong_usage() -> None:
    run("wrap", "photo.jpg", "--scale", "3", code=2)
    for size in ("12", "0x4", "axb", "1x2x3", "-1x4"):
        run("wrap", "photo.jpg", f"--size={size}", code=2)
    run("wrap", "album", "-o", "w", "--scale", "2", "--size", "4x4", code=2)
    assert "does not fit" in words(run("wrap", "photo.jpg", "--size", "4x4", code=1))
    assert "only a JPEG" in words(run("wrap", "album/drawing.png", "-o", "d.calo", code=1))
    Path("bad.calo").write_bytes(b"nothing")
    run("extract", "bad.calo", code=1)
    run("extract", "album", "-o", "files/", code=1)


def test_help_teaches() -> None:
    for command in ("restore", "extract", "wrap"):
        assert f"calotype {command}" in run(command, "--help").stdout
