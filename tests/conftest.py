# SPDX-License-Identifier: BSD-3-Clause
"""What tests of all rooms share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.metrics.squeezenet import FIRES
from tests.make_golden import GOLDEN


@pytest.fixture
def golden_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small networks behind the golden files, ahead of those that ship."""
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))


@pytest.fixture(autouse=True)
def pillow_as_it_was() -> Iterator[None]:
    """Formats that a test teaches Pillow are forgotten after it."""
    Image.init()  # all of its own are there before
    tables = [Image.OPEN, Image.MIME, Image.SAVE, Image.SAVE_ALL, Image.EXTENSION]
    kept, ids = [dict(table) for table in tables], list(Image.ID)
    yield
    Image.ID[:] = ids
    for table, before in zip(tables, kept, strict=True):
        table.clear()
        table.update(before)


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SqueezeNet with random weights: what it says is meaningless, and different for different pictures."""
    rng = np.random.default_rng(4)
    arrays, channels = {}, 96

    def add(name: str, out: int, inputs: int, k: int) -> None:
        arrays[f"{name}.weight"] = (rng.normal(size=(out, inputs, k, k)) / math.sqrt(inputs * k * k)).astype(np.float16)
        arrays[f"{name}.bias"] = rng.normal(size=out).astype(np.float16)

    add("conv1", 96, 3, 7)
    for name, (squeezed, expanded) in FIRES.items():
        add(f"{name}.squeeze", squeezed, channels, 1)
        add(f"{name}.expand1x1", expanded // 2, squeezed, 1)
        add(f"{name}.expand3x3", expanded // 2, squeezed, 3)
        channels = expanded
    path = tmp_path_factory.mktemp("features") / "squeezenet.npz"
    np.savez(path, **arrays)
    return path
