# SPDX-License-Identifier: BSD-3-Clause
"""The greedy start is a progressive codec, all losses teach, recipes fit, and codes are predicted by exact integers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

torch = pytest.importorskip("torch")

from calotype.codecs.toderici2017.bits import CodeModel, passes  # noqa: E402
from calotype.errors import FormatError  # noqa: E402
from calotype.networks.layers import train_in_bfloat16  # noqa: E402
from calotype.networks.toderici2017 import Toderici2017, TodericiConfig  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.recipe import FOLDER, load_recipe  # noqa: E402
from calotype.training.toderici2017.bits import CodePredictor, Predicted, codes_of, floats, integers, train_predictor  # noqa: E402
from calotype.training.toderici2017.task import TaskConfig, Toderici2017Task, make_network, start_greedily, strongest  # noqa: E402

SMALL = TodericiConfig(iterations=4, bits=16, entry=8, encoder=(16, 16), decoder=(16, 16))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCache:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(data.astronaut()[:256, :256]).save(folder / "a.png")
    return PictureCache(folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def started(pictures: PictureCache) -> Toderici2017:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = make_network(SMALL)
    start_greedily(network, pictures, crops=40)
    return network


def test_the_start_is_a_codec_that_improves_with_every_iteration(started: Toderici2017) -> None:
    x = torch.from_numpy(data.astronaut()[:128, 64:192].copy()).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        errors = [float((y - x).square().mean()) for _, y in started.eval().iterate(x, 4)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.02 and errors[-1] < 0.008  # 17 and 21 dB, with 1/16 and 1/4 bit per pixel


def test_the_strongest_components_are_those_of_the_decomposition() -> None:
    torch.manual_seed(1)
    x = torch.randn(500, 32) * torch.linspace(3, 0.1, 32)
    moments = x.T @ x / 500
    _, vectors = torch.linalg.eigh(moments)
    found = strongest(moments, 4, rounds=60)
    assert torch.allclose((found @ vectors.flip(1)[:, :4]).abs().diagonal(), torch.ones(4), atol=1e-3)


@pytest.mark.parametrize("loss", [{"l1": 1.0}, {"mse": 1.0}, {"ms_ssim": 1.0}])
def test_every_loss_teaches(loss: dict[str, float], started: Toderici2017, pictures: PictureCache) -> None:
    torch.manual_seed(2)
    rng = np.random.default_rng(3)
    network = make_network(SMALL)
    network.load_state_dict(started.state_dict())
    train_in_bfloat16(network)
    config = dataclasses.replace(TaskConfig(l1=0.0, mse=0.0, ms_ssim=0.0, most=4, stopping=0.5, size=64), **loss)
    task = Toderici2017Task(network.train(), pictures, config)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    fixed = task.batch(rng, 2)[0], torch.full((2, 1, 4, 4), 4)
    torch.manual_seed(7)
    before = float(task.loss(fixed)[0].detach())
    for _ in range(5):
        value, _ = task.loss(task.batch(rng, 2))
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        task.loss(fixed)[0].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    torch.manual_seed(7)
    assert float(task.loss(fixed)[0].detach()) < before


def test_validation_judges_hard_bits(started: Toderici2017, pictures: PictureCache, tmp_path: Path) -> None:
    Image.fromarray(data.astronaut()[:180, :200]).save(tmp_path / "b.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    task = Toderici2017Task(started, pictures, validation=[tmp_path / "b.png", tmp_path / "broken.png"])
    with torch.inference_mode():
        started.eval()
        figures = task.validate()
    assert set(figures) == {f"{m}@{t}" for m in ("psnr", "ms-ssim") for t in (1, 2, 4)}
    assert figures["psnr@4"] > figures["psnr@1"]


@pytest.mark.parametrize("recipe", sorted(p.stem for p in FOLDER.glob("toderici2017*.toml")))
def test_recipes_fit(recipe: str, pictures: PictureCache) -> None:
    tables = load_recipe(recipe)
    if recipe.endswith("-paper"):
        tables["network"].update(entry=4, encoder=[8, 8, 8], decoder=[8, 8, 8, 8], bits=8)  # quick to make
    kind = kind_of(tables)
    network = kind.network(tables)
    task = kind.task(network, tables, pictures, [])
    x, until = task.batch(np.random.default_rng(1), 1)
    assert int(until.max()) <= 16
    loss, _ = task.loss((x, torch.full_like(until, 2)))
    assert torch.isfinite(loss)


def test_codes_are_written_with_fewer_bits_and_come_back(started: Toderici2017, pictures: PictureCache) -> None:
    codes = codes_of(started, pictures, crops=12, size=128)
    assert codes.shape == (4, 12, 16, 8, 8)
    predictor = train_predictor(codes, steps=60, batch=4)
    model = CodeModel(integers(predictor, codes[:, :4]))
    with torch.inference_mode():
        expected = predictor.cost(codes[:, :1].float()).numpy()
    state, again, other = model.start(8, 8), model.start(8, 8), model.start(8, 8)
    for t, bits in enumerate(codes[:, 0].numpy()):
        predicted = model.predicted_bits(bits, state)
        assert predicted / bits.size == pytest.approx(expected[t], abs=0.03)  # integers are as good as floats
        written = model.encode(bits, again)
        assert len(written) * 8 < predicted + 80
        assert (model.decode(written, np.ones((8, 8), bool), other) == bits).all()
    assert expected[0] < 0.95


def test_a_rate_in_the_loss_makes_bits_cheap(started: Toderici2017, pictures: PictureCache) -> None:
    torch.manual_seed(2)
    config = TaskConfig(mse=1.0, ms_ssim=0.0, rate=20.0, most=2, stopping=0.0, stochastic=0.0, size=64)
    network = make_network(SMALL, predicted=True)
    assert isinstance(network, Predicted)
    network.load_state_dict(started.state_dict(), strict=False)
    task = Toderici2017Task(network.train(), pictures, config)
    x, until = task.batch(np.random.default_rng(3), 2)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    shares = []
    for _ in range(12):
        loss, details = task.loss((x, torch.full_like(until, 2)))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        shares.append(details["share@2"])
    assert shares[-1] < 0.9 * shares[0]
    assert all(p.grad is not None for p in network.encoder.tail.parameters())  # the encoder is taught as well


def test_late_iterations_are_taught_alone(started: Toderici2017, pictures: PictureCache) -> None:
    config = TaskConfig(mse=1.0, ms_ssim=0.0, most=4, least=4, late=1.0, reach=1, stopping=0.0, size=64)
    network = make_network(SMALL)
    network.load_state_dict(started.state_dict())
    x, until = Toderici2017Task(network.train(), pictures, config).batch(np.random.default_rng(3), 2)
    assert 3 <= int(until.max()) <= 4  # the later half
    loss, _ = Toderici2017Task(network, pictures, config).loss((x, torch.full_like(until, 4)))
    loss.backward()  # type: ignore[no-untyped-call]
    linear = network.encoder.linear
    assert linear is not None
    assert [p.grad is not None and bool(p.grad.any()) for p in linear] == [False, False, False, True]
    given = [y for _, y in network.iterate(x, 4, given=4)]
    assert not any(y.requires_grad for y in given)
    assert all(torch.equal(y, z) for y, z in zip(given, (y for _, y in network.iterate(x, 4)), strict=True))


def test_integers_become_the_floats_they_stand_for() -> None:
    torch.manual_seed(1)
    codes = torch.randint(0, 2, (2, 4, 8, 6, 5)).to(torch.int8) * 2 - 1
    before, after = CodePredictor(2, 8), CodePredictor(2, 8)
    made = integers(before, codes)
    floats(made, after)
    with torch.inference_mode():
        assert torch.allclose(before.cost(codes.float()), after.cost(codes.float()), atol=0.01)
    model, state = CodeModel(made), CodeModel(made).start(6, 5)
    exact = [model.predicted_bits(bits, state) / bits.size for bits in codes[:, 0].numpy()]
    with torch.inference_mode():
        assert after.cost(codes[:, :1].float()).tolist() == pytest.approx(exact, abs=0.02)


def test_stopped_cells_cost_nothing_and_damage_is_found() -> None:
    torch.manual_seed(1)
    codes = torch.randint(0, 2, (2, 4, 8, 6, 5)).to(torch.int8) * 2 - 1
    model = CodeModel(integers(CodePredictor(2, 8), codes))
    bits = codes[0, 0].numpy().copy()
    going = np.arange(30).reshape(6, 5) % 3 == 0
    bits[:, ~going] = 0
    data_ = model.encode(bits, model.start(6, 5))
    assert len(data_) < 30 * 8 / 8
    assert (model.decode(data_, going, model.start(6, 5)) == bits).all()
    for wrong in (data_[:-4], data_ + b"1234", bytes([data_[0] ^ 1]) + data_[1:], data_[:3]):
        with pytest.raises(FormatError):
            model.decode(wrong, going, model.start(6, 5))


def test_every_bit_has_one_pass() -> None:
    assert (sum(np.broadcast_to(m, (8, 5, 7)).astype(int) for m in passes(8, 5, 7)) == 1).all()


@pytest.mark.parametrize("unit", ["gru", "lstm", "deep"])
def test_the_exported_graphs_compute_what_the_networks_do(unit: str, tmp_path: Path) -> None:
    from calotype.engine.runtime import Graph
    from calotype.training.toderici2017.export import FACTS, export_bundle

    torch.manual_seed(4)
    network = Toderici2017(dataclasses.replace(SMALL, unit=unit)).eval()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.05 * torch.randn_like(p))
            p.copy_(p.half().float())
    codes = torch.randint(0, 2, (4, 4, 16, 4, 4)).to(torch.int8) * 2 - 1
    export_bundle(network, codes, tmp_path / "small", {**FACTS, "id": "small"}, steps=2)
    analyse, update, picture = (Graph(tmp_path / "small" / f"{n}.onnx", 1) for n in ("analyse", "update", "picture"))
    x = torch.rand(1, 3, 64, 80)
    zeros = torch.zeros(1, 1, 4, 5)
    e = [s.numpy() for s in network.encoder.start(x)]
    d = [s.numpy() for s in network.decoder.start(zeros)]
    first = np.load(tmp_path / "small" / "codes.npz")["amplitude"]
    amplitude = np.broadcast_to(first[None, :, None, None], (1, 16, 4, 5)).astype(np.float32)
    x_hat = np.full(x.shape, 0.5, np.float32)
    until = torch.randint(1, 5, (1, 1, 4, 5))
    with torch.inference_mode():
        expected = list(network.iterate(x, 4, until=until))
    for t, (bits, y) in enumerate(expected):
        found, *e = analyse(x.numpy() - x_hat, amplitude, *e, np.array([t]))
        found = found * (until.numpy() > t)
        assert (found != bits.numpy()).mean() < 0.02  # a logit of about 0 may fall to either side
        *d, amplitude = update(bits.numpy(), *d, np.array([t]))
        (x_hat,) = picture(*d[-2:])
        np.testing.assert_allclose(x_hat, y.numpy(), atol=2e-3)
