# SPDX-License-Identifier: BSD-3-Clause
"""The page, `<calo-img>` and the service worker in Chromium, behind a plain file server."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calotype
from tests.browser import Browser
from tests.make_golden import CASES, GOLDEN
from tests.web.conftest import violations
from tests.web.serving import PAGE, static

# Pixels of what an <img> or a canvas shows, RGBA.
PIXELS = """(picture) => {
  const canvas = document.createElement('canvas');
  canvas.width = picture.naturalWidth || picture.width; canvas.height = picture.naturalHeight || picture.height;
  const context = canvas.getContext('2d'); context.drawImage(picture, 0, 0);
  return [canvas.width, canvas.height, ...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
STATUS = "document.getElementById('status').textContent"


def expected(name: str) -> np.ndarray:
    """RGBA of 8 bits of a golden file, by Python."""
    picture = calotype.decode((GOLDEN / f"{name}.calo").read_bytes(), as_array=True)
    if picture.dtype == np.uint16:
        picture = np.rint(picture / 257).astype(np.uint8)
    if picture.ndim == 2:
        picture = np.dstack([picture] * 3)
    if picture.shape[2] == 3:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    return np.asarray(picture, int)


def check(seen: list[int], name: str) -> None:
    width, height, *samples = seen
    wanted = expected(name)
    assert (height, width) == wanted.shape[:2]
    shown = np.array(samples).reshape(wanted.shape)
    # A canvas holds colours multiplied by alpha: what is nearly transparent loses its colour.
    opaque = wanted[..., 3] == 255
    assert np.abs(shown - wanted)[opaque].max(initial=0) <= 1, name
    assert np.array_equal(shown[..., 3], wanted[..., 3]), name


@pytest.mark.usefixtures("golden_weights")
def test_calo_img_shows_what_python_decodes(site: Path, chromium: Browser) -> None:
    with static(site) as (root, _):
        chromium.open(f"{root}/test.html")
        chromium.wait("customElements.get('calo-img')")
        for name in CASES:
            chromium.run(f"""
              window.told = null; document.querySelector('calo-img')?.remove();
              const image = document.createElement('calo-img'); image.alt = 'a picture';
              image.addEventListener('load', () => window.told = 'load');
              image.addEventListener('error', (event) => window.told = event.message);
              image.src = '/pictures/{name}.calo'; document.body.append(image);""")
            assert chromium.wait("window.told") == "load"
            find = "document.querySelector('calo-img')"
            check(chromium.run(f"return ({PIXELS})({find}.shadowRoot.querySelector('canvas'))"), name)
            described = chromium.run(f"return [{find}.getAttribute('role'), {find}.getAttribute('aria-label')]")
            assert described == ["img", "a picture"]
        for name, sentence in {
            "damaged": "does not match its CRC-32", "toderici2017": "cannot be decoded in browsers", "none": "404",
        }.items():  # fmt: skip
            chromium.run(f"window.told = null; document.querySelector('calo-img').src = '/pictures/{name}.calo'")
            told = chromium.wait("window.told")
            assert sentence in told or "out of place" in told, told


@pytest.mark.usefixtures("golden_weights")
def test_colours_by_code_points_are_those_of_display_p3(site: Path, chromium: Browser) -> None:
    with static(site) as (root, _):
        chromium.open(f"{root}/test.html")
        chromium.run("""
          window.told = null;
          const image = document.createElement('calo-img');
          image.addEventListener('load', () => window.told = 'load');
          image.src = '/pictures/p3.calo'; document.body.append(image);""")
        assert chromium.wait("window.told") == "load"
        seen = chromium.run(f"return ({PIXELS})(document.querySelector('calo-img').shadowRoot.querySelector('canvas'))")
    wanted = in_srgb(expected("colour")[..., :3])
    shown = np.array(seen[2:]).reshape(*wanted.shape[:2], 4)[..., :3]
    inside = ((wanted > 1) & (wanted < 254)).all(2)
    assert inside.mean() > 0.3 and np.abs(shown - wanted)[inside].max() <= 3
    assert np.abs(expected("colour")[..., :3] - wanted)[inside].max() > 10  # the two differ


def in_srgb(samples: np.ndarray) -> np.ndarray:
    """Display P3 of 8 bits as sRGB; both have the same transfer function and white."""
    p3 = np.array([[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0, 0.0451134, 1.0439444]])
    srgb = np.array(
        [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
    )
    x = samples / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) @ (np.linalg.inv(srgb) @ p3).T
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.usefixtures("golden_weights")
def test_stills_decode_to_the_sample(site: Path, chromium: Browser) -> None:
    page = PAGE.format("window.calotype = await import('./src/index.js')")
    (site / "stills.html").write_text(page, encoding="utf-8")
    with static(site) as (root, _):
        chromium.open(f"{root}/stills.html")
        chromium.wait("window.calotype")
        script = "[...(await calotype.decode(await fetch('/pictures/stills.calo'), {as: 'data'})).data]"
        shown = np.array(chromium.wait(script)).reshape(8, 3100, 4)
    wanted = expected("stills")
    exact = np.r_[0 : 5 * 64, 3072:3100]
    assert np.array_equal(shown[:, exact], wanted[:, exact])
    difference = np.abs(shown - wanted)
    assert difference[:, 5 * 64 : 1024].max() <= 1 and difference[:, 2048:].max() <= 1  # the network's
    assert difference[:, 1024:2048].max() <= 3  # AVIF: browsers turn YUV into RGB in their own ways


@pytest.mark.usefixtures("golden_weights")
def test_lossless_files_are_exact_or_refused(site: Path, chromium: Browser) -> None:
    page = PAGE.format("window.calotype = await import('./src/index.js')")
    (site / "lossless.html").write_text(page, encoding="utf-8")
    decode = "[...(await calotype.decode(await fetch('/pictures/lossless-webp.calo'), %s)).data]"
    with static(site) as (root, _):
        chromium.open(f"{root}/lossless.html")
        chromium.wait("window.calotype")
        for region, part in (("null", np.s_[:]), ("[3, 4, 20, 21]", np.s_[4:21, 3:20])):
            wanted = expected("lossless-webp")[part]
            shown = chromium.wait(decode % f"{{as: 'samples', region: {region}}}")
            assert np.array_equal(np.array(shown).reshape(wanted.shape), wanted)
        for name, sentence in {"png": "16 bits, which browsers cannot decode", "jpeg": "it keeps a JPEG"}.items():
            script = f"await calotype.decode(await fetch('/pictures/lossless-{name}.calo')).catch((e) => e.message)"
            assert sentence in chromium.wait(script)


@pytest.mark.usefixtures("golden_weights")
def test_an_img_shows_calo_files_through_the_service_worker(site: Path, chromium: Browser) -> None:
    register = """
      import { registerServiceWorker } from './src/index.js';
      await registerServiceWorker('./service-worker.js');
      if (!navigator.serviceWorker.controller) {
        await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
      }
      window.controlled = true;"""
    (site / "worker.html").write_text(PAGE.format(register), encoding="utf-8")
    with static(site) as (root, _):
        chromium.open(f"{root}/worker.html")
        chromium.wait("window.controlled")
        for name in ("colour", "alpha", "deep"):
            chromium.run(f"""
              window.told = null; window.picture = new Image();
              picture.onload = () => window.told = 'load'; picture.onerror = () => window.told = 'error';
              picture.src = '/pictures/{name}.calo'""")
            assert chromium.wait("window.told") == "load"
            check(chromium.run(f"return ({PIXELS})(window.picture)"), name)
        chromium.run("window.told = null; picture.src = '/pictures/damaged.calo'")
        assert chromium.wait("window.told") == "error"


def rows(chromium: Browser) -> dict[str, list[str]]:
    script = "return [...document.querySelectorAll('#rows tr')].map((r) => [...r.children].map((c) => c.textContent))"
    return {name: cells for name, *cells in chromium.run(script)}


def test_the_page_encodes_compares_and_works_offline(site: Path, chromium: Browser, tmp_path: Path) -> None:
    done = f"/pixels in/.test({STATUS}) && {STATUS}"
    with static(site) as (root, _):
        port = int(root.rsplit(":", 1)[1])
        chromium.open(f"{root}/demo/")
        chromium.complaints()  # of the pages before
        chromium.wait("document.documentElement.dataset.ready")
        assert violations(chromium) == []
        chromium.upload("#file", site / "pictures" / "photo.png")
        assert "160 × 120" in chromium.wait(done)
        first = rows(chromium)
        assert list(first) == ["photo", "Calotype", "JPEG"]
        assert 20 < float(first["Calotype"][2]) <= 100
        assert violations(chromium) == []

        # By keyboard: a lower quality makes a smaller file; the line moves; the picture zooms.
        chromium.run("document.getElementById('quality').focus()")
        chromium.press("home")
        chromium.wait(f"{STATUS} !== {json.dumps(chromium.run(f'return {STATUS}'))}")
        chromium.wait(done)
        assert float(rows(chromium)["Calotype"][1]) < float(first["Calotype"][1])
        chromium.run("document.querySelector('.handle').focus()")
        chromium.press("right")
        assert chromium.run("return document.querySelector('.handle').getAttribute('aria-valuenow')") == "52"
        scale = "return new DOMMatrix(getComputedStyle(document.querySelector('.layer canvas')).transform).a"
        before = chromium.run(scale)
        chromium.run("document.getElementById('stage').focus()")
        chromium.press("+")
        assert chromium.run(scale) == pytest.approx(1.25 * before)
        chromium.run("const s = document.getElementById('size'); s.value = '1,5'; s.dispatchEvent(new Event('input'))")
        chromium.wait(f"/in 1\\.[1-5] kB/.test({STATUS})")
        file = chromium.run("return document.querySelector('#rows a[download$=calo]').href")
        data = bytes(chromium.wait(f"[...new Uint8Array(await (await fetch('{file}')).arrayBuffer())]"))
        assert calotype.decode(data).size == (160, 120)

        # Of two that are opened at once, the last is shown.
        chromium.run("""
          const input = document.getElementById('file');
          const choose = (file) => {
            const chosen = new DataTransfer();
            chosen.items.add(file);
            input.files = chosen.files;
            input.dispatchEvent(new Event('change'));
          };
          const [first, size] = [input.files[0], document.getElementById('size')];
          size.value = document.getElementById('status').textContent = '';
          const canvas = Object.assign(document.createElement('canvas'), { width: 2000, height: 2000 });
          canvas.getContext('2d').fillRect(9, 9, 999, 999);
          canvas.toBlob((blob) => { choose(new File([blob], 'large.png')); choose(first); });
        """)
        chromium.wait(done)
        time.sleep(0.2)
        assert "160 × 120" in chromium.wait(done)

        # A .calo file opens, too.
        chromium.upload("#file", site / "pictures" / "0.calo")
        assert "512 × 512" in chromium.wait(f"/decoded in/.test({STATUS}) && {STATUS}")
        chromium.wait("navigator.serviceWorker.controller")
        chromium.wait("await caches.match('/src/index.js') && await caches.has('calotype-weights')")
        assert chromium.complaints() == []
    # Without a server, the page and all that it can do are still there.
    chromium.open(f"http://127.0.0.1:{port}/demo/")
    chromium.wait("document.documentElement.dataset.ready")
    chromium.upload("#file", site / "pictures" / "photo.png")
    assert "160 × 120" in chromium.wait(done)


def test_weights_are_checked_and_kept(site: Path, chromium: Browser, tmp_path: Path) -> None:
    shutil.copytree(site / "src", tmp_path / "src")
    shutil.copytree(site / "weights", tmp_path / "weights", ignore=shutil.ignore_patterns("g_a*", "h_a*"))
    (tmp_path / "picture.calo").write_bytes((GOLDEN / "colour.calo").read_bytes())
    tag = calotype.probe((GOLDEN / "colour.calo").read_bytes()).bundle
    graph = tmp_path / "weights" / tag / "g_s.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1] + b"?")
    (tmp_path / "test.html").write_text(
        PAGE.format("window.calotype = await import('./src/index.js')"), encoding="utf-8"
    )
    decode = "await calotype.decode(await fetch('/picture.calo'), {as: 'data'}).then((d) => d.width, (e) => e.message)"
    with static(tmp_path) as (root, _):
        chromium.open(f"{root}/test.html")
        chromium.wait("window.calotype")
        assert "are damaged" in chromium.wait(decode)
        graph.write_bytes(whole)
        assert chromium.wait(decode) == 100
        shutil.rmtree(tmp_path / "weights")
        chromium.wait("(calotype.configure({workers: 1}), true)")  # new workers
        assert chromium.wait(decode) == 100  # the decoder's part was enough, and is kept
        assert "404" in chromium.wait("await calotype.encode(new ImageData(9, 9)).catch((e) => e.message)")


SELF_CHECK = """
import { decode, encode } from './src/index.js';
const report = { agent: navigator.userAgent };
try {
  for (const name of %s) {
    const { data, width, height } = await decode(await fetch(`/pictures/${name}.calo`), { as: 'data' });
    report[name] = [width, height, ...data];
  }
  const image = new ImageData(64, 48);
  image.data.fill(200);
  report.encoded = (await decode(await encode(image, { quality: 50 }), { as: 'data' })).width;
  const bitmap = await decode(await fetch('/pictures/deep.calo'));
  report.bitmap = bitmap.width;
} catch (error) { report.error = String(error); }
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
"""


@pytest.mark.usefixtures("golden_weights")
def test_firefox_decodes_the_same(site: Path, tmp_path: Path) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if not firefox:
        pytest.skip("Firefox is not installed: apt-get install firefox-esr")
    names = ["colour", "grey", "alpha", "deep", "tiles"]
    (site / "self-check.html").write_text(PAGE.format(SELF_CHECK % json.dumps(names)), encoding="utf-8")
    with static(site) as (root, reports):
        arguments = [firefox, "--headless", "--no-remote", "--profile", str(tmp_path), f"{root}/self-check.html"]
        environment: dict[str, Any] = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "MOZ_CRASHREPORTER_DISABLE": "1"}
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        try:
            end = time.monotonic() + 150
            while not reports and time.monotonic() < end:
                time.sleep(0.2)
        finally:
            process.terminate()
            process.wait(20)
    assert reports, "Firefox said nothing"
    report = json.loads(reports[0])
    assert "error" not in report, report["error"]
    assert (report["encoded"], report["bitmap"]) == (64, 64)
    for name in names:
        check(report[name], name)
