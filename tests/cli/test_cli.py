# SPDX-License-Identifier: BSD-3-Clause
"""The command line, with a codec that needs no weights; the last tests use the real one where it is installed."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import calotype
from calotype import codecs, container, raster
from calotype.api import decode as api
from calotype.cli import app, made
from calotype.cli.destination import destination
from calotype.cli.jobs import plan
from calotype.cli.names import cell_width, counted, fit, shown
from calotype.cli.screen import Bars, errors
from calotype.cli.sizes import format_size, parse_size
from calotype.cli.walk import PICTURE_SUFFIXES, find
from calotype.engine import bundles
from calotype.errors import CalotypeError, DamageWarning

BUNDLE = b"\x01\x02\x03\x04"
posix = pytest.mark.skipif(os.name != "posix", reason="links of POSIX")


class FakeCodec:
    """Stores a PNG; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.failure: BaseException | None = None

    def encode(self, picture: raster.Raster, *, progress: Any = None, strip: bool = False, **asked: Any) -> bytes:
        self.asked = {"strip": strip, **asked}
        if self.failure is not None:
            raise self.failure
        source = raster.from_picture(picture, strip=strip)
        out = io.BytesIO()
        raster.save(raster.Raster(source.samples), out, "png")
        header = container.Header("talbot", BUNDLE, source.width, source.height, source.channels, 8, False, 15360, 1024)
        tiles = (out.getvalue(), *[b""] * (header.tile_count - 1))
        for done in range(header.tile_count):
            progress(done + 1, header.tile_count)
        return container.pack(container.Container(header, source.metadata, None, tiles))

    def decode(self, data: bytes, *, region: Any = None, progress: Any = None, **asked: Any) -> raster.Raster:
        self.asked = {"region": region, **asked}
        content = container.unpack(data, salvage=asked["salvage"])
        for lost in content.warnings:
            warnings.warn(lost, DamageWarning, stacklevel=2)
        tile = content.tiles[0]
        if tile is None:
            return raster.Raster(np.zeros((1, 1, 3), np.uint8))
        return raster.load(io.BytesIO(tile))


@pytest.fixture(autouse=True)
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCodec:
    """The fake codec, in an empty working folder."""
    fake = FakeCodec()
    monkeypatch.chdir(tmp_path)
    if "real" not in request.fixturenames:
        monkeypatch.setattr("calotype.api.encode.encode", fake.encode)
        monkeypatch.setattr(api, "decode_raster", fake.decode)
    return fake


@pytest.fixture
def real() -> None:
    """The real codec."""
    if not any(bundle.codec == codecs.DEFAULT for bundle in bundles.installed()):
        pytest.skip("its weights are not installed")


def run(*arguments: object, stdin: bytes = b"") -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=100)
    if os.sep != "/":  # names in messages, as tests write them; standard output may be a picture
        result.stderr_bytes = (result.stderr_bytes or b"").replace(b"\\", b"/")
    return result


def ok(*arguments: object, stdin: bytes = b"") -> Any:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def fails(code: int, *arguments: object, stdin: bytes = b"") -> str:
    """The one line of standard error."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.replace("│", " ").split())


def draw(path: str | Path, size: tuple[int, int] = (40, 30)) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    Image.fromarray(np.stack([x * 5 % 256, y * 7 % 256, x + y], -1).astype(np.uint8)).save(path)
    return path


def tree(folder: str | Path) -> set[str]:
    folder = Path(folder)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != made.NAME}


def age(path: str | Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


# --- one file ---------------------------------------------------------------------------------------------------------


def test_there_and_back() -> None:
    draw("photo.png")
    line = ok("encode", "photo.png").stderr
    assert "photo.png" in line and "bpp" in line and " → " in line and "%" in line
    assert ok("decode", "photo.calo", "-o", "back.png").stdout == ""
    assert Image.open("back.png").tobytes() == Image.open("photo.png").tobytes()
    assert tree(".") == {"photo.png", "photo.calo", "back.png"}


def test_output_as_file_or_folder() -> None:
    draw("photo.png")
    ok("encode", "photo.png", "-o", "new/deep/p.calo", "--quality", 60)
    ok("encode", "photo.png", "-o", "folder/")
    Path("there").mkdir()
    ok("encode", "photo.png", "--output", "there")
    assert tree(".") == {"photo.png", "new/deep/p.calo", "folder/photo.calo", "there/photo.calo"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--quality", 71.5], {"quality": 71.5}),
        (["--target-size", "80kB"], {"target_size": 80_000}),
        (["--target-psnr", 40], {"target_psnr": 40.0}),
        (["--target-ssim", 0.98], {"target_ssim": 0.98}),
        (["--target-ssimulacra2", 80], {"target_ssimulacra2": 80.0}),
        (["--strip"], {"strip": True}),
        (["--threads", 2], {"threads": 2}),
    ],
)
def test_options_reach_the_codec(codec: FakeCodec, arguments: list[object], expected: dict[str, object]) -> None:
    draw("photo.png")
    ok("encode", "photo.png", *arguments)
    assert codec.asked == {"strip": False, "codec": "talbot", "threads": None, **expected}


def test_decoding_options_reach_the_codec(codec: FakeCodec) -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    ok("decode", "photo.calo", "-o", "x.png", "--region", "1, 2,30,20", "--threads", 3, "--salvage")
    expected = {"region": (1, 2, 30, 20), "threads": 3, "salvage": True, "iterations": None, "engine": None}
    assert codec.asked == expected


@pytest.mark.parametrize(
    ("output", "options", "form"),
    [
        ("x.jpg", [], "JPEG"), ("x.TIFF", [], "TIFF"), ("x", [], None), ("x.dat", [], None),
        ("x.dat", ["--format", "webp"], "WEBP"), ("x.jpg", ["--format", "PNG"], "PNG"), ("x.calo", [], None),
    ],
)  # fmt: skip
def test_formats(output: str, options: list[str], form: str | None) -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    if form is None:
        assert output in fails(2, "decode", "photo.calo", "-o", output, *options)
    else:
        ok("decode", "photo.calo", "-o", output, *options)
        assert Image.open(output).format == form


def test_the_format_names_the_file() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    ok("decode", "photo.calo", "--format", "jpg")
    assert Image.open("photo.jpg").format == "JPEG"


def test_quiet() -> None:
    draw("photo.png")
    assert ok("encode", "photo.png", "--quiet").output == ""
    assert "exists" in fails(1, "encode", "photo.png", "-q")


# --- standard input and output ----------------------------------------------------------------------------------------


def test_pipes() -> None:
    picture = draw("photo.png").read_bytes()
    made = ok("encode", "-", stdin=picture)
    assert container.read_header(made.stdout_bytes).width == 40
    assert "standard input" in made.stderr
    back = ok("decode", "-", stdin=made.stdout_bytes)
    assert Image.open(io.BytesIO(back.stdout_bytes)).format == "PNG"
    webp = ok("decode", "-", "--format", "webp", stdin=made.stdout_bytes)
    assert Image.open(io.BytesIO(webp.stdout_bytes)).format == "WEBP"
    assert container.read_header(ok("encode", "photo.png", "-o", "-").stdout_bytes).height == 30
    assert "40 × 30" in ok("info", "-", stdin=made.stdout_bytes).stdout
    assert tree(".") == {"photo.png"}


def test_standard_input_into_a_file() -> None:
    picture = draw("photo.png").read_bytes()
    ok("encode", "-", "-o", "p.calo", stdin=picture)
    assert "exists" in fails(1, "encode", "-", "-o", "p.calo", stdin=picture)
    ok("encode", "-", "-o", "out/", stdin=picture)
    assert tree(".") == {"photo.png", "p.calo", "out/picture.calo"}


def test_standard_input_alone_and_output_for_one() -> None:
    draw("album/a.png")
    assert "cannot be combined with other inputs" in fails(2, "encode", "-", "album")
    assert "takes one picture" in fails(2, "encode", "album", "-o", "-")
    assert "it is empty" in fails(1, "encode", "-")


@posix
def test_a_reader_that_leaves_early() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    read, write = os.pipe()
    os.close(read)  # nobody will read
    command = [sys.executable, "-m", "calotype", "info", "--json", "photo.calo"]
    package = str(Path(calotype.__file__).parents[1])
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            command, stdout=pipe, stderr=subprocess.PIPE, check=False, env={**os.environ, "PYTHONPATH": package}
        )
    assert (done.returncode, done.stderr) == (1, b"")


@posix
def test_a_pipe_as_the_output() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file:
        done = ok("decode", "photo.calo", "-o", f"/dev/fd/{write}")  # what the shell makes of >(command)
        os.close(write)
        data = file.read()
    assert Image.open(io.BytesIO(data)).size == (40, 30)
    assert f"→ {format_size(len(data)):>7}" in done.stderr
    assert tree(".") == {"photo.png", "photo.calo"}


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    for form in ("png", "jpg", "webp", "tiff"):
        assert "/dev/full: the disk is full" in fails(1, "decode", "photo.calo", "-o", "/dev/full", "--format", form)


def test_a_picture_that_the_format_cannot_hold_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    wide = raster.Raster(np.zeros((1, 20000, 3), np.uint8))
    monkeypatch.setattr(api, "decode_raster", lambda *_, **__: wide)
    assert "cannot write out/photo.webp as WEBP: " in fails(1, "decode", "photo.calo", "-o", "out/", "--format", "webp")
    assert "cannot write standard output as WEBP: " in fails(1, "decode", "photo.calo", "-o", "-", "--format", "webp")


def test_what_is_encoded_already() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    message = fails(1, "encode", "photo.calo", "-o", "small/")
    assert "photo.calo: it is a .calo file already; decode it first" in message


# --- many files -------------------------------------------------------------------------------------------------------


def test_a_folder_is_mirrored() -> None:
    draw("album/a.png")
    draw("album/sub/deep/B.JPG")
    draw("album/.hidden/x.png")
    draw("album/.x.png")
    Path("album/notes.txt").write_text("no picture", encoding="utf-8")
    report = ok("encode", "album/", "-o", "small/").stderr
    assert tree("small") == {"a.calo", "sub/deep/B.calo"}
    assert "2 encoded: " in report and "(passed over: 1 .txt)" in report
    ok("decode", "small", "-o", "back", "--format", "webp")
    assert tree("back") == {"a.webp", "sub/deep/B.webp"}


def test_a_folder_without_output_is_encoded_in_place() -> None:
    draw("album/sub/a.png")
    ok("encode", "album")
    assert tree("album") == {"sub/a.png", "sub/a.calo"}
    assert "0 encoded, 1 up to date" in ok("encode", "album").stderr


def test_what_is_up_to_date_is_passed_over_and_what_has_changed_made_anew() -> None:
    draw("album/a.png"), draw("album/b.png")
    ok("encode", "album", "-o", "small")
    before = [Path(f"small/{name}.calo").stat().st_mtime_ns for name in "ab"]
    age("album/b.png", -1000)  # touched, and the same
    draw("album/a.png", (50, 20))
    assert "1 encoded, 1 up to date" in ok("encode", "album", "-o", "small").stderr
    assert container.read_header(Path("small/a.calo").read_bytes()).width == 50
    assert Path("small/b.calo").stat().st_mtime_ns == before[1]
    assert "2 encoded" in ok("encode", "album", "-o", "small", "--overwrite").stderr
    assert "2 up to date" in ok("encode", "album", "-o", "small").stderr


def test_an_output_of_another_input_or_other_settings_is_not_up_to_date() -> None:
    draw("A/a.png"), draw("B/a.png", (50, 20))
    age("B/a.png", 1000)
    ok("encode", "A", "-o", "small")
    assert "was made from another file" in fails(1, "encode", "B", "-o", "small")
    assert "with other settings" in fails(1, "encode", "A", "-o", "small", "--quality", 20)
    assert container.read_header(Path("small/a.calo").read_bytes()).width == 40
    Path("A").rename("moved")
    assert "1 up to date" in ok("encode", "moved", "-o", "small").stderr
    ok("encode", "B", "-o", "other")
    ok("decode", "small", "-o", "back")
    assert "was made from another file" in fails(1, "decode", "other", "-o", "back")


def test_an_output_that_was_changed_is_not_replaced() -> None:
    draw("album/a.png")
    ok("encode", "album", "-o", "small")
    age("small/a.calo", 1000)  # written to since
    draw("album/a.png", (50, 20))
    assert "one of them was changed" in fails(1, "encode", "album", "-o", "small")
    Path("small", made.NAME).write_text("nonsense\n{}\n", encoding="utf-8")
    assert "may be an original" in fails(1, "encode", "album", "-o", "small")


def test_a_second_picture_of_the_same_name_leaves_nothing_stale() -> None:
    draw("album/a.png")
    ok("encode", "album")
    draw("album/a.jpg", (50, 20))
    assert "1 encoded, 1 up to date" in ok("encode", "album").stderr
    assert tree("album") == {"a.png", "a.calo", "a.jpg", "a.jpg.calo"}
    assert container.read_header(Path("album/a.calo").read_bytes()).width == 40
    draw("b.png"), draw("b.jpg")
    ok("encode", "b.png")
    assert "b.calo: warning: is there from before" in ok("encode", "b.png", "b.jpg").stderr


def test_originals_are_never_taken_for_outdated_outputs() -> None:
    original = draw("album/a.png").read_bytes()
    age("album/a.png", 1000)
    ok("encode", "album", "-o", "small")
    ok("encode", "album")
    for arguments in (["small", "-o", "album"], ["album"], ["album", "-o", "album"]):
        assert "may be an original, or made from something else; --overwrite replaces it" in fails(
            1, "decode", *arguments
        )
        assert Path("album/a.png").read_bytes() == original
    encoded = Path("small/a.calo").read_bytes()
    Path("other").mkdir()
    Path("other/a.calo").write_bytes(encoded)
    ok("decode", "other")  # the picture was decoded from it
    for arguments in (["other"], ["other", "-o", "other"]):
        assert "may be an original" in fails(1, "encode", *arguments)
        assert Path("other/a.calo").read_bytes() == encoded
    ok("encode", "other", "--overwrite")


def test_an_existing_output_of_one_file() -> None:
    draw("photo.png")
    ok("encode", "photo.png")
    assert "calotype: photo.png: its output photo.calo exists already; --overwrite" in fails(1, "encode", "photo.png")
    ok("encode", "photo.png", "--overwrite")


def test_a_bad_file_does_not_stop_the_others() -> None:
    draw("album/a.png"), draw("album/c.png")
    Path("album/b.png").write_bytes(b"no picture")
    result = run("encode", "album", "album/d.png", "-o", "small")
    assert result.exit_code == 1
    assert "calotype: album/b.png: not a picture in a known format\n" in result.stderr
    assert "calotype: album/d.png: there is no such file or folder\n" in result.stderr
    assert "2 encoded, 2 failed: " in result.stderr
    assert result.stderr.endswith("calotype: 2 not encoded: album/b.png, album/d.png\n")
    assert tree("small") == {"album/a.calo", "album/c.calo"}


def test_an_unexpected_exception_is_named(codec: FakeCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("a.png"), draw("b.png")
    codec.failure = ZeroDivisionError("by accident")
    result = run("encode", "a.png", "b.png")
    assert result.exit_code == 1
    assert result.stderr.count("unexpected ZeroDivisionError: by accident") == 2
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("CALOTYPE_TRACEBACK", "1")
    assert "Traceback" in run("encode", "a.png").stderr


@pytest.mark.parametrize("error", [CalotypeError("the reason"), MemoryError(), KeyboardInterrupt()])
def test_nothing_is_written_after_a_failure(codec: FakeCodec, error: BaseException) -> None:
    draw("a.png")
    codec.failure = error
    result = run("encode", "a.png", "-o", "new/a.calo")
    assert result.exit_code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert result.stderr.startswith("calotype: ")
    assert not Path("new").exists()


def test_several_inputs() -> None:
    draw("x/a.png"), draw("y/a.png"), draw("b.png")
    assert "also that of x/a.png" in fails(1, "encode", "x/a.png", "y/a.png", "b.png", "-o", "out")
    assert tree("out") == {"a.calo", "b.calo"}
    ok("encode", "x", "y", "b.png", "./b.png", "x", "-o", "mirror")
    assert tree("mirror") == {"x/a.calo", "y/a.calo", "b.calo"}


def test_names_that_would_meet_are_kept_whole() -> None:
    for name in ("a.png", "a.jpg", "a.png.jpg", "b.png"):
        draw(f"album/{name}")
    ok("encode", "album", "-o", "small")
    assert tree("small") == {"a.png.calo", "a.jpg.calo", "a.png.jpg.calo", "b.calo"}
    ok("decode", "small", "-o", "back")
    assert tree("back") == {"a.png.png", "a.jpg.png", "a.png.jpg.png", "b.png"}


def test_an_output_folder_inside_of_the_input() -> None:
    draw("album/a.png")
    ok("encode", "album", "-o", "album/small")
    ok("decode", "album/small")  # pictures below the output folder
    assert "0 encoded, 1 up to date" in ok("encode", "album", "-o", "album/small").stderr
    assert tree("album") == {"a.png", "small/a.calo", "small/a.png"}


@posix
def test_links_to_folders_are_not_followed() -> None:
    draw("album/sub/a.png")
    Path("album/sub/loop").symlink_to("..")
    assert "1 linked folder)" in ok("encode", "album", "-o", "small").stderr
    assert tree("small") == {"sub/a.calo"}


@posix
def test_what_is_no_picture_is_passed_over_and_counted() -> None:
    draw("album/a.png")
    os.mkfifo("album/b.png")  # which nobody writes to: reading it would never end
    Path("album/c.png").symlink_to("nowhere")
    Path("album/d.eps").write_bytes(b"")
    Path("album/e").write_bytes(b"")
    found = find([Path("album")], PICTURE_SUFFIXES)
    assert [source.path.name for source in found.files] == ["a.png", "c.png"]
    told = [counted(kind, count) for kind, count in (+found.ignored).items()]
    assert told == ["1 special file", "1 .eps", "1 file without suffix"]
    assert [counted(kind, 2000) for kind in ("linked folders", ".dds")] == ["2,000 linked folders", "2,000 .dds"]


@posix
@pytest.mark.parametrize("stream", ["0<&-", "1>&-", "2>&-"])
def test_closed_streams(stream: str) -> None:
    draw("a.png", (2, 1))
    script = f'exec "$0" -m calotype encode a.png -o a.calo --lossless {stream}'
    root = str(Path(calotype.__file__).parent.parent)
    done = subprocess.run(["sh", "-c", script, sys.executable], env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == 0 and Path("a.calo").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_help_to_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "calotype", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "calotype: no space left on device\n")


def test_a_folder_without_pictures() -> None:
    Path("album").mkdir()
    Path("album/IMG.HEIC").write_bytes(b"")
    assert fails(1, "encode", "album") == "calotype: no pictures in album (passed over: 1 .heic)"
    assert "no .calo files in album" in fails(1, "decode", "album")
    assert "no .calo files in album" in fails(1, "info", "album")


# --- inputs are sacred ------------------------------------------------------------------------------------------------


@posix
def test_an_input_is_never_overwritten() -> None:
    original = draw("photo.png").read_bytes()
    Path("link.calo").symlink_to("photo.png")
    os.link("photo.png", "hard.calo")
    for output in ("link.calo", "hard.calo"):
        assert "is an input" in fails(1, "encode", "photo.png", "-o", output, "--overwrite")
    draw("other.png")
    Path("x").mkdir()
    Path("x/other.calo").symlink_to("../photo.png")
    assert "is an input" in fails(1, "encode", "other.png", "photo.png", "-o", "x", "--overwrite")
    assert Path("photo.png").read_bytes() == original
    made = ok("encode", "photo.png", "-o", "-").stdout_bytes
    Path("disguised.png").write_bytes(made)
    assert "its own output" in fails(1, "decode", "disguised.png", "--overwrite")
    assert Path("disguised.png").read_bytes() == made


@posix
def test_two_outputs_are_never_one_file() -> None:
    draw("album/a.png"), draw("album/b.png", (20, 20))
    Path("small").mkdir()
    Path("small/b.calo").symlink_to("a.calo")
    assert "was just made from another input" in fails(1, "encode", "album", "-o", "small", "--overwrite")
    assert container.read_header(Path("small/a.calo").read_bytes()).width == 40


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("encode", "Missing argument"),
        ("encode a.png --quality 0", "--quality"),
        ("encode a.png --quality 101", "--quality"),
        ("encode a.png --quality 50 --target-size 80kB", "--target-size': cannot be combined with --quality"),
        ("encode a.png --target-psnr 40 --target-ssim 0.9", "cannot be combined with --target-psnr"),
        ("encode a.png --target-size big", "'big' is not a size"),
        ("encode a.png -o a.calo --target-size 20 kB", "as one word: 20kB"),
        ("truncate a.calo --size 1.5 MB", "as one word: 1.5MB"),
        ("encode a.png --target-psnr -3", "not between 0 and 100"),
        ("encode a.png --target-ssimulacra2 100", "not between 0 and 100"),
        ("encode a.png --target-ssim 1", "not between 0 and 1"),
        ("encode a.png --target-ssim nan", "not between 0 and 1"),
        ("encode a.png --threads 0", "--threads"),
        ("encode a.png --threads 65", "64"),
        ("decode a.calo --threads 65", "64"),
        ("encode a.png --codec nonsense", "there is no codec 'nonsense'; there are: talbot"),
        ("encode a.png -o other.png", "should end in .calo"),
        ("encode a.png -o folder", "a new folder is folder/"),
        ("encode a.png b.png -o a.calo", "name a folder"),
        ("encode a.png b.png -o a.png", "name a folder"),
        ("decode a.calo --region 1,2,3", "is not LEFT,TOP,RIGHT,BOTTOM"),
        ("decode a.calo --region 5,5,5,9", "is empty"),
        ("decode a.calo --region=-1,0,5,9", "is not LEFT"),
        ("decode a.calo --format docx", "'docx' is not one of png"),
        ("nonsense", "No such command"),
        ("info --nonsense", "No such option"),
    ],
)
def test_wrong_usage(arguments: str, message: str) -> None:
    draw("a.png"), draw("b.png")
    assert message in fails(2, *arguments.split())
    assert tree(".") == {"a.png", "b.png"}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("80kB", 80_000), ("80 kB", 80_000), ("80KB", 80_000), ("80k", 80_000), ("64KiB", 65_536), ("1.5MB", 1_500_000),
        ("2MiB", 2_097_152), ("1GB", 10**9), ("12345", 12_345), ("7B", 7), (".5kB", 500),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "kB", "-1kB", "1e3", "80 kilobytes", "0", "0.4B", "1,5MB", "٣kB", "9" * 30])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size|less than one byte"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9_999, "10.0 kB"), (41_234, "41.2 kB"), (999_499, "999 kB"),
     (999_500, "1.00 MB"), (12_345_678, "12.3 MB"), (7 * 10**12, "7.00 TB"), (10**16, "10000 TB")],
)  # fmt: skip
def test_sizes_as_text(size: int, text: str) -> None:
    assert format_size(size) == text


# --- info and codecs --------------------------------------------------------------------------------------------------


def test_info() -> None:
    draw("a.png")
    ok("encode", "a.png")
    sheet = ok("info", "a.calo").stdout
    for fact in ("a.calo", "40 × 30, RGB, 8 bits", "talbot, quality 60", "01020304, NOT installed", "bits per pixel"):
        assert fact in sheet
    facts = json.loads(ok("info", "a.calo", "--json").stdout)
    size = Path("a.calo").stat().st_size
    assert (facts["file"], facts["width"], facts["size"], facts["installed"]) == ("a.calo", 40, size, False)
    assert facts["bpp"] == pytest.approx(8 * size / 1200)


def test_info_of_many() -> None:
    draw("album/a.png"), draw("album/sub/b.png")
    ok("encode", "album", "-o", "small")
    Path("small/bad.calo").write_bytes(b"bad")
    Path("small/cut.calo").write_bytes(Path("small/a.calo").read_bytes()[:-3])
    result = run("info", "small")
    assert result.exit_code == 1
    both = [Path("small/a.calo"), Path("small/sub/b.calo")]
    assert [Path(line.split()[0]) for line in result.stdout.splitlines()[:2]] == both
    assert "calotype: small/bad.calo: " in result.stderr and "calotype: small/cut.calo: " in result.stderr
    assert [Path(facts["file"]) for facts in json.loads(run("info", "small", "--json").stdout)] == both


def test_salvage_says_what_is_lost() -> None:
    draw("a.png")
    ok("encode", "a.png")
    data = bytearray(Path("a.calo").read_bytes())
    data[100] ^= 255
    Path("a.calo").write_bytes(data)
    assert "damaged" in fails(1, "decode", "a.calo", "-o", "x.png")
    assert not Path("x.png").exists()
    assert (
        "calotype: a.calo: warning: 1 of 1 tiles are lost" in ok("decode", "a.calo", "-o", "x.png", "--salvage").stderr
    )


def test_codecs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "weights" / "talbot"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(
        json.dumps({"id": "talbot", "hash": "01020304" + "0" * 56, "files": ["a"]}), encoding="utf-8"
    )
    monkeypatch.setenv(bundles.ENVIRONMENT, str(folder.parent))
    table = ok("codecs").stdout
    assert "talbot" in table and "01020304" in table
    records = json.loads(ok("codecs", "--json").stdout)
    assert records[0]["id"] == "talbot" and records[0]["weights"][0]["hash"].startswith("01020304")
    draw("a.png")
    ok("encode", "a.png")
    assert "01020304, installed" in ok("info", "a.calo").stdout


# --- help, completion, start ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["encode", "decode", "info", "codecs"])
def test_help_teaches(command: str) -> None:
    text = ok(command, "--help").output
    assert f"  calotype {command} " in text.replace("calotype codecs\n", "calotype codecs ")
    assert ok(command, "-h").output == text
    assert "bool>" not in text and "str]" not in text


def test_examples_fit_eighty_columns() -> None:
    program: Any = typer.main.get_command(app)
    texts = [program.help, *(command.help for command in program.commands.values())]
    examples = [re.sub(r"\[/?dim\]", "", line) for text in texts for line in text.splitlines() if "[dim]" in line]
    assert len(examples) > 40 and [line for line in examples if len(line) > 79] == []


def test_version() -> None:
    assert ok("--version").stdout == f"calotype {calotype.__version__}\n"


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    package = str(Path(calotype.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [("calotype encode --codec tal", ["talbot"]), ("calotype decode --format w", ["webp"]), ("calotype inf", ["info"])],
)
def test_completion(words: str, expected: list[str]) -> None:
    count = str(len(words.split(" ")) - 1)
    done = python("-m", "calotype", _CALOTYPE_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count)
    assert done.stdout.split() == expected


def test_info_starts_light() -> None:
    draw("a.png")
    ok("encode", "a.png")
    done = python("-X", "importtime", "-m", "calotype", "info", "a.calo")
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "calotype.container" in imported
    assert not imported & {"onnxruntime", "torch", "constriction", "scipy", "skimage", "rich.progress", "rich.table"}


def test_a_name_that_the_terminal_cannot_show() -> None:
    draw("日本.png")
    ok("encode", "日本.png")
    done = python("-m", "calotype", "info", "日本.calo", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0 and "40 x 30" in done.stdout
    draw("a.png")
    done = python("-m", "calotype", "decode", "日本.calo", "none.calo", PYTHONIOENCODING="ascii")
    assert done.returncode == 1 and "Traceback" not in done.stderr and r"\u65e5\u672c.calo" in done.stderr


# --- the terminal -----------------------------------------------------------------------------------------------------


def test_names_are_made_safe() -> None:
    assert shown("a\n\x1b[31mb.png") == "a \ufffd[31mb.png"
    if os.name == "posix":  # names of Windows are text
        assert shown(os.fsdecode(b"a\xff.png")) == "a\ufffd.png"
    assert shown("[bold]日本.png") == "[bold]日本.png"
    assert shown("9.41\u202fAM\xa0.png") == "9.41\u202fAM\xa0.png"


@pytest.mark.parametrize("width", [8, 9, 20])
def test_names_are_fitted_from_the_left(width: int) -> None:
    for name in ("a.png", "album/long name.png", "日本の写真の名前.png"):
        assert cell_width(fit(name, width)) == width
        assert fit(name, width).rstrip().endswith(".png")


def test_bars_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def use() -> Bars:
        bars = Bars(errors(), 2, quiet=False)
        with bars.picture("a.png") as progress:
            progress(1, 3)
            if bars.progress is not None:
                bars.progress.refresh()
        bars.advance(1)
        bars.close()
        return bars

    assert use().progress is None
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert use().progress is not None
    drawn = capsys.readouterr().err
    assert "1/3 tiles" in drawn and "/2 files" in drawn and "a.png" in drawn


def test_pillow_opens_what_is_picked_from_folders() -> None:
    Image.init()
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    assert known >= PICTURE_SUFFIXES - {".avif", ".avifs", ".jpf", ".jpx"}  # these depend on how Pillow was built


# --- the real codec ---------------------------------------------------------------------------------------------------


def test_real_codec(real: None, request: pytest.FixtureRequest) -> None:
    draw("album/a.png", (200, 120)), draw("album/sub/b.png", (64, 64))
    assert python("-m", "calotype", "encode", "album", "-o", "small", "--threads", "1").returncode == 0
    assert python("-m", "calotype", "decode", "small", "-o", "back", "--threads", "1").returncode == 0
    assert tree("back") == {"a.png", "sub/b.png"}
    assert Image.open("back/a.png").size == (200, 120)
    assert "installed" in python("-m", "calotype", "info", "small/a.calo").stdout


def test_preserve_keeps_the_time(codec: FakeCodec) -> None:
    draw("album/a.png")
    age("album/a.png", 5000)
    Path("album/a.png").chmod(0o400)  # private, and not to be written to
    ok("encode", "album", "-o", "small", "--preserve")
    assert os.name != "posix" or Path("small/a.calo").stat().st_mode & 0o777 == 0o600
    then = Path("album/a.png").stat().st_mtime_ns
    assert Path("small/a.calo").stat().st_mtime_ns == then
    assert "1 up to date" in ok("encode", "album", "-o", "small", "--preserve").stderr
    ok("decode", "small/a.calo", "-o", "back.png", "--preserve")
    assert Path("back.png").stat().st_mtime_ns == then


def test_json_carries_what_is_left_out() -> None:
    draw("album/a.png")
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    frames[0].save("album/b.gif", save_all=True, append_images=frames[1:])
    Path("album/c.png").write_bytes(b"no picture")
    result = run("encode", "album", "-o", "small", "--json", "-q")
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)
    assert first["warnings"] == [] and first["width"] == 40 and first["output"].endswith("a.calo")
    assert second["warnings"] == ["it has 2 pictures, of which one is kept"]
    assert second["warnings"][0] in result.stderr and result.stderr.count("pictures") == 1
    assert "not a picture" in third["error"]
    assert "up_to_date" in json.loads(run("encode", "album", "-o", "small", "--json", "-q").stdout)[0]
    assert "standard output is taken" in fails(2, "encode", "album/a.png", "-o", "-", "--json")


def test_json_names_files_as_they_are() -> None:
    names = ["Screenshot 9.41\u202fAM.png", "soft\xadhyphen.png"]
    names += ["a\nb.png", os.fsdecode(b"a\xff.png")] if os.name == "posix" else []
    for name in names:
        draw(Path("album", name))
    records = json.loads(ok("encode", "album", "-o", "small", "--json", "-q").stdout)
    assert {Path(record["file"]).name for record in records} == set(names)
    assert all(Path(record["output"]).is_file() for record in records)
    assert all(Path(record["file"]).is_file() for record in json.loads(ok("info", "small", "--json").stdout))
    Path("album", names[0]).write_bytes(b"no picture")
    assert json.loads(run("encode", "album", "-o", "other", "--json").stdout)[0]["error"]


def test_thousands_of_files_are_planned_without_looking_at_their_folder_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("album").mkdir(), Path("small").mkdir()
    for number in range(200):
        Path(f"album/{number}.png").touch(), Path(f"album/{number}.jpg").touch(), Path(f"small/{number}.calo").touch()
    looks, look = [], os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: looks.append(path) or look(path))  # type: ignore[func-returns-value]
    place = destination("small", ["album"], suffixes=[".calo"], other=None)
    found = plan(["album"], place, suffixes=PICTURE_SUFFIXES, suffix=".calo", overwrite=False, settings={})
    assert (len(found.jobs), len(found.notes)) == (400, 200) and len(looks) < 10


def test_many_failures_are_named_once() -> None:
    Path("album").mkdir()
    for number in range(30):
        Path(f"album/{number:02}.png").write_bytes(b"")
    told = fails(1, "encode", "album", "-o", "small")
    assert "30 not encoded: album/00.png, " in told and told.endswith("album/19.png and 10 more, named above")


def test_two_runs_at_once_know_what_the_other_has_made(codec: FakeCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("album/a.png"), draw("album/b.png")
    encode = codec.encode

    def slow(*given: Any, **asked: Any) -> bytes:
        monkeypatch.setattr("calotype.api.encode.encode", encode)
        ok("encode", "album", "-o", "small")  # the other run
        return encode(*given, **asked)

    monkeypatch.setattr("calotype.api.encode.encode", slow)
    assert "1 encoded, 1 up to date" in ok("encode", "album", "-o", "small", "--jobs", 1).stderr
    assert len(Path("small", made.NAME).read_bytes().splitlines()) == 3


def test_a_palette_without_colours_is_told_in_words() -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b""))
    result = run("encode", "a.png")
    assert "AssertionError" not in result.stderr
