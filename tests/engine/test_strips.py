# SPDX-License-Identifier: BSD-3-Clause
"""A transform in parts is the whole graph, to the bit, for all sizes, windows and numbers of workers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from calotype.engine.onnx_parts import cut
from calotype.engine.runtime import Graph
from calotype.engine.strips import Transform
from calotype.engine.workers import Workers
from calotype.errors import BundleError
from tests.make_golden import GOLDEN

(WEIGHTS,) = [p.parent for p in (GOLDEN / "weights").rglob("g_a.onnx")]


@pytest.mark.parametrize("size", [(16, 16), (128, 512), (144, 16), (16, 560), (400, 528)])
def test_the_analysis_in_parts_is_the_whole_graph(size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).random((3, *size), np.float32)
    whole = Graph(WEIGHTS / "g_a.onnx", 1)(x[None])[0][0]
    for window in ((128, 512), (64, 96)):
        parts = Transform(WEIGHTS / "g_a.onnx", *window)
        assert parts.scale == Fraction(1, 16)
        for count in (1, 3):
            with Workers(count) as workers:
                np.testing.assert_allclose(parts(x, workers), whole, rtol=0, atol=1e-5)


def test_windows_and_workers_change_nothing() -> None:
    x = np.random.default_rng(0).standard_normal(
        (Graph(WEIGHTS / "g_s.onnx", 1).session.get_inputs()[0].shape[1], 21, 50)
    )
    x = x.astype(np.float32)
    made = []
    for window, count in (((8, 32), 1), ((8, 32), 4), ((8, 24), 2), ((24, 8), 1)):
        with Workers(count) as workers:
            made.append(Transform(WEIGHTS / "g_s.onnx", *window)(x, workers))
    assert made[0].shape == (3, 336, 800)
    assert all((other == made[0]).all() for other in made)
    np.testing.assert_allclose(made[0], Graph(WEIGHTS / "g_s.onnx", 1)(x[None])[0][0], rtol=0, atol=1e-5)


def test_parts_see_no_more_than_their_own_halo() -> None:
    parts = cut((WEIGHTS / "g_s.onnx").read_bytes(), "g_s")
    assert parts[0].halo == 0
    assert {part.halo for part in parts[1:]} == {2}
    assert np.prod([float(part.scale) for part in parts]) == 16


def test_what_cannot_be_cut_is_refused() -> None:
    for data in (b"", b"\x00", (WEIGHTS / "g_s.onnx").read_bytes()[:-100], (WEIGHTS / "pass2.onnx").read_bytes()):
        with pytest.raises(BundleError, match="not a graph of the kind"):
            cut(data, "it")
    with pytest.raises(BundleError, match="does not suit"):
        Transform(WEIGHTS / "g_a.onnx", 24, 24)


def test_workers_keep_order_and_pass_on_errors() -> None:
    for count in (1, 3):
        with Workers(count) as workers:
            assert workers.map(lambda n: n * n, range(20)) == [n * n for n in range(20)]
            with pytest.raises(ZeroDivisionError):
                workers.map(lambda n: 1 // n, [1, 0, 2])
            with pytest.raises(ZeroDivisionError):
                workers.submit(lambda: 1 // 0).result()
