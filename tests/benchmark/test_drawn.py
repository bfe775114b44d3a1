# SPDX-License-Identifier: BSD-3-Clause
"""The drawn pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calotype.benchmark.drawn import SIZE, drawn_set, pictures_of

pytest.importorskip("matplotlib")


def test_the_set_is_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = drawn_set(), pictures_of(Path("drawn"))
    assert [p.name for p in one] == ["text", "chart", "window", "comic", "map", "pixel-art"]
    assert [p.digest for p in one] == [p.digest for p in other]
    assert all(p.samples.shape == (SIZE[1], SIZE[0], 3) for p in one)
    assert all(len(np.unique(p.samples.reshape(-1, 3), axis=0)) > 8 for p in one)
