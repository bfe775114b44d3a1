# SPDX-License-Identifier: BSD-3-Clause
"""Golden files: version 1 of the format, and symbols that are the same on every machine.

If one of these tests fails, files that people have would no longer open as they should.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import calotype
from calotype.engine import bundles
from tests.make_golden import CASES, GOLDEN, drawing, latents_hash

EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.mark.parametrize("name", CASES)
def test_files_decode_to_what_they_did(name: str) -> None:
    decoded = calotype.decode((GOLDEN / f"{name}.calo").read_bytes(), as_array=True)
    assert list(decoded.shape) == EXPECTED[name]["shape"]
    # The synthesis is floating point: a sample may differ in its last bit.
    tolerance = 1 if decoded.dtype == np.uint8 else 4
    assert np.abs(decoded[:2, :2].reshape(-1).astype(int) - EXPECTED[name]["corner"]).max() <= tolerance


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("name", CASES)
def test_symbols_are_identical(name: str, threads: int, optimise: bool) -> None:
    data = (GOLDEN / f"{name}.calo").read_bytes()
    assert latents_hash(data, threads, optimise) == EXPECTED[name]["latents"]


@pytest.mark.parametrize("name", CASES)
def test_symbols_are_identical_through_pytorch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from calotype.codecs.talbot import prior as latents
    from calotype.training.replay import TorchGraph

    monkeypatch.setattr(latents, "graph", lambda path, *_, **__: TorchGraph(path))
    assert latents_hash((GOLDEN / f"{name}.calo").read_bytes()) == EXPECTED[name]["latents"]


@pytest.mark.parametrize("name", CASES)
def test_encoding_stays_about_the_same(name: str) -> None:
    """The analysis is floating point, so bytes may differ between machines; size and fidelity may not."""
    shape, quality = CASES[name]
    old = (GOLDEN / f"{name}.calo").read_bytes()
    new = calotype.encode(drawing(*shape), quality=quality, threads=1, tiles="network")
    assert len(new) == pytest.approx(len(old), rel=0.02, abs=16)
    difference = calotype.decode(new, as_array=True).astype(float) - calotype.decode(old, as_array=True)
    assert np.abs(difference).mean() < 0.01 * float(np.iinfo(np.uint8 if shape[3] == 8 else np.uint16).max)


def test_stills_decode_to_what_they_did() -> None:
    data = (GOLDEN / "stills.calo").read_bytes()
    found, samples = calotype.decode(data, as_array=True), drawing(8, 3100, 3, 8)
    assert calotype.probe(data).kinds == ("WebP and network", "AVIF", "network", "samples")
    for exact in (slice(0, 5 * 64), slice(3072, None)):
        assert np.array_equal(found[:, exact], samples[:, exact])
    assert np.abs(found.astype(int) - np.load(GOLDEN / "stills.npy")).max() <= 1


def test_weights_are_verified(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(GOLDEN / "weights" / "small", folder / "small")
    graph = folder / "small" / "g_s.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(folder))
    with pytest.raises(calotype.BundleError, match="damaged"):
        bundles.find("talbot")


def test_a_file_of_unknown_weights_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALOTYPE_WEIGHTS")
    with pytest.raises(calotype.BundleError, match="are not in"):
        calotype.decode((GOLDEN / "colour.calo").read_bytes())
