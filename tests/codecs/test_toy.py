# SPDX-License-Identifier: BSD-3-Clause
"""A codec of another package, installed as a distribution of its own: everything knows it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import calotype
from tests.codecs.toy_codec import TOY
from tests.make_golden import drawing

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.skipif(
    not (importlib.util.find_spec("pip") and importlib.util.find_spec("setuptools")), reason="pip or setuptools missing"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run Python where the toy is installed, in a folder with ``photo.png``."""
    folder = tmp_path_factory.mktemp("toy")
    shutil.copytree(TOY, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    install = (
        "install --quiet --no-deps --no-index --no-build-isolation --no-compile --disable-pip-version-check --target"
    )
    subprocess.run(
        [sys.executable, "-m", "pip", *install.split(), str(folder / "site"), str(folder / "source")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    Image.fromarray(drawing(70, 100, 4, 8)).save(folder / "photo.png")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder / "site"), str(ROOT)]), "COLUMNS": "120"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)

    run.folder = folder  # type: ignore[attr-defined]
    return run


def test_the_command_line_knows_it(run: Run) -> None:
    made = run("-m", "calotype", "encode", "photo.png", "--codec", "toy", "--level", "9", "--order=pixels", "-q")
    assert made.returncode == 0, made.stderr
    made = run("-m", "calotype", "decode", "photo.calo", "-o", "back.png", "-q")
    assert made.returncode == 0, made.stderr
    folder: Path = run.folder  # type: ignore[attr-defined]
    back = np.asarray(Image.open(folder / "back.png"))
    picture = drawing(70, 100, 4, 8)
    visible = picture[:, :, 3] > 0
    assert np.abs(back.astype(int) - picture)[visible].max() <= 21  # quality 60 divides by 21
    with pytest.raises(calotype.FormatError, match="codec 'toy', which this version does not know"):
        calotype.read(folder / "photo.calo")  # not in this process
    text = run("-m", "calotype", "encode", "--help").stdout
    assert "Options of toy" in text and "--level" in text and "planes or pixels" in text


def test_the_rest_knows_it(run: Run) -> None:
    code = """if True:
        import calotype, calotype.pillow, io, json
        from PIL import Image
        from typer.testing import CliRunner
        from calotype.cli import app
        calotype.pillow.register()
        image, file = Image.open("photo.png"), io.BytesIO()
        image.save(file, "CALO", codec="toy", level=1)
        assert file.getvalue() == calotype.encode(image, codec="toy", level=1) != calotype.encode(image, codec="toy")
        assert Image.open(file).size == (100, 70)

        def run(*arguments):
            return CliRunner().invoke(app, arguments).output

        toy = json.loads(run("codecs", "--json"))[-1]
        assert toy["id"] == toy["weights"][0]["id"] == "toy"
        assert [option["name"] for option in toy["options"]] == ["level", "order"]
        assert "toy" in run("codecs") and "planes or pixels" in run("codecs")
        for arguments, words in (
            (["--codec", "toy", "--level", "12"], "should be a whole number from 0 to 9, not 12"),
            (["--codec", "toy", "--effort", "3"], "codec 'toy' has no option effort; it has level, order"),
            (["--codec", "tao2017", "--level", "3"], "codec 'tao2017' has no option level; it has base, scale"),
        ):
            said = " ".join(run("encode", "photo.png", "-o", "x.calo", *arguments).replace("│", " ").split())
            assert words in said, said
        print("well")
    """
    made = run("-c", code)
    assert made.stdout.strip() == "well", made.stderr
