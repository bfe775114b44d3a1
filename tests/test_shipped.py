# SPDX-License-Identifier: BSD-3-Clause
"""The weights that ship: sound, exact, monotone, and better than JPEG on a photograph that they never saw."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import calotype
from calotype import codecs
from calotype.benchmark import ours
from calotype.codecs.talbot import TUNINGS
from calotype.engine import bundles
from calotype.metrics import ms_ssim, psnr, ssimulacra2
from tests.make_golden import latents_hash

skimage = pytest.importorskip("skimage")
INSTALLED = {tune: weights for tune, weights in TUNINGS.items() if weights in {b.id for b in bundles.installed()}}
JUDGES = {"eye": ssimulacra2, "ms-ssim": ms_ssim, "psnr": psnr}


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[:384, 64:448])


def test_each_codec_has_weights_that_are_what_they_claim() -> None:
    for entry in codecs.available():
        if entry.weightless:
            continue
        bundle = bundles.find(entry.id)
        bundle.verify()
        assert bundle.size <= 12_000_000 and bundle.description["licence"] == "BSD-3-Clause"


def test_symbols_are_identical_everywhere(photograph: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = calotype.encode(photograph, quality=50)
    hashes = {latents_hash(data, threads, optimise) for threads in (1, 4) for optimise in (True, False)}
    torch = pytest.importorskip("torch")
    from calotype.codecs.talbot import prior as latents
    from calotype.training.replay import TorchGraph

    torch.set_num_threads(1)
    monkeypatch.setattr(latents, "graph", lambda path, *_, **__: TorchGraph(path))
    assert len(hashes | {latents_hash(data)}) == 1


@pytest.mark.parametrize("weights", INSTALLED.values())
def test_no_sum_of_the_shipped_integer_graphs_leaves_the_exact_range(weights: str) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("torch")
    from calotype.training.integer import sums_stay_exact

    folder = bundles.find("talbot", name=weights).path
    for name in ("z_pass", "h_s", "pass1", "pass2", "pass3", "pass4"):
        assert sums_stay_exact(onnx.load(folder / f"{name}.onnx"))


@pytest.mark.parametrize("tune", INSTALLED)
def test_bytes_and_fidelity_rise_with_quality(photograph: np.ndarray, tune: str) -> None:
    files = [calotype.encode(photograph, quality=q, tune=tune) for q in range(1, 101, 9)]
    fidelity = [psnr(photograph, calotype.decode(f, as_array=True)) for f in files]
    assert [len(f) for f in files] == sorted(len(f) for f in files) and len(files[-1]) > 10 * len(files[0])
    assert fidelity == sorted(fidelity) and fidelity[-1] > (38 if tune == "psnr" else 37)


def test_the_size_is_what_the_tables_predict(photograph: np.ndarray) -> None:
    for quality in (30, 60, 90):
        size = len(calotype.encode(photograph, quality=quality, tune="psnr")) - 48
        assert size == pytest.approx(ours.predict(photograph, quality), rel=0.01)


def test_smaller_than_jpeg_at_the_same_fidelity(photograph: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photograph).save(buffer, "JPEG", quality=40, optimize=True, progressive=True)
    wanted = psnr(photograph, np.asarray(Image.open(buffer)))
    assert len(calotype.encode(photograph, target_psnr=wanted, tune="psnr")) < 0.7 * len(buffer.getvalue())


def test_asked_for_by_ssimulacra2(photograph: np.ndarray) -> None:
    file = calotype.encode(photograph, target_ssimulacra2=70)
    assert 70 <= ssimulacra2(photograph, np.asarray(calotype.decode(file, as_array=True))) < 71


def test_each_tuning_is_the_better_one_by_its_metric(photograph: np.ndarray) -> None:
    files = {tune: calotype.encode(photograph, target_size=6000, tune=tune) for tune in INSTALLED}
    assert all(5700 < len(f) <= 6000 for f in files.values())
    decoded = {tune: calotype.decode(f, as_array=True) for tune, f in files.items()}
    for tune in INSTALLED:
        values = {other: JUDGES[tune](photograph, samples) for other, samples in decoded.items()}
        assert max(values, key=values.__getitem__) == tune
    assert calotype.encode(photograph, target_size=6000) == files[next(iter(INSTALLED))]  # the default


def test_tiles_do_not_show(photograph: np.ndarray) -> None:
    large = np.tile(photograph, (3, 4, 1))[:1100, :1500]
    data = calotype.encode(large, quality=40)
    whole = calotype.decode(data, as_array=True).astype(int)
    for region in [(900, 900, 1300, 1100), (0, 1000, 1500, 1050)]:
        left, top, right, bottom = region
        part = calotype.decode(data, region=region, as_array=True)
        assert np.abs(part - whole[top:bottom, left:right]).max() <= 1
