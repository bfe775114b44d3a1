# SPDX-License-Identifier: BSD-3-Clause
"""``calotype truncate``, and progressive files through ``encode``, ``decode`` and ``info``; with small weights."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile
from typer.testing import CliRunner

import calotype
import calotype.pillow
from calotype.cli import app
from tests.make_golden import GOLDEN, drawing


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(40, 530, 3, 8)).save("photo.png")
    Path("photo.calo").write_bytes(
        calotype.encode(drawing(40, 530, 3, 8), codec="toderici2017", quality=100, threads=1)
    )


def run(*arguments: object, stdin: bytes = b"", code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=100)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def words(result: Any) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def size(name: str) -> int:
    return Path(name).stat().st_size


def test_truncate() -> None:
    run("truncate", "photo.calo", "-o", "small.calo", "--size", "600B")
    assert 400 < size("small.calo") <= 600
    run("truncate", "photo.calo", "--size", "0.6kB", "-q")
    assert Path("photo-truncated.calo").read_bytes() == Path("small.calo").read_bytes()
    assert "exists already" in words(run("truncate", "photo.calo", "--size", "1kB", code=1))
    piped = run("truncate", "-", "--size", "600", stdin=Path("photo.calo").read_bytes())
    assert piped.stdout_bytes == Path("small.calo").read_bytes()
    run("decode", "small.calo")
    assert Image.open("small.png").size == (530, 40)


def test_truncate_a_folder() -> None:
    Path("album").mkdir()
    Path("photo.calo").rename("album/a.calo")
    Path("album/other.calo").write_bytes((GOLDEN / "colour.calo").read_bytes())
    assert "name another folder" in words(run("truncate", "album", "--size", "600", code=2))
    result = run("truncate", "album", "-o", "small", "--size", "600", code=1)
    assert "not progressive" in words(result)
    assert size("small/a.calo") <= 600 and not Path("small/other.calo").exists()


@pytest.mark.parametrize("wanted", ["", "many", "0", "-3kB"])
def test_sizes_that_are_none(wanted: str) -> None:
    run("truncate", "photo.calo", f"--size={wanted}", code=2)
    run("truncate", "photo.calo", code=2)


def test_a_size_that_is_too_small() -> None:
    assert "cannot be reached" in words(run("truncate", "photo.calo", "-o", "x.calo", "--size", "60", code=1))
    assert not Path("x.calo").exists()


def test_a_truncated_file_decodes_with_a_warning() -> None:
    data = Path("photo.calo").read_bytes()
    Path("cut.calo").write_bytes(data[: len(data) * 2 // 3])
    result = run("decode", "cut.calo")
    assert "cut.calo: warning: the file is truncated: it ends at byte" in words(result)
    assert Image.open("cut.png").size == (530, 40)
    sheet = run("info", "cut.calo").stdout
    assert "of at most 4, truncated" in sheet
    facts = json.loads(run("info", "cut.calo", "--json").stdout)
    assert facts["truncated"] and facts["most_layers"] == 4 and 1 <= facts["layers"] < 4
    Path("start.calo").write_bytes(data[:50])
    assert "truncated" in words(run("decode", "start.calo", code=1))


def test_iterations() -> None:
    run("decode", "photo.calo", "-o", "two.png", "--iterations", 2)
    expected = calotype.decode(Path("photo.calo").read_bytes(), iterations=2, as_array=True)
    assert (np.asarray(Image.open("two.png")) == expected).all()
    run("encode", "photo.png", "-o", "short.calo", "--codec", "toderici2017", "--iterations", 1)
    assert "layers 1, complete" in " ".join(run("info", "short.calo").stdout.split())
    assert "should be at most 4, not 9" in words(
        run("encode", "photo.png", "-o", "x.calo", "--codec", "toderici2017", "--iterations", 9, code=2)
    )
    Path("other.calo").write_bytes((GOLDEN / "colour.calo").read_bytes())
    assert "no iterations" in words(run("decode", "other.calo", "--iterations", 2, code=1))
    assert "layers" not in run("info", "other.calo").stdout


def test_the_codec_is_listed() -> None:
    assert "toderici2017" in run("codecs").stdout


def test_pillow_and_truncated_files(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = calotype.pillow.CalotypeImageFile  # not registered: other tests want Pillow as it is
    data = Path("photo.calo").read_bytes()
    cut = data[: len(data) * 2 // 3]
    assert opened(io.BytesIO(data)).convert("L").size == (530, 40)
    image = opened(io.BytesIO(cut))
    with pytest.raises(OSError, match=r"truncated.*LOAD_TRUNCATED_IMAGES"):
        image.load()
    with pytest.raises(OSError, match="truncated"):
        opened(io.BytesIO(cut)).verify()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.warns(calotype.DamageWarning, match="truncated"):
        found = np.asarray(opened(io.BytesIO(cut)))
    with pytest.warns(calotype.DamageWarning, match="truncated"):
        assert (found == calotype.decode(cut, as_array=True)).all()
    with pytest.raises(OSError, match="nothing can be saved"), pytest.warns(calotype.DamageWarning):
        opened(io.BytesIO(data[:60])).load()
