# SPDX-License-Identifier: BSD-3-Clause
"""Two small photographs, and a benchmark of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from calotype.benchmark import published
from calotype.benchmark.peers import JPEG, JPEG2000, WEBP
from calotype.benchmark.pictures import Photograph
from calotype.benchmark.run import Benchmark, Results, run
from calotype.metrics.catalogue import NAMED

SETTINGS = {"jpeg": (10, 40, 90), "webp": (5, 40, 90), "jpeg2000": (26, 32, 38)}


@pytest.fixture(scope="session")
def photographs() -> list[Photograph]:
    whole = np.asarray(skimage.data.astronaut())
    return [Photograph("a", whole[:192, 100:356].copy()), Photograph("b<i>", whole[200:400, 200:400].copy())]


@pytest.fixture
def folder(photographs: list[Photograph], tmp_path: Path) -> Path:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for photograph in photographs:
        Image.fromarray(photograph.samples).save(pictures / f"{photograph.name}.png")
    return pictures


@pytest.fixture(scope="session")
def outcome(photographs: list[Photograph]) -> Results:
    plan = Benchmark(
        "crops & <b>",
        photographs,
        [JPEG, WEBP, JPEG2000],
        [NAMED["psnr"], NAMED["ms-ssim"]],
        SETTINGS,
        published.select(["vtm", "elic2022"]),
        speed_rounds=1,
        viewer_pictures=2,
        viewer_rates=(0.5, 1.0),
        viewer_width=160,
    )
    return run(plan)
