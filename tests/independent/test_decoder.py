# SPDX-License-Identifier: BSD-3-Clause
"""Golden files through a decoder that was written from docs/format.md alone, and through the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import calotype
from calotype.selftest import FOLDER
from tests.make_golden import GOLDEN

from .container import DamageError
from .decoder import decode

WEIGHTS = [GOLDEN / "weights", Path(calotype.__file__).parent / "weights"]
FILES = [*sorted(GOLDEN.glob("*.calo")), FOLDER / "tao2017.calo"]

pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_files(path: Path) -> None:
    if "jxl" in path.name or "jpeg" in path.name or "png" in path.name:
        pytest.importorskip("imagecodecs")
    if "stills" in path.name:
        pytest.importorskip("onnx")  # the network must be told where it ends
    data = path.read_bytes()
    found, expected = decode(data, WEIGHTS), calotype.decode(data, threads=1, as_array=True)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    difference = np.abs(found.astype(int) - expected).max()
    exact = b"lossless" in data[:42]  # else networks in floating point made it
    assert difference <= (0 if exact else 1 if found.dtype == np.uint8 else 4)


def test_a_progressive_file_that_stops() -> None:
    data = (GOLDEN / "toderici2017.calo").read_bytes()[:400]
    with pytest.warns(calotype.DamageWarning):
        expected = calotype.decode(data, threads=1, as_array=True)
    assert np.abs(decode(data, WEIGHTS).astype(int) - expected).max() <= 1


def test_damage_is_seen() -> None:
    data = bytearray((GOLDEN / "grey.calo").read_bytes())
    data[50] ^= 1
    with pytest.raises(DamageError, match="CRC"):
        decode(bytes(data), WEIGHTS)
