# SPDX-License-Identifier: BSD-3-Clause
"""A synthesis in bfloat16 is nearly the one in float32; where it cannot be had, that is said."""

from __future__ import annotations

import os

import numpy as np
import pytest

import calotype
from calotype.engine import bfloat16
from calotype.engine.strips import Transform
from calotype.engine.workers import Workers
from calotype.errors import DependencyError, PictureError
from tests.make_golden import GOLDEN

(WEIGHTS,) = [p.parent for p in (GOLDEN / "weights").rglob("g_s.onnx")]


class OldProcessor:
    def get_property(self, *_: str) -> list[str]:
        return ["FP32", "INT8"]


def test_a_missing_engine_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    data = calotype.encode(np.zeros((8, 8, 3), np.uint8), threads=1)
    with pytest.raises(PictureError, match="no engine 'abacus'"):
        calotype.decode(data, engine="abacus")
    monkeypatch.setattr(bfloat16, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="needs OpenVINO"):
        calotype.decode(data, engine="openvino")
    exact = calotype.encode(np.zeros((8, 8, 3), np.uint8), lossless=True)
    assert calotype.decode(exact, engine="openvino").size == (8, 8)  # has no use for it
    monkeypatch.setattr(bfloat16, "find_spec", lambda name: name)
    monkeypatch.setattr(bfloat16, "_core", OldProcessor)
    with pytest.raises(DependencyError, match="this one does not"):
        calotype.decode(data, engine="openvino")


def test_the_synthesis_is_nearly_the_same() -> None:
    pytest.importorskip("openvino")
    x = np.random.default_rng(0).standard_normal((32, 11, 41)).astype(np.float32)
    path = WEIGHTS / "g_s.onnx"
    wanted = Transform(path, 8, 24)(x, Workers(1))
    fast = Transform(path, 8, 24, bfloat16=True)
    found = fast(x, Workers(1))
    assert 0 < np.abs(found - wanted).max() < 0.02
    assert np.sqrt(((found - wanted) ** 2).mean()) < 0.002
    with Workers(3) as workers:
        assert (fast(x, workers) == found).all()
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            os._exit(0 if (fast(x, Workers(1)) == found).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (fast(x, Workers(1)) == found).all()
