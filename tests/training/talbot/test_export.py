# SPDX-License-Identifier: BSD-3-Clause
"""What is exported computes exactly, and says the same as the network."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from calotype.codecs.quality import position, to_header  # noqa: E402
from calotype.codecs.talbot import prior as latents  # noqa: E402
from calotype.codecs.talbot.codec import Talbot as Codec  # noqa: E402
from calotype.engine.bundles import Bundle, bundle_hash  # noqa: E402
from calotype.engine.runtime import Graph  # noqa: E402
from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.talbot import Talbot  # noqa: E402
from calotype.training.integer import EXACT, quantise_weights, sums_stay_exact  # noqa: E402
from calotype.training.replay import TorchGraph  # noqa: E402
from calotype.training.talbot import export  # noqa: E402
from calotype.training.talbot.export import export_bundle  # noqa: E402

FACTS = {"id": "small", "codec": "talbot", "title": "a test", "paper": "none", "licence": "BSD-3-Clause"}

INTEGER_GRAPHS = ("z_pass", "h_s", "pass1", "pass2", "pass3", "pass4")


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth shapes with noise, so that every pass has something to say."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    base = 128 + 90 * np.sin(x / 37 + seed)[..., None] * np.cos(y / 29)[..., None]
    return np.clip(base + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def test_the_sums_of_every_integer_graph_are_exact(bundle: Bundle) -> None:
    for name in INTEGER_GRAPHS:
        assert sums_stay_exact(onnx.load(bundle.path / f"{name}.onnx"))


def test_sums_that_could_leave_the_integers_are_noticed(bundle: Bundle) -> None:
    model = onnx.load(bundle.path / "pass2.onnx")
    for constant in model.graph.initializer:
        if len(constant.dims) == 4 and constant.data_type == onnx.TensorProto.INT8:
            constant.raw_data = bytes([127]) * len(constant.raw_data)
    wide = [n for n in model.graph.node if n.op_type == "Clip"]
    for node in wide:
        limit = next(c for c in model.graph.initializer if c.name == node.input[2])
        limit.raw_data = np.float32(1e6).tobytes()
    assert not sums_stay_exact(model)


def test_quantised_weights_respect_the_bound() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(8, 512, 1, 1)) * np.exp2(rng.integers(-20, 10, (8, 1, 1, 1)))
    q, b, exponent = quantise_weights(weight, weight[:, 0, 0, 0] * 3, 2047, 127)
    assert (np.abs(q.reshape(8, -1)).sum(1) * 2047 + np.abs(b) < EXACT).all() and np.abs(q).max() <= 127
    error = np.abs(q * np.exp2(-exponent.astype(float))[:, None, None, None] - weight).reshape(8, -1).max(1)
    assert (error <= np.exp2(-exponent.astype(float)) / 2).all()


@pytest.mark.parametrize("name", INTEGER_GRAPHS)
def test_integer_graphs_agree_everywhere(bundle: Bundle, name: str) -> None:
    """One and four threads, optimised or not, and through PyTorch: the same numbers to the last bit."""
    path = bundle.path / f"{name}.onnx"
    rng = np.random.default_rng(1)
    model = onnx.load(path)
    channels = [i.type.tensor_type.shape.dim[1].dim_value for i in model.graph.input]
    whole = [np.rint(rng.normal(0, 300, (1, c, 12, 20))).clip(-1023, 1023) for c in channels]
    arrays = [
        w / (1 if n == "features" else 64) for n, w in zip((i.name for i in model.graph.input), whole, strict=True)
    ]
    runs = [Graph(path, threads, optimise) for threads in (1, 4) for optimise in (True, False)]
    reference = TorchGraph(path)(*arrays)
    for run in runs:
        for ours, theirs in zip(run(*arrays), reference, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    for output in reference:
        assert np.isfinite(output).all() and len(np.unique(output)) > 1


def test_files_decode_to_the_same_symbols_everywhere(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise(200, 330)
    stored = to_header(60)
    payloads = Codec(bundle, 1).encode(picture, stored)
    y_hat = [
        Codec(bundle, threads, optimise).prior.decode(payloads[0], 13, 21, position(stored))
        for threads in (1, 4)
        for optimise in (True, False)
    ]
    monkeypatch.setattr(latents, "graph", lambda path, *_, **__: TorchGraph(path))
    y_hat.append(Codec(bundle, 1).prior.decode(payloads[0], 13, 21, position(stored)))
    for other in y_hat[1:]:
        np.testing.assert_array_equal(y_hat[0], other)
    assert np.unique(y_hat[0]).size > 50


@pytest.mark.parametrize("quality", [1, 50, 100])
def test_the_codec_does_what_the_network_does(bundle: Bundle, network: Talbot, quality: float) -> None:
    """Rate and reconstruction of real bytes against the float network's estimate."""
    picture = noise(256, 256)
    stored = to_header(quality)
    codec = Codec(bundle, 1)
    payloads = codec.encode(picture, stored)
    decoded = codec.decode(payloads, picture.shape, 8, stored)
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        x_hat, y_bits, z_bits = network(x, torch.tensor([position(stored) * (network.config.levels - 1)]))
    assert 8 * len(payloads[0]) == pytest.approx((y_bits + z_bits).item(), rel=0.05, abs=200)
    expected = (x_hat.clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255).round()
    error = ((expected - picture) ** 2).mean()
    assert ((decoded.astype(float) - picture) ** 2).mean() == pytest.approx(error, rel=0.05)


def test_the_hash_is_of_the_files(bundle: Bundle) -> None:
    assert bundle_hash(bundle.path, bundle.files) == bundle.hash
    bundle.verify()
    assert math.log2(bundle.size) < 21


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_only_a_bundle_is_replaced(network: Talbot, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("precious", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.json").write_text("{}", encoding="utf-8")
    (tmp_path / "other" / "thesis.tex").write_text("precious", encoding="utf-8")
    before = files_of(tmp_path)
    for folder, match in (
        (tmp_path, "no bundle"),
        (tmp_path / "other", "thesis"),
        (tmp_path / "notes.txt", "is a file"),
    ):
        with pytest.raises(CalotypeError, match=match):
            export_bundle(network, torch.rand(4, 3, 128, 128), folder, FACTS)
    assert files_of(tmp_path) == before and len(list(tmp_path.iterdir())) == 2


def test_a_failed_export_leaves_the_old_bundle(
    network: Talbot, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle.path, tmp_path / "small")
    (tmp_path / "small" / "old.onnx").write_bytes(b"of an older export")
    before = files_of(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(CalotypeError, match="sums of"):
        patch.setattr(export, "sums_stay_exact", lambda model: False)
        export_bundle(network, torch.rand(4, 3, 256, 256), tmp_path / "small", FACTS)
    assert files_of(tmp_path) == before
    export_bundle(network, torch.rand(4, 3, 256, 256), tmp_path / "small", FACTS)
    assert set(files_of(tmp_path)) == set(before) - {"small/old.onnx"}


def test_float_weights_stay_beside_the_run(network: Talbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "export_bundle", lambda *_: "0" * 64)
    monkeypatch.setattr(export, "random_crop", lambda *_: torch.rand(3, 128, 128))
    monkeypatch.setattr(export, "random_crops", lambda *_: torch.rand(4, 3, 128, 128))
    state = {"average": dict(network.named_parameters()), "step": 1, "seconds": 1.0}
    torch.save({**state, "average": {k: v.detach() for k, v in state["average"].items()}}, tmp_path / "state.pt")
    export.export_run(tmp_path / "state.pt", network.config, [], tmp_path / "v1.0")
    assert (tmp_path / "state.safetensors").exists()  # beside the run, not beside the bundle
    with pytest.raises(CalotypeError, match="no state of a training run"):
        export.export_run(tmp_path / "nope.pt", network.config, [], tmp_path / "v1.0")
