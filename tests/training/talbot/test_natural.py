# SPDX-License-Identifier: BSD-3-Clause
"""A synthesis that is trained for a natural look: forces, what is trained and what is not, its bundle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.codecs.talbot.codec import Talbot as Codec  # noqa: E402
from calotype.engine.bundles import Bundle  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.loop import Loop, LoopConfig  # noqa: E402
from calotype.training.parents import bundle_in  # noqa: E402
from calotype.training.talbot import kind  # noqa: E402
from calotype.training.talbot.natural import Critic, Natural, NaturalTask  # noqa: E402
from tests.make_golden import drawing  # noqa: E402

from ..conftest import SMALL  # noqa: E402

LOOP = LoopConfig(hours=0.8 / 3600, batch=2, learning_rate=1e-3, warmup_steps=1, decay=0.0, ema=0.9, bfloat16=False)


@pytest.fixture
def pictures(tmp_path: Path) -> PictureCache:
    (tmp_path / "photos").mkdir()
    Image.fromarray(drawing(160, 192, 3, 8)).save(tmp_path / "photos" / "a.png")
    return PictureCache(tmp_path / "photos", tmp_path / "cache")


def tables_for(bundle: Bundle, squeezenet: Path, **natural: Any) -> dict[str, Any]:
    return {
        "network": asdict(SMALL), "crop": {"size": 128, "scale_probability": 0.0}, "bundle": {"id": "natural"},
        "synthesis": {"bundle": str(bundle.path), "pool": 6},
        "natural": {"top": 2.0, "alone": 0, "width": 4, "validated": [1.0], **natural},
        "perceptual": {"weights": str(squeezenet), "layers": ["conv1", "fire4"]},
    }  # fmt: skip


def task_for(tables: dict[str, Any], pictures: PictureCache, judges: list[Path]) -> NaturalTask:
    made = kind.network(tables)
    kind.start(made, None, pictures)
    task = kind.task(made, tables, pictures, judges)
    assert isinstance(task, NaturalTask)
    return task


def test_each_pulls_with_the_force_that_is_set(bundle: Bundle, squeezenet: Path, pictures: PictureCache) -> None:
    off = {"perceptual": 0.0, "adversarial": 0.0, "weave": 0.0}
    found = {}
    for name, change in {"alone": {}, "features": {"perceptual": 2.0}, "critic": {"adversarial": 3.0}}.items():
        torch.manual_seed(5)  # the critic's weights, and where it looks
        task = task_for(tables_for(bundle, squeezenet, **{**off, **change}), pictures, [])
        batch = task.batch(np.random.default_rng(0), 2)
        assert [tuple(part.shape) for part in batch[:1]] == [(2, 3, 128, 128)]
        assert float(batch[2].max()) <= 2.01 and batch[3].shape == batch[0].shape
        pulls: list[torch.Tensor] = []
        task.network.register_forward_hook(lambda *made, into=pulls: made[-1].register_hook(into.append) and None)
        task.network.train()
        loss, details = task.loss(batch)
        loss.backward()
        found[name] = pulls[0]
        assert task.network.gain_decoder.grad is None
        assert all(p.grad is not None for p in task.network.critic.parameters())
        assert details["detail"] > 0 and task.network.steps == 1
    length = found["alone"].norm()
    for name, wanted in (("features", 2.0), ("critic", 3.0)):
        assert (found[name] - found["alone"]).norm().item() == pytest.approx(wanted * length.item(), rel=1e-3)


def test_the_critic_comes_in_late(bundle: Bundle, squeezenet: Path, pictures: PictureCache) -> None:
    task = task_for(tables_for(bundle, squeezenet, alone=10, perceptual=0.0, weave=0.0), pictures, [])
    batch = task.batch(np.random.default_rng(0), 2)
    task.network.critic.eval()  # so that its norms stay as they are
    seen = []
    for steps in (0, 14, 20):
        torch.manual_seed(5)
        task.network.steps.fill_(steps)
        task.network.zero_grad()
        task.loss(batch)[0].backward()
        seen.append(next(task.network.g_s.parameters()).grad.clone())
    torch.testing.assert_close(seen[1], (seen[0] + seen[2]) / 2, rtol=0.05, atol=1e-6)
    assert not torch.allclose(seen[0], seen[2])


def test_a_critic_judges_patches() -> None:
    critic = Critic(4)
    x = torch.rand(2, 3, 64, 96)
    assert critic(x, x).shape == (2, 1, 8, 12)
    assert not torch.equal(critic(x, x), critic(x, x.flip(3)))


def test_train_and_export(bundle: Bundle, squeezenet: Path, pictures: PictureCache, tmp_path: Path) -> None:
    tables = tables_for(bundle, squeezenet)
    task = task_for(tables, pictures, [tmp_path / "photos" / "a.png"])
    before = task.validate()
    assert set(before) == {"bpp@1", "psnr@1", "features@1", "detail@1"}
    loop = Loop(task, LOOP, tmp_path / "run")
    loop.run()
    kind.export(tmp_path / "run" / "state.pt", tables, pictures, tmp_path / "natural")
    new = bundle_in(tmp_path / "natural")
    same = [name for name in bundle.files if (new.path / name).read_bytes() == (bundle.path / name).read_bytes()]
    assert "g_s.onnx" not in same
    np.testing.assert_array_equal(new.arrays()["gain_decoder"], bundle.arrays()["gain_decoder"])
    picture = drawing(160, 192, 3, 8)
    coded = Codec(bundle, 1).encode(picture, 60 * 256)
    assert Codec(new, 1).encode(picture, 60 * 256) == coded
    again = Loop(task_for(tables, pictures, []), LOOP, tmp_path / "run")
    assert isinstance(again.task.network, Natural) and int(again.task.network.steps) == loop.step == again.step
