"""The weights that ship: sound, exact, monotone, and better than JPEG on a photograph that they never saw."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import calotype
from calotype import bundles, codecs
from calotype.benchmark import ours
from calotype.metrics import psnr
from tests.make_golden import latents_hash

skimage = pytest.importorskip("skimage")


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[:384, 64:448])


def test_each_codec_has_weights_that_are_what_they_claim() -> None:
    for entry in codecs.available():
        bundle = bundles.find(entry.id)
        bundle.verify()
        assert bundle.size <= 12_000_000 and bundle.description["licence"] == "BSD-3-Clause"


def test_symbols_are_identical_everywhere(photograph: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = calotype.encode(photograph, quality=50)
    hashes = {latents_hash(data, threads, optimise) for threads in (1, 4) for optimise in (True, False)}
    torch = pytest.importorskip("torch")
    from calotype.codecs import latents
    from calotype.training.replay import TorchGraph

    torch.set_num_threads(1)
    monkeypatch.setattr(latents, "graph", lambda path, threads, optimise: TorchGraph(path))
    assert len(hashes | {latents_hash(data)}) == 1


def test_no_sum_of_the_shipped_integer_graphs_leaves_the_exact_range() -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("torch")
    from calotype.training.integer import sums_stay_exact

    folder = bundles.find("talbot").path
    for name in ("z_pass", "h_s", "pass1", "pass2", "pass3", "pass4"):
        assert sums_stay_exact(onnx.load(folder / f"{name}.onnx"))


def test_bytes_and_fidelity_rise_with_quality(photograph: np.ndarray) -> None:
    files = [calotype.encode(photograph, quality=q) for q in range(1, 101, 9)]
    fidelity = [psnr(photograph, calotype.decode(f, as_array=True)) for f in files]
    assert [len(f) for f in files] == sorted(len(f) for f in files) and len(files[-1]) > 10 * len(files[0])
    assert fidelity == sorted(fidelity) and fidelity[-1] > 38


def test_the_size_is_what_the_tables_predict(photograph: np.ndarray) -> None:
    for quality in (30, 60, 90):
        size = len(calotype.encode(photograph, quality=quality)) - 48
        assert size == pytest.approx(ours.predict(photograph, quality), rel=0.01)


def test_smaller_than_jpeg_at_the_same_fidelity(photograph: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photograph).save(buffer, "JPEG", quality=40, optimize=True, progressive=True)
    wanted = psnr(photograph, np.asarray(Image.open(buffer)))
    assert len(calotype.encode(photograph, target_psnr=wanted)) < 0.7 * len(buffer.getvalue())


def test_tiles_do_not_show(photograph: np.ndarray) -> None:
    large = np.tile(photograph, (3, 4, 1))[:1100, :1500]
    data = calotype.encode(large, quality=40)
    whole = calotype.decode(data, as_array=True).astype(int)
    for region in [(900, 900, 1300, 1100), (0, 1000, 1500, 1050)]:
        left, top, right, bottom = region
        part = calotype.decode(data, region=region, as_array=True)
        assert np.abs(part - whole[top:bottom, left:right]).max() <= 1
