# SPDX-License-Identifier: BSD-3-Clause
"""The loop learns, resumes exactly, and its layers have the right gradients."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks import layers  # noqa: E402
from calotype.networks.layers import Depthwise  # noqa: E402
from calotype.networks.talbot import Talbot, TalbotConfig, shuffle_phases, unshuffle_phases  # noqa: E402
from calotype.training import loop as loop_module  # noqa: E402
from calotype.training.crops import CropConfig  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402
from calotype.training.recipe import configure, load_recipe  # noqa: E402
from calotype.training.talbot.task import TalbotTask  # noqa: E402

TINY = TalbotConfig(c1=8, c2=8, m=8, blocks=1, hyper=8, z=4, context=(8, 8, 8), levels=3)


@pytest.fixture
def pictures(tmp_path: Path) -> PictureCache:
    (tmp_path / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        y, x = np.mgrid[:160, :200]
        picture = 128 + 60 * np.sin(x / (9 + i)) + 40 * np.cos(y / 13) + rng.normal(0, 4, x.shape)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).convert("RGB").save(
            tmp_path / "pictures" / f"{i}.png"
        )
    return PictureCache(tmp_path / "pictures", tmp_path / "cache")


def make_loop(pictures: PictureCache, folder: Path, hours: float) -> Loop:
    torch.manual_seed(7)
    task = TalbotTask(Talbot(TINY), pictures, CropConfig(size=128))
    return Loop(task, LoopConfig(hours=hours, batch=2, warmup_steps=2, ema=0.5, bfloat16=False, decay=0.0), folder)


@pytest.fixture
def steps_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which every step takes one second, so that a run of hours is a run of steps."""
    ticks = itertools.count()
    monkeypatch.setattr(loop_module.time, "perf_counter", lambda: float(next(ticks)))


def test_an_interrupted_run_ends_in_the_same_weights(
    pictures: PictureCache, tmp_path: Path, steps_of_a_second: None
) -> None:
    whole = make_loop(pictures, tmp_path / "whole", 6 / 3600)
    whole.run()
    make_loop(pictures, tmp_path / "parts", 3 / 3600).run()
    second = make_loop(pictures, tmp_path / "parts", 6 / 3600)
    assert second.step == 3
    second.run()
    assert second.step == whole.step == 6
    for name, value in whole.parameters.items():
        torch.testing.assert_close(second.parameters[name], value, rtol=0, atol=0)
        torch.testing.assert_close(second.average[name], whole.average[name], rtol=0, atol=0)


def test_training_lowers_the_loss(pictures: PictureCache, tmp_path: Path, steps_of_a_second: None) -> None:
    loop = make_loop(pictures, tmp_path / "run", 40 / 3600)
    batch = loop.task.batch(np.random.default_rng(0), 4)
    before = loop.task.loss(batch)[0].item()
    loop.run()
    with loop.averaged():
        assert loop.task.loss(batch)[0].item() < 0.8 * before


def test_depthwise_gradients_are_those_of_the_general_convolution() -> None:
    layer = Depthwise(6, 5).double()
    x = torch.randn(2, 6, 7, 9, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    layer(x).square().sum().backward()
    weight = layer.weight.detach().clone().requires_grad_()
    torch.nn.functional.conv2d(x, weight, padding=2, groups=6).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, weight.grad)


def test_compiled_gradients_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "sum_taps", layers.sum_taps)  # to be put back
    layer, x = Depthwise(8, 3), torch.randn(2, 8, 6, 7)
    layer(x).square().sum().backward()
    expected, layer.weight.grad = layer.weight.grad, None
    if not layers.compile_gradients():
        pytest.skip("no C++ compiler works here")
    assert layers.sum_taps is not layers._sum_taps
    layer(x).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, expected)


def test_without_a_compiler_gradients_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(layers, "sum_taps", layers._sum_taps)
    monkeypatch.setattr(torch, "compile", fail)
    assert not layers.compile_gradients() and layers.sum_taps is layers._sum_taps


def test_phases_come_back() -> None:
    x = torch.randn(2, 3, 6, 8)
    torch.testing.assert_close(shuffle_phases(*unshuffle_phases(x)), x)


def test_levels_and_lambdas_are_inverse() -> None:
    network = Talbot(TINY)
    levels = torch.linspace(0, 2, 9)
    torch.testing.assert_close(network.level(network.lambda_(levels)), levels)


def test_pictures_are_cached_whole_and_crops_come_from_them(pictures: PictureCache, tmp_path: Path) -> None:
    again = PictureCache(tmp_path / "pictures", tmp_path / "cache")
    assert len(again) == 2 and again[1].shape == (160, 200, 3)
    np.testing.assert_array_equal(again[1], np.asarray(Image.open(tmp_path / "pictures" / "1.png")))
    with pytest.raises(CalotypeError, match="no pictures"):
        PictureCache(tmp_path / "cache", tmp_path / "cache")


def test_recipes_are_checked(tmp_path: Path) -> None:
    assert configure(LoopConfig, load_recipe("talbot")["loop"], hours=3.0).hours == 3.0
    with pytest.raises(CalotypeError, match="has no speed"):
        configure(LoopConfig, {"speed": 1})
    with pytest.raises(CalotypeError, match="should be int"):
        configure(LoopConfig, {"batch": "four"})
    with pytest.raises(CalotypeError, match="context should be tuple"):
        configure(TalbotConfig, {"context": 5})
    with pytest.raises(CalotypeError, match=r"there are: .*talbot"):
        load_recipe("nothing")
    (tmp_path / "broken.toml").write_text("[loop", encoding="utf-8")
    with pytest.raises(CalotypeError, match="not TOML"):
        load_recipe(tmp_path / "broken.toml")


def test_a_run_of_another_network_or_optimiser_and_a_damaged_state_are_refused(
    pictures: PictureCache, tmp_path: Path, steps_of_a_second: None
) -> None:
    make_loop(pictures, tmp_path / "run", 1 / 3600).run()

    def resumed(m: int = TINY.m) -> Loop:
        task = TalbotTask(Talbot(replace(TINY, m=m)), pictures, CropConfig(size=128))
        return Loop(task, LoopConfig(batch=2, bfloat16=False), tmp_path / "run")

    assert resumed().step == 1
    with pytest.raises(CalotypeError, match=r"of another network than this recipe's: .* --fresh"):
        resumed(m=2 * TINY.m)
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    torch.save({**state, "optimiser": {"muon": {}, "adamw": {}}}, tmp_path / "run" / "state.pt")
    with pytest.raises(CalotypeError, match="begun with another optimiser"):
        resumed()
    for damaged in (b"", b"text", b"PK\5\6" + bytes(18)):
        (tmp_path / "run" / "state.pt").write_bytes(damaged)
        with pytest.raises(CalotypeError, match="is damaged, or no state"):
            resumed()
