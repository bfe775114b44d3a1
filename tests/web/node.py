# SPDX-License-Identifier: BSD-3-Clause
"""Node, for tests of what runs in browsers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(not NODE, reason="Node is not installed")


def node(*arguments: str | Path, timeout: float = 300) -> str:
    """Standard output of a script below ``web/``; AssertionError with what it said if it fails."""
    assert NODE
    done = subprocess.run([NODE, *map(str, arguments)], cwd=WEB, capture_output=True, encoding="utf-8", timeout=timeout)
    assert not done.returncode, done.stdout[-8000:] + done.stderr[-8000:]
    return done.stdout
