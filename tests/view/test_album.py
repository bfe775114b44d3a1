# SPDX-License-Identifier: BSD-3-Clause
"""The album in Chromium."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from PIL import Image

import calotype
from calotype.view.album import Album
from calotype.view.server import Server
from tests.browser import CHROMIUM, DRIVER, browser
from tests.make_golden import GOLDEN
from tests.web.conftest import photograph, violations

pytestmark = [
    pytest.mark.usefixtures("golden_weights"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed"),
]
FACTS = "document.getElementById('facts').textContent"


def test_thousands_of_pictures_scroll_and_one_opens(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}.calo").symlink_to(tmp_path / "00000.calo") if number else shutil.copy(
            GOLDEN / "colour.calo", tmp_path / "00000.calo"
        )
    last = photograph(300, 420)
    described = Image.fromarray(last)
    exif = Image.Exif()
    exif[0x0110], exif[0x0132] = "Camera 1", "2025:06:01 10:11:12"
    described.info["exif"] = exif.tobytes()
    (tmp_path / "zz.calo").write_bytes(calotype.encode(described, quality=50))
    Image.fromarray(last).save(tmp_path / "zz.png")
    (tmp_path / "zy.calo").write_bytes(b"broken")
    shutil.copy(GOLDEN / "toderici2017.calo", tmp_path / "zx.calo")
    calotype.write(tmp_path / "zzz.calo", last, lossless=True)
    with Server(Album(tmp_path), 0) as server, browser(1200, 800) as window:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        window.open(server.url)
        window.wait("document.documentElement.dataset.ready")
        assert "10,004 pictures" in window.run("return document.getElementById('count').textContent")
        window.wait("document.querySelectorAll('.item canvas').length > 10")
        assert violations(window) == []
        # Only what is in sight exists, wherever one scrolls to.
        for share in (0.4, 1):
            window.run(f"scrollTo(0, {share} * document.body.scrollHeight)")
            window.wait(
                "[...document.querySelectorAll('.item')].some((i) => i.getBoundingClientRect().top < innerHeight)"
            )
            assert window.run("return document.querySelectorAll('.item').length") < 200
        window.wait("document.querySelector('[data-index=\"10002\"] canvas')")
        window.wait("document.querySelector('[data-index=\"10000\"] canvas')")  # decoded by the server
        assert "not a .calo file" in window.run("return document.querySelector('[data-index=\"10001\"]').textContent")

        window.run("document.querySelector('[data-index=\"10002\"]').click()")
        facts = window.wait(f"{FACTS}.includes('decoded in') && {FACTS}")
        assert "2025-06-01 10:11 · Camera 1 · 420 × 300" in facts
        assert violations(window) == []
        window.run("document.getElementById('compare').click()")
        window.wait("document.querySelector('.layer.left canvas')")
        window.run("document.getElementById('previous').click()")
        window.wait(f"{FACTS}.includes('not a .calo file')")
        window.run("document.querySelector('[data-index=\"10003\"]').click()")
        assert " · lossless · " in window.wait(f"{FACTS}.includes('decoded in') && {FACTS}")
        window.run("document.getElementById('previous').click()")
        window.run("document.getElementById('previous').click()")
        window.wait(f"{FACTS}.includes('not a .calo file')")
        window.run("document.getElementById('back').click()")
        window.wait("document.activeElement.dataset.index === '10001'")  # once the viewer says that it is closed
        assert window.complaints() == []
