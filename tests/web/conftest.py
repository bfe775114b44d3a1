# SPDX-License-Identifier: BSD-3-Clause
"""One site and one browser for all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import calotype
import calotype.container
from calotype.container.metadata import CodePoints
from calotype.view import assets
from tests.browser import CHROMIUM, DRIVER, Browser, browser
from tests.make_golden import CASES, GOLDEN
from tests.web.node import WEB
from tests.web.serving import PAGE


def photograph(height: int, width: int) -> np.ndarray:
    """Smooth waves and a little noise, RGB."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / (9 + 4 * c)) * np.cos(y / (17 - 3 * c)) for c in range(3)], 2)
    return np.clip(128 + 90 * waves + np.random.default_rng(2).normal(0, 3, waves.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `calotype view --site` writes, with the weights of the golden files besides, and pictures."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
        assets.export(folder)
    pictures = folder / "pictures"
    pictures.mkdir()
    for name in (*CASES, "stills", "lossless-webp", "lossless-png", "lossless-jpeg", "toderici2017"):
        shutil.copy(GOLDEN / f"{name}.calo", pictures)
    content = calotype.container.unpack((GOLDEN / "colour.calo").read_bytes())
    described = replace(content, metadata=replace(content.metadata, icc=None, cicp=CodePoints(12, 13)))
    (pictures / "p3.calo").write_bytes(calotype.container.pack(described))
    damaged = bytearray((GOLDEN / "colour.calo").read_bytes())
    damaged[200] ^= 1
    (pictures / "damaged.calo").write_bytes(damaged)
    Image.fromarray(photograph(120, 160)).save(pictures / "photo.png")
    for number in range(12):
        picture = np.roll(photograph(512, 512), 40 * number, 1)
        if number < 2:
            (pictures / f"{number}.calo").write_bytes(calotype.encode(picture, quality=40))
    (folder / "test.html").write_text(PAGE.format("import './src/calo-img.js';"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    with browser(1200, 800) as window:
        yield window


def violations(window: Browser) -> list[str]:
    """What axe-core finds wrong with a page; skips if it is not installed."""
    script = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        pytest.skip("axe-core is not installed: npm ci --prefix web")
    window.run(script.read_text(encoding="utf-8"))
    found: str = window.wait("JSON.stringify((await axe.run()).violations.map((v) => v.id + ': ' + v.nodes[0].html))")
    import json

    return list(json.loads(found))
