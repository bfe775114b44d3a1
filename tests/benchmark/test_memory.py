# SPDX-License-Identifier: BSD-3-Clause
"""Memory of a codec in a process of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calotype.benchmark import memory
from calotype.benchmark.peers import JPEG, WEBP
from calotype.benchmark.pictures import Photograph
from calotype.errors import CalotypeError

linux = pytest.mark.skipif(not memory.available(), reason="this system does not tell")


@linux
def test_peaks(photographs: list[Photograph]) -> None:
    jpeg, webp = memory.weigh([(JPEG, 50), (WEBP, 50)], photographs[0])
    assert jpeg.codec == "jpeg" and webp.setting == 50
    raw = photographs[0].samples.nbytes
    for value in (jpeg.encode_bytes, jpeg.decode_bytes, webp.encode_bytes, webp.decode_bytes):
        assert raw / 4 < value < 100e6
    assert webp.encode_bytes > raw


@linux
def test_a_codec_that_there_is_not(photographs: list[Photograph]) -> None:
    with pytest.raises(CalotypeError, match=r"memory of gif \(encode\)"):
        memory.weigh([(replace(JPEG, name="gif"), 50)], photographs[0])


def test_other_systems(photographs: list[Photograph], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: False)
    assert memory.weigh([(JPEG, 50)], photographs[0]) == []
