# SPDX-License-Identifier: BSD-3-Clause
"""The pictures that the report shows."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from calotype.benchmark.peers import JPEG, WEBP
from calotype.benchmark.pictures import Photograph
from calotype.benchmark.records import Cache
from calotype.benchmark.run import Results
from calotype.benchmark.samples import Part, busiest, exhibit, spaced
from calotype.metrics.catalogue import PSNR


def pixels(uri: str) -> np.ndarray:
    kind, data = uri.split(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(BytesIO(base64.b64decode(data))))


def test_parts_are_kept_without_loss_and_files_fit(outcome: Results, photographs: list[Photograph]) -> None:
    assert [item.name for item in outcome.exhibits] == ["a", "b<i>"]
    item = outcome.exhibits[0]
    assert (item.part.width, item.part.height) == (160, 100)
    assert (pixels(item.original) == item.part.of(photographs[0].samples)).all()
    for rate, samples in item.samples.items():
        assert list(samples) == ["jpeg", "webp", "jpeg2000"]
        for sample in samples.values():
            assert sample.fits == (8 * sample.bytes <= rate * photographs[0].pixels)
    sample = item.samples[1.0]["jpeg"]
    decoded = JPEG.decode(JPEG.encode(photographs[0].samples, sample.setting))
    assert (pixels(sample.image) == item.part.of(decoded)).all()
    assert sample.quality[PSNR.key] == PSNR.published(photographs[0].samples, decoded)


def test_samples_come_from_the_cache(
    photographs: list[Photograph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show() -> object:
        return exhibit([WEBP], photographs, (0.5,), [PSNR], count=1, across=64, cache=Cache(tmp_path))

    first = show()
    monkeypatch.setattr("calotype.benchmark.samples.largest_within", None)
    assert show() == first


@pytest.mark.parametrize("damage", [{"quality": None}, {"image": 5}, {"bytes": "many"}, {"unknown": 1}])
def test_a_damaged_sample_is_made_again(photographs: list[Photograph], tmp_path: Path, damage: dict[str, Any]) -> None:
    def show() -> object:
        return exhibit([WEBP], photographs, (0.5,), [PSNR], count=1, across=64, cache=Cache(tmp_path))

    first = show()
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text(json.dumps(json.loads(kept.read_text(encoding="utf-8")) | damage), encoding="utf-8")
    assert show() == first


def test_which_pictures() -> None:
    some = [Photograph(str(index), np.zeros((1, 1, 3), np.uint8)) for index in range(24)]
    assert [photograph.name for photograph in spaced(some, 3)] == ["4", "12", "20"]
    assert spaced(some, 0) == [] and spaced(some[:2], 9) == some[:2]


def test_which_part() -> None:
    samples = np.zeros((200, 300, 3), np.uint8)
    samples[120:160, 200:280] = np.random.default_rng(1).integers(0, 256, (40, 80, 3), np.uint8)
    part = busiest(samples, 96)
    assert (part.width, part.height) == (96, 60)
    assert part.left <= 200 and part.left + 96 >= 280 and part.top <= 120 and part.top + 60 >= 160
    assert busiest(samples, 0) == Part(0, 0, 300, 200)
    assert busiest(samples, 4000) == Part(0, 0, 300, 200)
    assert busiest(samples[:1, :1], 64) == Part(0, 0, 1, 1)
