# SPDX-License-Identifier: BSD-3-Clause
"""The report as a file, and as a person uses it in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calotype.benchmark.report import report
from calotype.benchmark.results import write
from calotype.benchmark.run import Results
from tests.browser import Browser, browser, needs_browser

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def page(outcome: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write(outcome, folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def window(page: Path) -> Iterator[Browser]:
    with browser(1200, 1000) as opened:
        yield opened


@pytest.fixture
def shown(window: Browser, page: Path) -> Browser:
    window.open(page)
    window.run("scrollTo(0, 0)")
    return window


def test_it_holds_all_that_it_shows(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    links = re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", text)
    assert all(link.startswith("#") for link in links)
    assert "crops &amp; &lt;b&gt;" in text and "<b>" not in text and "b<i>" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])  # type: ignore[index]
    assert [item["name"] for item in data["exhibits"]] == ["a", "b<i>"]
    assert "2 of 2 pictures" in text and "160 x 100 pixels with the most detail" in text
    assert "The published curves are means over the 24 Kodak pictures" in text
    assert text.count('<sup class="published">') > 4
    identities = re.findall(r'\sid="([^"]+)"', text)
    assert len(identities) == len(set(identities))


def test_without_pictures_and_speeds(outcome: Results) -> None:
    text = report(replace(outcome, exhibits=[], speeds=[], memory=[]), {})
    assert 'id="viewer"' not in text and "Not measured" in text


def element(window: Browser, selector: str) -> dict[str, float]:
    found: dict[str, float] = window.run(
        f"const b = document.querySelector('{selector}').getBoundingClientRect();"
        "return {x: b.x + b.width / 2, y: b.y + b.height / 2, left: b.left, top: b.top, width: b.width}"
    )
    return found


def center(window: Browser, selector: str) -> tuple[float, float]:
    window.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center', behavior: 'instant'}})")
    box = element(window, selector)
    return box["x"], box["y"]


def choose(window: Browser, name: str, value: str) -> None:
    window.run(
        f"const s = document.getElementById('{name}'); s.value = '{value}'; s.dispatchEvent(new Event('change'))"
    )


@needs_browser
def test_dragging_the_border(shown: Browser, tmp_path: Path) -> None:
    stage = element(shown, "#stage")
    x, y = center(shown, "#divider")
    assert x == pytest.approx(element(shown, "#stage")["x"], abs=1)
    shown.drag((x, y), (x - stage["width"] / 4, y))
    assert element(shown, "#divider")["x"] == pytest.approx(stage["left"] + stage["width"] / 4, abs=2)
    clip = shown.run("return document.getElementById('layer-right').style.clipPath")
    assert float(re.findall(r"([\d.]+)%", clip)[0]) == pytest.approx(25, abs=0.5)
    shown.press("right")
    assert shown.run("return document.getElementById('divider').getAttribute('aria-valuenow')") == "27"
    shown.screenshot(tmp_path / "page.png")
    pixels = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"))
    assert pixels.std() > 20
    assert shown.complaints() == []


@needs_browser
def test_choosing(shown: Browser) -> None:
    source = "return document.querySelector('#layer-{} img').src"
    caption = "return document.getElementById('caption-{}').textContent"
    before = shown.run(source.format("left"))
    assert "jpeg " in shown.run(caption.format("left")) and "PSNR" in shown.run(caption.format("left"))
    choose(shown, "left", "jpeg2000")
    other = shown.run(source.format("left"))
    assert other != before and "jpeg2000" in shown.run(caption.format("left"))
    choose(shown, "rate", "0.5")
    assert shown.run(source.format("left")) != other
    choose(shown, "picture", "1")
    choose(shown, "right", "original")
    assert shown.run(caption.format("right")) == "original"
    assert shown.run("return [...document.querySelectorAll('.layer img')].every((i) => i.naturalWidth === 160)")


@needs_browser
def test_zooming(shown: Browser) -> None:
    def image() -> dict[str, float]:
        return element(shown, "#layer-left img")

    before = image()
    shown.click(center(shown, "#in"))
    shown.click(center(shown, "#in"))
    assert image()["width"] == pytest.approx(4 * before["width"], rel=1e-3)
    x, y = center(shown, "#stage")
    at = image()
    shown.drag((x + 120, y + 60), (x + 40, y + 20))  # away from the border: moves the picture
    assert image()["left"] == pytest.approx(at["left"] - 80, abs=2)
    assert image()["top"] == pytest.approx(at["top"] - 40, abs=2)
    assert element(shown, "#layer-right img")["left"] == image()["left"]
    shown.click(center(shown, "#out"))
    shown.click(center(shown, "#out"))
    assert image()["width"] == pytest.approx(before["width"], rel=1e-3)


@needs_browser
def test_tables_sort(shown: Browser) -> None:
    column = "return [...document.querySelectorAll('#points tbody tr')].map((row) => row.cells[{}].textContent)"
    shown.click(center(shown, "#points th:nth-child(3) button"))
    rates = [float(value) for value in shown.run(column.format(2))]
    assert rates == sorted(rates) and len(rates) > 20
    shown.click(center(shown, "#points th:nth-child(3) button"))
    assert [float(value) for value in shown.run(column.format(2))] == rates[::-1]
    shown.click(center(shown, "#points th:nth-child(2) button"))
    settings = shown.run(column.format(1))
    numbers = [float(value) for value in settings if value != "–"]
    assert numbers == sorted(numbers) and settings[-1] == "–"  # published points have none, and stand last
    shown.click(center(shown, "#points th:nth-child(1) button"))
    names = shown.run(column.format(0))
    assert names == sorted(names)


@needs_browser
def test_tabs_and_values(shown: Browser) -> None:
    visible = "return document.getElementById('{}').checkVisibility()"
    assert shown.run(visible.format("plot-psnr")) and not shown.run(visible.format("plot-ms-ssim"))
    shown.click(center(shown, '[data-show="plot-ms-ssim"]'))
    assert shown.run(visible.format("plot-ms-ssim")) and not shown.run(visible.format("plot-psnr"))
    first = "return document.querySelector('#bd-psnr tbody tr:nth-child(2) td').textContent"
    averaged = shown.run(first)
    assert float(averaged) < 0
    shown.click(center(shown, 'input[value="overlap"]'))
    assert shown.run(first).endswith("%")
    shown.click(center(shown, 'input[value="averaged"]'))
    assert shown.run(first) == averaged
    assert shown.complaints() == []
