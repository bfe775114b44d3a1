# SPDX-License-Identifier: BSD-3-Clause
"""A network small enough to export and run in a test, with weights that are random but not tame."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from calotype.engine.bundles import Bundle, installed  # noqa: E402
from calotype.networks.talbot import Talbot, TalbotConfig  # noqa: E402

SMALL = TalbotConfig(c1=16, c2=24, m=24, blocks=1, hyper=16, z=8, context=(16, 16, 16), levels=4)
FACTS = {"id": "small", "codec": "talbot", "title": "a test", "paper": "none", "licence": "BSD-3-Clause"}


@pytest.fixture(scope="session")
def network() -> Talbot:
    torch.manual_seed(3)
    torch.set_num_threads(1)
    made = Talbot(SMALL)
    with torch.no_grad():
        for p in made.parameters():  # so that the passes have something to predict and every branch matters
            p.add_(0.15 * torch.randn_like(p) * p.abs().mean().clamp_min(0.02))
        for layer in made.passes[3].linear:
            layer.weight.add_(0.05 * torch.randn_like(layer.weight))
        made.finer.copy_(0.3 * torch.randn_like(made.finer))
        made.gain_encoder.copy_(torch.linspace(0.5, 2.5, SMALL.levels)[:, None].expand(-1, SMALL.m))
        made.gain_decoder.copy_(-made.gain_encoder)
    return made.eval()


@pytest.fixture(scope="session")
def bundle(network: Talbot, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    from calotype.training.talbot.export import export_bundle

    folder: Path = tmp_path_factory.mktemp("weights")
    export_bundle(network, torch.rand(4, 3, 256, 256), folder / "small", FACTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", str(folder))
        return next(b for b in installed() if b.id == "small")
