# SPDX-License-Identifier: BSD-3-Clause
"""Parts in blocks of channels come to what the plain ones come to; where there are no blocks, plain parts are run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calotype.engine import blocks
from calotype.engine.blocks import BlockedModel, block_size, in_blocks
from calotype.engine.onnx_parts import GraphPart, cut
from calotype.engine.strips import Transform
from calotype.engine.workers import Workers
from tests.make_golden import GOLDEN

(WEIGHTS,) = [p.parent for p in (GOLDEN / "weights").rglob("g_a.onnx")]  # 24 channels: not a whole number of blocks


def run(path: Path, window: tuple[int, int], x: np.ndarray, optimise: bool = True) -> np.ndarray:
    return Transform(path, *window, optimise)(x, Workers(1))


@pytest.mark.parametrize(
    ("name", "window", "shape"), [("g_a", (64, 96), (3, 160, 208)), ("g_s", (8, 24), (32, 13, 31))]
)
def test_blocks_change_nothing(
    name: str, window: tuple[int, int], shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = WEIGHTS / f"{name}.onnx"
    x = np.random.default_rng(0).random(shape, np.float32)
    found = run(path, window, x)
    np.testing.assert_allclose(found, run(path, window, x, optimise=False), rtol=0, atol=1e-5)
    monkeypatch.setattr("calotype.engine.strips.block_size", lambda: 1)
    np.testing.assert_allclose(found, run(path, window, x), rtol=0, atol=1e-6)


@pytest.mark.skipif(block_size() == 1, reason="ONNX Runtime has no layout of its own here")
@pytest.mark.parametrize("name", ["g_a", "g_s"])
def test_the_transforms_suit_blocks(name: str) -> None:
    block, models = in_blocks(cut((WEIGHTS / f"{name}.onnx").read_bytes(), name), block_size())
    assert block == block_size() > 1
    assert all(isinstance(model, BlockedModel) for _, model in models)
    assert Transform(WEIGHTS / f"{name}.onnx", 64, 64).parts[1].window[3] == block


def test_what_does_not_suit_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = cut((WEIGHTS / "g_s.onnx").read_bytes(), "g_s")
    assert in_blocks(parts, 1) == (1, [(part, part) for part in parts])
    strange = GraphPart(parts[0].nodes[-1:], "x", "y", first=True)  # without its weights
    assert in_blocks([strange], 16) == (1, [(strange, strange)])

    def none(*_: object, **__: object) -> object:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(blocks.onnxruntime(), "InferenceSession", none)
    assert blocks.block_size.__wrapped__() == 1
