# SPDX-License-Identifier: BSD-3-Clause
"""The start is a codec, the codelength is steered, adversaries take turns, and bits are predicted by exact integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

torch = pytest.importorskip("torch")

from calotype.codecs.rippel2017.context import Context  # noqa: E402
from calotype.engine.bundles import Bundle  # noqa: E402
from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.rippel2017 import Rippel2017, RippelConfig  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.integer import sums_stay_exact  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.recipe import load_recipe  # noqa: E402
from calotype.training.rippel2017 import context  # noqa: E402
from calotype.training.rippel2017.adversarial import paired  # noqa: E402
from calotype.training.rippel2017.start import make_network, start_as_transform, visible  # noqa: E402
from calotype.training.rippel2017.task import Rippel2017Task, TaskConfig, entropy, penalties  # noqa: E402

SMALL = RippelConfig(latents=32, width=32, blocks=1, scales=(24, 8))
TABLES: dict[str, Any] = {
    "kind": "rippel2017",
    "network": {"latents": 32, "width": 32, "blocks": 1, "scales": [24, 8]},
    "task": {"size": 64},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCache:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(data.astronaut()[:256, :256]).save(folder / "a.png")
    return PictureCache(folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def started(pictures: PictureCache) -> Rippel2017:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = make_network(Rippel2017(SMALL))
    start_as_transform(network, pictures, crops=32)
    return network


def photograph() -> Any:
    return torch.from_numpy(data.astronaut()[:128, 64:192].copy()).permute(2, 0, 1)[None] / 255


def test_the_start_is_a_codec_that_improves_with_every_plane(started: Rippel2017) -> None:
    with torch.inference_mode():
        errors = [float((started.eval()(photograph(), torch.full((1, 2), t))[0] - photograph()).square().mean())
                  for t in (6.0, 4.0, 2.0, 0.0)]  # fmt: skip
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.003 < errors[0]


def test_fine_patterns_are_seen_less() -> None:
    flat, checks = torch.ones(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    checks[..., ::2] = -1
    assert float(visible(flat)) == pytest.approx(1, abs=1e-3) and 0.03 < float(visible(checks)) < 0.06


def test_the_penalty_is_steered_towards_the_target(started: Rippel2017, pictures: PictureCache) -> None:
    rng = np.random.default_rng(1)
    for target, sign in ((0.001, 1), (50.0, -1)):
        task = Rippel2017Task(started.train(), pictures, TaskConfig(size=64, target=target))
        before = float(started.penalty)
        loss, details = task.loss(task.batch(rng, 2))
        loss.backward()
        assert torch.isfinite(loss) and sign * (details["penalty"] - before) > 0
        started.eval()
        task.loss(task.batch(rng, 2))
        assert float(started.penalty) == details["penalty"]  # validation steers nothing


def test_codelengths() -> None:
    zeros, few = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    few[0, 0, 0, 0] = 3
    assert float(entropy(zeros)) == 0 < float(entropy(few)) < 16
    assert float(penalties(few, 0.0)) == pytest.approx(2)
    assert float(penalties(few, 1.0)) == pytest.approx(2)  # two neighbours, each counted half


def test_pairs_are_swapped() -> None:
    x, y = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    pairs = paired(x, y, torch.tensor([False, True]))
    assert pairs[0, :3].max() == 0 == pairs[1, 3:].max() and pairs[0, 3:].min() == 1 == pairs[1, :3].min()


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
def test_adversaries_take_turns(accuracy: float, pictures: PictureCache) -> None:
    tables = {**TABLES, "adversarial": {"width": 4, "memory": 1.0}}
    kind = kind_of(tables)
    network = kind.network(tables)
    kind.start(network, None, pictures)
    network.accuracy.fill_(accuracy)
    task = kind.task(network.train(), tables, pictures, [])
    first = task.loss(task.batch(np.random.default_rng(1), 2))[0]
    first.backward()
    learns = network.discriminator.opinions[0].weight.grad is not None
    assert learns == (accuracy < 0.95)
    assert network.codec.analysis.log_gain.grad.abs().sum() > 0


def test_recipes_that_cannot_be_are_refused() -> None:
    for network, sentence in (({"latents": 33}, "multiple of 2"), ({"scales": []}, "scales cannot be")):
        with pytest.raises(CalotypeError, match=sentence):
            kind_of(TABLES).network({**TABLES, "network": network})
    for name in ("rippel2017", "rippel2017-adversarial"):
        tables = load_recipe(name)
        kind_of(tables).check(tables)


def test_integers_predict_about_as_well_as_floats(started: Rippel2017, pictures: PictureCache, tmp_path: Path) -> None:
    y = context.latents_of(started.eval(), pictures, 8, 96)
    predictors = context.train_predictors(y, steps=10, batch=4)
    untrained = context.train_predictors(y, steps=0)
    octaves = torch.full((8,), 3.0)
    with torch.inference_mode():
        assert float(context.cost(predictors, y, octaves)) < 0.98 * float(context.cost(untrained, y, octaves))
    graphs, arrays = context.integers(predictors, y)
    for graph in graphs:
        graph.save(tmp_path / f"{graph.name}.onnx")
        assert sums_stay_exact(graph.model())
    np.savez(tmp_path / "tables.npz", **arrays)
    runs = Context.of(Bundle(tmp_path, {}), 1)
    held = (y[0].abs() / 8).floor().numpy().astype(np.int16) // 2 * 2
    signs = (np.sign(y[0].numpy()) * (held > 0)).astype(np.int8)
    found = runs.predict(held, signs, 3 * 64 - 32, 0, 0)
    d = context.digits(torch.from_numpy(held).float())
    known = torch.cat([d, d * torch.from_numpy(signs)])[None]
    with torch.inference_mode():
        *_, wanted = predictors[0].layers(known, torch.tensor([2.5 + 0.125]), 0)
    assert np.abs(np.concatenate(found) / 16 - wanted[0].numpy()).max() < 1.0
