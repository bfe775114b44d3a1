# SPDX-License-Identifier: BSD-3-Clause
"""Crops are the same one by one and all at once, from a file and from pictures that a device holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402

from calotype.errors import CalotypeError  # noqa: E402
from calotype.training.crops import CropConfig, crop_batches, random_crop, random_crops, resizing  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from tests.make_golden import drawing  # noqa: E402
from tests.training.test_devices import GPU, OneDevice  # noqa: E402

CONFIG = CropConfig(size=96, scale_min=0.5, scale_max=1.5, scale_probability=0.7)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCache:
    folder = tmp_path_factory.mktemp("photos")
    for name, height, width in (("a", 300, 280), ("b", 60, 200), ("c", 128, 97)):  # one is smaller than a crop
        Image.fromarray(drawing(height, width, 3, 8)).save(folder / f"{name}.png")
    return PictureCache(folder, folder / "cache")


@pytest.fixture
def held(pictures: PictureCache) -> Iterator[PictureCache]:
    pictures.hold(torch.device("cpu"))
    yield pictures
    pictures.resident = None


def test_all_at_once_they_are_those_that_come_one_by_one(pictures: PictureCache) -> None:
    rng = np.random.default_rng(5)
    one_by_one = torch.stack([random_crop(pictures, CONFIG, rng) for _ in range(24)])
    assert torch.equal(random_crops(pictures, CONFIG, np.random.default_rng(5), 24), one_by_one)
    assert torch.equal(torch.cat(list(crop_batches(pictures, CONFIG, 24, 5))), one_by_one)
    assert one_by_one.shape == (24, 3, 96, 96) and 0 <= one_by_one.min() < one_by_one.max() <= 1


def test_crops_of_held_pictures_are_the_same(pictures: PictureCache, held: PictureCache) -> None:
    held.resident = None
    before = random_crops(pictures, CONFIG, np.random.default_rng(5), 24)
    held.hold(torch.device("cpu"))
    together = random_crops(held, CONFIG, np.random.default_rng(5), 24)
    assert (together - before).abs().max() < 5e-5  # it computes its weights in float32
    rng = np.random.default_rng(5)
    assert torch.equal(torch.stack([random_crop(held, CONFIG, rng) for _ in range(24)]), before)


def test_crops_of_held_pictures_stay_on_the_device(pictures: PictureCache) -> None:
    pictures.hold(GPU)
    try:
        with OneDevice():
            crops = random_crops(pictures, CONFIG, np.random.default_rng(5), 3)
    finally:
        pictures.resident = None
    assert crops.device == GPU and crops.shape == (3, 3, 96, 96)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=4), st.integers(1, 64))
def test_matrices_resize_as_interpolation_does(sides: list[int], size: int) -> None:
    most = max(sides) + 3
    matrices = resizing(torch.tensor(sides), size, most)
    for side, matrix in zip(sides, matrices, strict=True):
        row = torch.rand(1, 1, 1, side, generator=torch.Generator().manual_seed(side))
        expected = F.interpolate(row, size=(1, size), mode="bicubic", antialias=True, align_corners=False)
        assert (matrix[:, :side] @ row[0, 0, 0] - expected[0, 0, 0]).abs().max() < 1e-4
        assert not matrix[:, side:].any()
        assert side != size or torch.equal(matrix[:, :side], torch.eye(size))


def test_sizes_are_checked() -> None:
    for wrong in ({"size": 0}, {"scale_min": 0.0}, {"scale_min": 2.0, "scale_max": 1.0}):
        with pytest.raises(CalotypeError, match="crops should have"):
            CropConfig(**wrong)
