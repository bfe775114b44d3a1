# SPDX-License-Identifier: BSD-3-Clause
"""Restoring networks learn from real codecs, a proxy stands in for them, and what is exported computes the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.codecs.tao2017.restore import restored  # noqa: E402
from calotype.codecs.tao2017.strength import Strength  # noqa: E402
from calotype.engine.bundles import Bundle, installed  # noqa: E402
from calotype.engine.runtime import Graph  # noqa: E402
from calotype.engine.tiling import Rectangle  # noqa: E402
from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.ledig2017 import Generator, GeneratorConfig  # noqa: E402
from calotype.networks.tao2017 import LayerRec, StagedRec, Tao2017, Tao2017Config, halved  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.ledig2017.export import FACTS, export_bundle  # noqa: E402
from calotype.training.parents import bundle_in  # noqa: E402
from calotype.training.tao2017 import export as export_tao2017  # noqa: E402
from calotype.training.tao2017 import kind  # noqa: E402
from calotype.training.tao2017.degrading import DegradedPool, MixConfig, degrade, through  # noqa: E402
from calotype.training.tao2017.jpeg_proxy import jpeg_proxy  # noqa: E402
from calotype.training.tao2017.task import Tao2017Task, TaskConfig, start_whitened  # noqa: E402

SMALL = Tao2017Config(c4=16, c8=16, blocks=2, compact=8, width=8, depth=4)
STAGED = replace(SMALL, staged=True, enlarger_channels=16, enlarger_blocks=1)


def scene(height: int = 160, width: int = 208) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [
        128 + 60 * np.sin(x / (6 + c)) + 40 * np.cos(y / 11 - c) + 30 * ((x // 16 + y // 16) % 2) for c in range(3)
    ]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> PictureCache:
    (tmp_path / "pictures").mkdir()
    Image.fromarray(scene()).save(tmp_path / "pictures" / "a.png")
    return PictureCache(tmp_path / "pictures", tmp_path / "cache")


def only(codec: str) -> MixConfig:
    return MixConfig(**{name: float(name == codec) for name in ("jpeg", "avif", "webp", "jpeg2000", "nothing")})


@pytest.mark.parametrize("codec", ["jpeg", "avif", "webp", "jpeg2000", "nothing"])
def test_degrading_keeps_the_size_and_knows_the_tables_of_jpeg_alone(codec: str) -> None:
    picture = scene(64, 96)
    for seed in range(3):
        result = degrade(picture, only(codec), np.random.default_rng(seed))
        assert result.picture.shape == picture.shape and result.known == (codec == "jpeg")
        assert bool(result.tables.any()) == result.known
        assert (result.picture == picture).all() == (codec == "nothing")


def test_tables_come_in_rows() -> None:
    steps = 2 ** through(scene(64, 64), "JPEG", quality=50).tables
    assert steps[:8].round().tolist() == [16, 11, 10, 16, 24, 40, 51, 61]  # the first row in annex K of the standard


def test_the_pool_hands_out_what_belongs_together(pictures: PictureCache) -> None:
    pool = DegradedPool(pictures, only("nothing"), side=96, count=4)
    for _ in range(5):
        x, y, tables, known = pool.batch(np.random.default_rng(0), 4, 64)
        assert x.shape == (4, 3, 64, 64) and torch.equal(x, y) and not known.any() and tables.shape == (4, 128, 1, 1)
    assert len(pool.pieces) == 4


@pytest.mark.parametrize("quality", [20, 60])
def test_the_proxy_does_about_what_jpeg_does_and_has_a_gradient(quality: int) -> None:
    picture = scene(96, 96)
    real = through(picture, "JPEG", quality=quality, subsampling=0)
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    made = jpeg_proxy(x, torch.from_numpy(real.tables)[None, :, None, None])
    decoded = torch.from_numpy(real.picture.copy()).permute(2, 0, 1)[None].float() / 255
    assert (made - decoded).abs().mean() < 0.5 * (x - decoded).abs().mean()
    made.square().sum().backward()
    assert x.grad is not None and x.grad.isfinite().all() and x.grad.abs().mean() > 0


@pytest.mark.parametrize("gradient", ["straight-through", "identity", "proxy", "proxy-backward"])
def test_every_gradient_reaches_the_network_before_the_codec(pictures: PictureCache, gradient: str) -> None:
    torch.manual_seed(2)
    network = Tao2017(SMALL)
    task = Tao2017Task(network, pictures, TaskConfig(full=0.0, size=64, gradient=gradient), only("jpeg"))
    loss, details = task.loss(task.batch(np.random.default_rng(1), 4))
    loss.backward()
    assert "gain2" in details
    assert network.com.last.weight.grad is not None and network.com.last.weight.grad.abs().sum() > 0
    assert network.rec2.head[1].weight.grad is not None  # type: ignore[union-attr]
    assert network.rec1.head[1].weight.grad is None  # type: ignore[union-attr]


def test_the_alternation_holds_the_network_behind_the_codec(pictures: PictureCache) -> None:
    """With ``identity``, the loss of ComCNN must not teach RecCNN pictures that no codec has touched."""
    torch.manual_seed(2)
    network = Tao2017(SMALL)
    gradients = {}
    for stay in (0.05, 5.0):  # a weight that only ComCNN's side of the loss could pass on
        network.zero_grad()
        torch.manual_seed(5)
        task = Tao2017Task(
            network, pictures, TaskConfig(full=0.0, size=64, gradient="identity", stay=stay), only("jpeg")
        )
        task.loss(task.batch(np.random.default_rng(1), 4))[0].backward()
        gradients[stay] = network.rec2.head[1].weight.grad.clone()  # type: ignore[union-attr]
    assert torch.equal(gradients[0.05], gradients[5.0])


def test_bits_pull_on_the_network_before_the_codec_and_the_restorer_can_be_held(pictures: PictureCache) -> None:
    torch.manual_seed(2)
    network = Tao2017(STAGED)
    config = TaskConfig(full=0.0, size=64, gradient="proxy-backward", stay=0.0, rate=0.4, hold=True)
    task = Tao2017Task(network, pictures, config, only("jpeg"))
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 1e-3)
    bits = []
    for _ in range(12):
        batch = task.batch(np.random.default_rng(1), 4)
        loss, details = task.loss_half(batch[1][0], np.random.default_rng(2))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        bits.append(details["bits2"])
    assert bits[0] == 0 and bits[-1] < -0.004  # plain down-sampling at first, then what is cheaper to store
    assert all(p.grad is None for p in network.rec1.parameters())


@pytest.mark.parametrize("loss", ["ms-ssim", "psnr-hvs", "ssimulacra2"])
def test_losses_are_relative_to_the_error_before(pictures: PictureCache, loss: str) -> None:
    task = Tao2017Task(Tao2017(SMALL), pictures, TaskConfig(loss=loss), only("jpeg"))  # type: ignore[arg-type]
    x, y, *_ = task.pool.batch(np.random.default_rng(1), 2, 96)
    same, _ = task.distance(y, x, y, "")
    half, _ = task.distance(x + 0.5 * (y - x), x, y, "")
    assert 0.6 < float(same.mean()) <= 1.001 and bool((half < 0.8 * same).all())  # less than 1 by what is added


def test_restoring_is_learnt(pictures: PictureCache) -> None:
    torch.manual_seed(3)
    network = Tao2017(SMALL).train()
    start_whitened(network, pictures, crops=64)
    task = Tao2017Task(network, pictures, TaskConfig(full=1.0, size=32, freshness=0.1), only("jpeg"))
    rng, optimiser = np.random.default_rng(4), torch.optim.Adam(network.parameters(), 3e-3)
    judged = task.pool.batch(rng, 32, 32)
    gains = []
    for step in range(81):
        loss, details = task.loss_full(*(judged if step % 80 == 0 else task.pool.batch(rng, 8, 32)))
        if step % 80 == 0:
            gains.append(details["gain1"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert gains[-1] > gains[0] + 0.1 and gains[-1] > 0.1


def test_validation_names_every_judge(pictures: PictureCache, tmp_path: Path) -> None:
    task = Tao2017Task(Tao2017(SMALL).eval(), pictures, validation=[tmp_path / "pictures" / "a.png"])
    with torch.inference_mode():
        figures = task.validate()
    assert {"jpeg10", "jpeg10 blind", "avif25", "webp10", "half psnr@10", "half bpp@60"} <= set(figures)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Tao2017, Bundle]:
    torch.manual_seed(6)
    network = Tao2017(SMALL).eval()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn_like(p))
    export_tao2017.export_bundle(network, tmp_path / "weights" / "tao2017", export_tao2017.FACTS)
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(tmp_path / "weights"))
    return network, next(b for b in installed() if b.id == "tao2017")


def test_the_bundle_computes_what_the_networks_compute(bundle: tuple[Tao2017, Bundle]) -> None:
    network, found = bundle
    found.verify()
    x, e = torch.rand(1, 3, 48, 64), torch.rand(1, SMALL.strength, 1, 1)
    tables = torch.rand(1, 128, 1, 1) * 6
    with torch.inference_mode():
        wanted = {
            "com": (network.com(x).clamp(0, 1), [x]),
            "rec1": (network.rec1(x, e).clamp(0, 1), [x, e]),
            "rec2": (network.rec2(x, e).clamp(0, 1), [x, e]),
            "estimate": (network.estimate(x), [x]),
            "tables": (network.tables(tables), [tables]),
        }
    for name, (value, inputs) in wanted.items():
        (result,) = Graph(found.path / f"{name}.onnx", 1)(*[i.numpy() for i in inputs])
        assert result.shape == value.shape and np.abs(result - value.numpy()).max() < 4e-3, name  # weights are float16


def test_two_stages_start_as_networks_that_are_there_and_run_as_one(
    pictures: PictureCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(7)
    old = Tao2017(SMALL)
    with torch.no_grad():
        for p in old.parameters():
            p.add_(0.05 * torch.randn_like(p))
    export_tao2017.export_bundle(old, tmp_path / "weights" / "tao2017", export_tao2017.FACTS)
    generator = Generator(GeneratorConfig(scale=2, channels=16, blocks=1))
    export_bundle(generator, tmp_path / "weights" / "srresnet-x2", {**FACTS, "id": "srresnet-x2", "title": "a test"})
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(tmp_path / "weights"))
    network = Tao2017(STAGED)
    kind.start(network, tmp_path / "weights" / "tao2017", pictures)
    assert isinstance(network.rec2, StagedRec)
    x, e = torch.rand(1, 3, 48, 56), torch.rand(1, SMALL.strength, 1, 1)
    with torch.inference_mode():
        assert (network.rec1(x, e) - old.rec1(x, e)).abs().max() < 1e-2  # as it is stored, in float16
        torch.testing.assert_close(network.rec2.repair(x, e), network.rec1(x, e))
        assert (network.rec2.enlarge(x) - generator(x)).abs().max() < 1e-2
        torch.testing.assert_close(network.com(x), halved(x))
    # The codec runs the stages one after the other, in windows: a region is what the whole picture has there.
    export_tao2017.export_bundle(network, tmp_path / "staged", export_tao2017.FACTS)
    found, picture = bundle_in(tmp_path / "staged"), scene(88, 104)
    whole = restored(found, 2, 1, picture, None)
    place = Rectangle(13, 21, 70, 60)
    assert (restored(found, 2, 1, picture, None, place) == whole[place.scaled(2).slices]).all()
    with torch.inference_mode():
        y = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        strength = torch.from_numpy(Strength(found, 1)(picture))
        wanted = network.rec2(y, strength)[0].permute(1, 2, 0).mul(255).clamp(0, 255).numpy()
    assert np.abs(whole[16:-16, 16:-16] - wanted[16:-16, 16:-16]).max() < 3


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize(("variant", "rank"), [("plain", 1), ("fire", 1), ("multilinear", 1), ("multilinear", 2)])
def test_the_layered_networks_have_an_onnx_form(tmp_path: Path, variant: Any, rank: int, kernel: Any) -> None:
    torch.manual_seed(8)
    config = Tao2017Config(variant=variant, kernel=kernel, width=8, depth=5, rank=rank)
    rec = LayerRec(1, config).train()
    x = torch.rand(1, 3, 24, 32)
    rec(x, x)  # so that the running means are not those of the start
    export_tao2017.rec_graph("rec", rec.eval()).save(tmp_path / "rec.onnx")
    (result,) = Graph(tmp_path / "rec.onnx", 1)(x.numpy())
    with torch.inference_mode():
        assert np.abs(result - rec(x, x).clamp(0, 1).numpy()).max() < 4e-3


def test_a_run_is_exported(pictures: PictureCache, tmp_path: Path) -> None:
    network = Tao2017(SMALL)
    weights = {name: p.detach() for name, p in network.named_parameters()}
    torch.save({"average": weights, "buffers": {}, "step": 3, "seconds": 60.0}, tmp_path / "state.pt")
    tables = {"kind": "tao2017", "network": {"c4": 16, "c8": 16, "blocks": 2, "compact": 8, "width": 8, "depth": 4}}
    digest = kind_of(tables).export(tmp_path / "state.pt", tables, pictures, tmp_path / "bundle")
    assert len(digest) == 64 and (tmp_path / "state.safetensors").exists()  # beside the state
    figures = kind_of(tables).judge(tmp_path / "state.pt", tables, pictures, [tmp_path / "pictures" / "a.png"])
    assert {
        f"file_{what}@{quality}/{scale}" for what in ("bpp", "psnr") for quality in (10, 30, 60) for scale in (1, 2)
    } == set(figures)
    assert 0 < figures["file_bpp@10/2"] < figures["file_bpp@10/1"] < figures["file_bpp@60/1"]
    again = kind_of(tables).network(tables)
    kind_of(tables).start(again, tmp_path / "bundle", pictures)
    assert torch.equal(again.com.first.weight, network.com.first.weight.detach().half().float())  # type: ignore[union-attr,operator]
    with pytest.raises(CalotypeError, match="no state"):
        kind_of(tables).export(tmp_path / "nope.pt", tables, pictures, tmp_path / "bundle")
