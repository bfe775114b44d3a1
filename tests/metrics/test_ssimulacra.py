# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.errors import DependencyError, PictureError
from calotype.metrics import has_ssimulacra2, ssimulacra, ssimulacra2

from .copies import PHOTOGRAPH, deep, jpeg_copy


def test_is_what_the_package_says_of_the_files(tmp_path: Path) -> None:
    package = pytest.importorskip("ssimulacra2")
    Image.fromarray(PHOTOGRAPH).save(tmp_path / "a.png")
    scores = []
    for quality in (10, 50, 90):
        decoded = jpeg_copy(PHOTOGRAPH, quality)
        Image.fromarray(decoded).save(tmp_path / "b.png")
        scores.append(ssimulacra2(PHOTOGRAPH, decoded))
        expected = package.compute_ssimulacra2(tmp_path / "a.png", tmp_path / "b.png")
        assert scores[-1] == pytest.approx(expected, abs=1e-9)
    assert scores == sorted(scores)
    assert ssimulacra2(PHOTOGRAPH, PHOTOGRAPH) == 100
    assert ssimulacra2(deep(PHOTOGRAPH), deep(decoded)) == pytest.approx(scores[-1], abs=1e-9)
    grey, worse = PHOTOGRAPH[..., 1], jpeg_copy(PHOTOGRAPH[..., 1], 30)
    assert 0 < ssimulacra2(grey, worse) < 100


def test_sizes() -> None:
    with pytest.raises(PictureError, match="at least 225 pixels"):
        ssimulacra2(PHOTOGRAPH[:224], PHOTOGRAPH[:224])
    huge = np.zeros((3000, 3000), np.uint8)
    with pytest.raises(PictureError, match="8 megapixels"):
        ssimulacra2(huge, huge)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssimulacra2", None)
    with pytest.raises(DependencyError, match=r"pip install calotype\[metrics\]"):
        ssimulacra2(PHOTOGRAPH, PHOTOGRAPH)
    monkeypatch.setattr(ssimulacra.importlib.util, "find_spec", lambda name: None)
    assert not has_ssimulacra2()
