# SPDX-License-Identifier: BSD-3-Clause
"""What is installed for desktops, in a home of its own."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import calotype
from calotype.cli import app
from calotype.desktop import install as desktop
from calotype.desktop.entries import MIME_TYPE, quoted
from calotype.desktop.thumbnail import thumbnail
from tests.make_golden import GOLDEN

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="desktops of Linux")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """XDG_DATA_HOME, in an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(desktop, "program", lambda: "/opt/a b/calotype")
    return tmp_path / "data"


def test_it_installs_and_removes(data: Path) -> None:
    written = desktop.install()
    assert sorted(path.relative_to(data).as_posix() for path in written) == [
        "applications/calotype.desktop", "mime/packages/calotype.xml", "thumbnailers/calotype.thumbnailer",
    ]  # fmt: skip
    assert desktop.install() == written
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read([data / "applications/calotype.desktop", data / "thumbnailers/calotype.thumbnailer"])
    assert parsed["Desktop Entry"]["Exec"] == '"/opt/a b/calotype" view %f'
    assert parsed["Thumbnailer Entry"]["Exec"].endswith("desktop thumbnail %i %o %s")
    assert desktop.remove() == written
    assert desktop.remove() == []
    assert not any(path.exists() for path in written)


def test_a_file_in_the_place_of_the_folder_is_named(data: Path) -> None:
    data.write_bytes(b"")
    result = CliRunner().invoke(app, ["desktop", "install"])
    assert result.exit_code == 1
    assert f"cannot write {data}/" in " ".join(result.stderr.split()).replace("\n", "")
    assert "is a file, not a folder" in " ".join(result.stderr.split())


def test_without_xdg_the_folder_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative/is/ignored"):
        monkeypatch.setenv("XDG_DATA_HOME", value)
        assert desktop.data_folder() == tmp_path / ".local" / "share"


def test_the_type_is_known_by_name_and_by_magic(data: Path, tmp_path: Path) -> None:
    tool = shutil.which("update-mime-database")
    if not tool:
        pytest.skip("update-mime-database is not installed: apt-get install shared-mime-info")
    desktop.install()
    assert f"{MIME_TYPE}:*.calo" in (data / "mime" / "globs").read_text(encoding="utf-8")
    assert b"\x89CALO\r\n" in (data / "mime" / "magic").read_bytes()


def test_the_desktop_entry_is_valid(data: Path) -> None:
    tool = shutil.which("desktop-file-validate")
    if not tool:
        pytest.skip("desktop-file-validate is not installed: apt-get install desktop-file-utils")
    desktop.install()
    done = subprocess.run([tool, data / "applications" / "calotype.desktop"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_arguments_are_quoted_as_the_specification_says() -> None:
    assert quoted("/opt/calotype") == '"/opt/calotype"'
    assert quoted('a"$`\\%') == r'"a\\"\\$\\`\\\\%%"'


@pytest.mark.usefixtures("golden_weights")
@pytest.mark.parametrize("name", ["colour", "grey", "alpha", "tiles", "pixel"])
def test_thumbnails_fit(name: str, tmp_path: Path) -> None:
    target = tmp_path / "out"  # file managers name a file without a suffix
    result = CliRunner().invoke(app, ["desktop", "thumbnail", str(GOLDEN / f"{name}.calo"), str(target), "64"])
    assert result.exit_code == 0, result.output
    with Image.open(target) as image:
        assert image.format == "PNG" and max(image.size) <= 64


def test_a_thumbnail_of_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.calo").write_bytes(b"nothing")
    result = CliRunner().invoke(app, ["desktop", "thumbnail", str(tmp_path / "x.calo"), str(tmp_path / "out")])
    assert result.exit_code == 1 and not (tmp_path / "out").exists()


def test_a_thumbnail_of_16_bits_is_as_bright_as_the_picture(tmp_path: Path) -> None:
    deep = np.full((40, 60), 100 * 257, np.uint16)
    calotype.write(tmp_path / "deep.calo", deep, lossless=True)
    thumbnail(tmp_path / "deep.calo", tmp_path / "out", 64)
    with Image.open(tmp_path / "out") as image:
        assert (image.mode, image.getextrema()) == ("L", (100, 100))
