# SPDX-License-Identifier: BSD-3-Clause
"""Golden files of the codec: what people have stored comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest

import calotype
from tests.make_golden import GOLDEN, KEPT, LOSSLESS, drawing


@pytest.mark.parametrize("name", LOSSLESS)
def test_files_decode_to_the_drawings(name: str) -> None:
    shape, still = LOSSLESS[name]
    if still == "jxl":
        pytest.importorskip("imagecodecs")
    found = calotype.decode((GOLDEN / f"{name}.calo").read_bytes(), as_array=True)
    assert np.array_equal(found, drawing(*shape))


def test_the_jpeg_comes_back() -> None:
    pytest.importorskip("imagecodecs")
    data, jpeg = (GOLDEN / f"{KEPT}.calo").read_bytes(), (GOLDEN / f"{KEPT}.jpg").read_bytes()
    assert calotype.extract(data) == jpeg
    difference = calotype.decode(data, as_array=True).astype(int) - drawing(60, 90, 3, 8)
    assert np.abs(difference).mean() < 12
