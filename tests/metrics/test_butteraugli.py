# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.errors import DependencyError, PictureError
from calotype.metrics import butteraugli, has_butteraugli
from calotype.metrics import colorvideovdp as vdp

from .copies import PHOTOGRAPH, deep, jpeg_copy

ORIGINAL = PHOTOGRAPH[:128, :160]
needs_program = pytest.mark.skipif(not has_butteraugli(), reason="butteraugli_main is not installed")


@needs_program
def test_is_what_the_program_says_of_the_files(tmp_path: Path) -> None:
    copy = jpeg_copy(ORIGINAL, 30)
    Image.fromarray(ORIGINAL).save(tmp_path / "a.png")
    Image.fromarray(copy).save(tmp_path / "b.png")
    command = ["butteraugli_main", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--pnorm", "3"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"3-norm: {butteraugli(ORIGINAL, copy):.6f}" in said
    assert butteraugli(deep(ORIGINAL), deep(copy)) == pytest.approx(butteraugli(ORIGINAL, copy), rel=1e-3)
    assert butteraugli(ORIGINAL[..., 0], ORIGINAL[..., 0]) == 0
    assert butteraugli(ORIGINAL, jpeg_copy(ORIGINAL, 5)) > butteraugli(ORIGINAL, copy)


@pytest.mark.parametrize("size", [(7, 160), (128, 7), (1, 1)])
def test_a_picture_too_small_to_tell_is_refused(size: tuple[int, int]) -> None:
    black = np.zeros((*size, 3), np.uint8)
    with pytest.raises(PictureError, match="at least 8 pixels"):
        butteraugli(black, ~black)


def test_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_butteraugli()
    with pytest.raises(DependencyError, match="libjxl-devtools"):
        butteraugli(ORIGINAL, ORIGINAL)


@pytest.mark.skipif(os.name != "posix", reason="a script for sh")
def test_a_program_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "butteraugli_main"
    program.write_text("#!/bin/sh\necho no good >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="no good"):
        butteraugli(ORIGINAL, ORIGINAL)


def test_colorvideovdp_orders_copies() -> None:
    if not vdp.has_cvvdp():
        with pytest.raises(DependencyError, match=r"pip install 'calotype\[metrics\]'"):
            vdp.cvvdp(ORIGINAL, ORIGINAL)
        return
    values = [vdp.cvvdp(ORIGINAL, other) for other in (ORIGINAL, jpeg_copy(ORIGINAL, 80), jpeg_copy(ORIGINAL, 10))]
    assert values[0] == pytest.approx(10) and values == sorted(values, reverse=True)
    assert vdp.cvvdp(deep(ORIGINAL), deep(np.ascontiguousarray(ORIGINAL))) == pytest.approx(10)
