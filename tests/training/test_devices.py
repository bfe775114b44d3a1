# SPDX-License-Identifier: BSD-3-Clause
"""All kinds train on a device of their own: steps on one that computes shapes only find what was left on the CPU."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.kinds import kind_of  # noqa: E402
from calotype.training.ranks import moved  # noqa: E402
from calotype.training.recipe import load_recipe  # noqa: E402
from tests.make_golden import drawing  # noqa: E402

GPU = torch.device("meta")  # shapes and types, without numbers
STEPS = {  # recipe: settings that make it quick
    "talbot-eye": {
        "network": {"c1": 8, "c2": 8, "m": 8, "blocks": 1, "hyper": 8, "z": 4, "context": [8, 8, 8]},
        "crop": {"size": 256},
    },
    "toderici2017": {"network": {"entry": 8, "encoder": [8, 8], "decoder": [8, 8], "iterations": 4}},
    "toderici2017-paper": {"network": {"entry": 8, "head": 8, "encoder": [8, 8, 8], "decoder": [16, 16, 16, 16]}},
    "rippel2017": {"network": {"latents": 8, "width": 8, "scales": [8, 8]}},
    "rippel2017-adversarial": {"network": {"latents": 8, "width": 8, "scales": [8, 8]}, "adversarial": {"width": 4}},
    "srresnet-x2": {},
    "mixture-x2": {},
}


class OneDevice(TorchDispatchMode):
    """Nothing is computed from tensors of two devices; numbers that are read back from a device without any are 2."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device == GPU:
            return 2
        if func is torch.ops.aten._to_copy.default and args[0].device == GPU and kwargs.get("device", GPU) != GPU:
            return torch.full(args[0].shape, 2.0, dtype=kwargs.get("dtype") or args[0].dtype)
        # A GPU takes numbers and indices from anywhere, and copies.
        if func.overloadpacket not in (torch.ops.aten.copy_, torch.ops.aten._to_copy, torch.ops.aten.index):
            tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor) and x.dim()]
            assert len({x.device for x in tensors}) < 2, f"{func} of tensors on several devices"
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCache:
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(drawing(300, 280, 3, 8)).save(folder / "a.png")
    return PictureCache(folder, folder / "cache")


@pytest.mark.parametrize("recipe", STEPS)
def test_a_step_stays_on_the_device(recipe: str, pictures: PictureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # such a device has none
    tables = load_recipe(recipe)
    for name, settings in STEPS[recipe].items():
        tables[name] = {**tables.get(name, {}), **settings}
    if "task" in tables and recipe.startswith("toderici2017"):
        tables["task"] = {**tables["task"], "rate": 0.5}
    tables["loop"]["compile"] = False
    kind = kind_of(tables)
    network = kind.network(tables).train()
    task = kind.task(network, tables, pictures, [])
    batch = task.batch(np.random.default_rng(1), 1)
    network.to(GPU)
    with OneDevice():
        loss, _ = task.loss(moved(batch, GPU))
        loss.backward()
    assert loss.device == GPU and loss.shape == ()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients and all(g.device == GPU for g in gradients)
