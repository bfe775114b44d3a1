# SPDX-License-Identifier: BSD-3-Clause
"""Nothing phones home, and nothing is written that we do not mean to write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.make_golden import GOLDEN

REPOSITORY = Path(__file__).parents[2]


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing in its environment that could turn telemetry off: continuous integration does."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment = {
        **kept, "HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(REPOSITORY),
        "CALOTYPE_WEIGHTS": str(GOLDEN / "weights"), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "p.png"
    Image.new("RGB", (40, 30), (200, 90, 20)).save(path)
    return path


@pytest.mark.parametrize("writable", [True, False])
def test_the_command_line_writes_nothing_below_home(tmp_path: Path, picture: Path, writable: bool) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755 if writable else 0o555)
    coded, back = str(tmp_path / "p.calo"), str(tmp_path / "back.png")
    for command in (["encode", str(picture), "-o", coded, "-q"], ["decode", coded, "-o", back, "-q"]):
        done = run(home, "-m", "calotype", *command)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(home.rglob("*"))


def test_python_writes_nothing_below_home_and_children_inherit_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = (
        "import os, subprocess, sys, numpy, calotype\n"
        "calotype.decode(calotype.encode(numpy.zeros((8, 8, 3), numpy.uint8)))\n"
        "assert 'ORT_DISABLE_TELEMETRY' not in os.environ\n"
        "child = 'import os; assert \"ORT_DISABLE_TELEMETRY\" not in os.environ'\n"
        "sys.exit(subprocess.run([sys.executable, '-c', child]).returncode)\n"
    )
    done = run(home, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(home.rglob("*"))


def test_the_users_own_setting_stays(tmp_path: Path) -> None:
    program = (
        "import os\n"
        "os.environ['ORT_DISABLE_TELEMETRY'] = 'mine'\n"
        "from calotype.engine.library import onnxruntime\n"
        "onnxruntime()\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == 'mine'\n"
    )
    assert run(tmp_path, "-c", program).returncode == 0
