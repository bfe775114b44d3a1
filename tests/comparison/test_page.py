# SPDX-License-Identifier: BSD-3-Clause
"""The page with the slider, in a real browser without a network."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.comparison.outcome import Picture, compare
from calotype.comparison.page import figures, page, source
from calotype.comparison.table import columns
from calotype.metrics.catalogue import NAMED, available
from calotype.raster import Raster
from tests.browser import Browser, browser, drag, needs_browser

HOSTILE = '</script><img src=x onerror="state.split=9">.png'
WIDTH, HEIGHT = 320, 240


def flat(colour: tuple[int, int, int]) -> Raster:
    return Raster(np.full((HEIGHT, WIDTH, 3), colour, np.uint8))


def make_page() -> str:
    original = Picture("original.png", flat((200, 0, 0)), 90_000)
    others = [Picture("near.calo", flat((200, 30, 0)), 4000), Picture(HOSTILE, flat((0, 0, 200)), 3000)]
    return page(original, [compare(original, other) for other in others], columns(available()[0]))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(make_page(), encoding="utf-8")
    return path


@pytest.fixture
def window(written: Path) -> Iterator[Browser]:
    with browser() as opened:
        opened.open(written)
        yield opened
        assert opened.complaints() == []


def test_self_contained(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert not re.search(r"https?:|src=\"(?!data:)|href=|@import|url\(", text)
    assert "default-src 'none'" in text
    assert text.count("</script>") == 2 and HOSTILE not in text


def test_captions_tell_what_was_measured() -> None:
    original, other = Picture("a.png", flat((200, 0, 0)), 9000), Picture("b.calo", flat((200, 30, 0)), 4000)

    def caption(*names: str) -> str:
        return figures(compare(original, other, [NAMED[name] for name in names]))

    assert caption("mse", "psnr") == "4,000 bytes, 0.417 bpp, PSNR 23.36 dB"
    assert caption("mse", "rmse") == "4,000 bytes, 0.417 bpp, MSE 300.00"
    assert caption() == "4,000 bytes, 0.417 bpp"


def test_pictures_are_shown_as_people_see_them() -> None:
    deep = Raster(np.full((2, 2, 1), 30000, np.uint16), np.full((2, 2), 65535, np.uint16))
    clear = Raster(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    for picture, value in ((deep, 117), (clear, 128)):
        url = source(picture)
        assert url.startswith("data:image/png;base64,")
        image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        assert image.convert("RGB").getpixel((0, 0)) == (value,) * 3


def colour(window: Browser, tmp_path: Path, x: float, y: float) -> tuple[int, ...]:
    """What the screen shows at a place of the stage."""
    window.screenshot(tmp_path / "screen.png")
    top = window.run("return stage.getBoundingClientRect().top")
    pixel = Image.open(tmp_path / "screen.png").convert("RGB").getpixel((round(x), round(y + top)))
    assert isinstance(pixel, tuple)
    return pixel


@needs_browser
def test_the_divider_shows_one_picture_on_each_side(window: Browser, tmp_path: Path) -> None:
    middle, top, height = window.run("const b = stage.getBoundingClientRect(); return [b.width / 2, b.top, b.height]")
    y = height / 2 + 50
    assert colour(window, tmp_path, middle - 60, y) == (200, 0, 0)
    assert colour(window, tmp_path, middle + 60, y) == (200, 30, 0)
    window.drag((middle, top + 100), (middle + 90, top + 120))
    assert window.run("return Math.round(state.split * stage.clientWidth)") == middle + 90
    assert colour(window, tmp_path, middle + 60, y) == (200, 0, 0)
    window.click((middle - 100, top + y))
    assert colour(window, tmp_path, middle - 60, y) == (200, 30, 0)
    window.drag((middle - 100, top + 100), (middle - 90, top + 100), kind="touch")
    assert window.run("return Math.round(state.split * stage.clientWidth)") == middle - 90


@needs_browser
def test_keys(window: Browser) -> None:
    before = window.run("return state.split")
    window.run("divider.focus()")
    window.press("right")
    assert window.run("return state.split") == pytest.approx(before + 0.01, abs=1e-6)
    assert window.run("return divider.getAttribute('aria-valuenow')") == str(round(100 * (before + 0.01)))
    window.press("home")
    assert window.run("return state.split") == 0
    window.press("down")
    assert window.run("return [state.right, document.querySelector('tr.chosen td').textContent]") == [2, HOSTILE]
    window.press("s")
    assert window.run("return [state.left, state.right]") == [2, 0]
    window.press("1")
    assert window.run("return state.zoom") == 1
    window.press("+")
    assert window.run("return state.zoom") == 1.5
    window.press("0")
    assert window.run("return state.zoom == fitZoom()")


@needs_browser
def test_zoom_and_pan(window: Browser, tmp_path: Path) -> None:
    left, top = window.run("const b = stage.getBoundingClientRect(); return [b.left, b.top]")
    place = (left + 500, top + 200)

    def under() -> list[float]:
        return [float(v) for v in window.run("return [(500 - state.x) / state.zoom, (200 - state.y) / state.zoom]")]

    for _ in range(3):
        window.wheel(place, -400)
    before = under()  # now that the picture fills the stage and need not stand in its middle
    window.wheel(place, -200)
    zoom = window.run("return state.zoom")
    assert zoom > 6 and window.run("return pannable()")
    assert under() == pytest.approx(before, abs=0.6)  # the pixel under the pointer stays there
    x, y, split = window.run("return [state.x, state.y, state.split]")
    window.drag(place, (place[0] - 70, place[1] - 40))
    assert window.run("return [state.x, state.y]") == pytest.approx([x - 70, y - 40], abs=1.5)
    assert window.run("return state.split") == split
    window.pointer(*drag((400, 300), (350, 300)), kind="touch", more=drag((600, 300), (650, 300)))
    assert window.run("return state.zoom") == pytest.approx(zoom * 1.5, rel=0.02)
    window.run("$('fit').click()")
    window.run("stage.dispatchEvent(new WheelEvent('wheel', {deltaY: 1e9}))")
    assert window.run("return state.zoom > 0 && state.x >= 0")


@needs_browser
def test_choosing_by_menu_and_table(window: Browser) -> None:
    assert window.run("return [...$('right').options].map(o => o.text)") == [
        "original.png (original)",
        "near.calo",
        HOSTILE,
    ]
    window.run("document.querySelectorAll('tbody tr')[2].click()")
    assert window.run("return [state.right, $('right').value, $('tag-right').firstChild.textContent]") == [
        2,
        "2",
        HOSTILE,
    ]
    window.run("$('left').value = 1; $('left').dispatchEvent(new Event('change'))")
    assert window.run("return state.left") == 1
    best = window.run("return [...document.querySelectorAll('td.best')].map(c => c.textContent)")
    assert "3,000" in best and "4,000" not in best
    assert window.run("return document.title") == "original.png compared"


@needs_browser
def test_on_a_telephone(written: Path, tmp_path: Path) -> None:
    with browser(390, 780) as opened:
        opened.open(written)
        assert opened.run("return document.documentElement.scrollWidth") <= 390
        height, zoom = opened.run("return [stage.clientHeight, state.zoom]")
        assert height > 260 and zoom * WIDTH <= 390
        opened.drag((195, 300), (100, 300), kind="touch")
        assert opened.run("return Math.round(state.split * stage.clientWidth)") == 100
