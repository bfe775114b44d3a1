# SPDX-License-Identifier: BSD-3-Clause
"""The files of CIFAR-10 and STL-10 are read as they are given out, and no pickle is ever loaded."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from calotype.errors import CalotypeError
from calotype.training.binaries import find_binaries, pictures_in
from calotype.training.sources import open_pictures

CIFAR = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
STL = np.random.default_rng(1).integers(0, 256, (3, 96, 96, 3), np.uint8)


class Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return Path.touch, (self.path,)


def pickled(protocol: int, extra: object = None) -> bytes:
    rows = CIFAR.transpose(0, 3, 1, 2).reshape(5, -1)
    batch = {
        "batch_label": "training batch 1 of 5",
        "labels": [6, 9, 9, 4, 1],
        "data": rows,
        "filenames": ["a.png"] * 5,
    }
    return pickle.dumps(batch | ({"extra": extra} if extra else {}), protocol)


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_python_version_of_cifar_10(tmp_path: Path, protocol: int) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(pickled(protocol))
    (folder / "test_batch").write_bytes(pickled(protocol))  # not trained on
    for source in (folder, tmp_path):
        pictures = open_pictures(str(source), tmp_path / "cache")
        assert len(pictures) == 5
        np.testing.assert_array_equal(pictures[3], CIFAR[3])


def test_a_pickle_is_taken_apart_and_never_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "loaded"
    file = tmp_path / "data_batch_1"
    file.write_bytes(pickled(2, Trap(trap)))
    assert len(list(pictures_in(file))) == 5 and not trap.exists()
    pickle.loads(file.read_bytes())
    assert trap.exists()  # it would have been
    for broken in (b"", b"no pickle", pickled(2)[:200], pickle.dumps({"data": b"x" * 100}, 2)):
        file.write_bytes(broken)
        with pytest.raises(CalotypeError, match="no part of CIFAR-10"):
            list(pictures_in(file))


def test_the_binary_versions(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    records = [bytes([i]) + CIFAR[i].transpose(2, 0, 1).tobytes() for i in range(5)]
    (folder / "data_batch_1.bin").write_bytes(b"".join(records))
    (folder / "data_batch_1").write_bytes(pickled(2))  # beside the plain one, the pickle is left alone
    assert [file.name for file in find_binaries(folder)] == ["data_batch_1.bin"]
    np.testing.assert_array_equal(list(pictures_in(folder / "data_batch_1.bin")), CIFAR)
    stl = tmp_path / "stl10_binary"
    stl.mkdir()
    (stl / "train_X.bin").write_bytes(STL.transpose(0, 3, 2, 1).tobytes())
    (stl / "test_X.bin").write_bytes(b"")
    pictures = open_pictures(str(stl), tmp_path / "cache", 96 * 96 * 2 / 1e6)
    assert len(pictures) == 2  # as many as were asked for
    np.testing.assert_array_equal(pictures[1], STL[1])
    (stl / "train_X.bin").write_bytes(bytes(100))
    with pytest.raises(CalotypeError, match="no number of records of 27648"):
        list(pictures_in(stl / "train_X.bin"))
