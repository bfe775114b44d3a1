# SPDX-License-Identifier: BSD-3-Clause
"""What tests of all rooms share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.make_golden import GOLDEN
from tests.squeezenet_weights import random_weights


@pytest.fixture
def golden_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small networks behind the golden files, ahead of those that ship."""
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_asks() -> Iterator[None]:
    """Ctrl-C is not ignored, as what a shell starts in its background ignores it, and hands that down."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
    """A file of random weights."""
    path = tmp_path_factory.mktemp("features") / "squeezenet.npz"
    np.savez(path, **random_weights())
    return path
