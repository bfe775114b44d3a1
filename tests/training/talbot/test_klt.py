# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
skimage = pytest.importorskip("skimage")

from calotype.networks.talbot import Talbot, TalbotConfig  # noqa: E402
from calotype.training.data import PictureCache  # noqa: E402
from calotype.training.talbot.klt import principal_components, start_as_klt  # noqa: E402


def test_principal_components_are_orthonormal_and_sorted() -> None:
    x = torch.randn(4000, 12) @ torch.diag(torch.linspace(0.1, 2, 12))
    w = principal_components(x, 5)
    torch.testing.assert_close(w @ w.T, torch.eye(5), atol=1e-5, rtol=0)
    energy = (x @ w.T).square().mean(0)
    assert (energy.diff() <= 1e-4).all()


def test_the_start_is_a_codec(tmp_path: Path) -> None:
    """Before its first step, a network started so reconstructs photographs, better at higher qualities."""
    (tmp_path / "pictures").mkdir()
    photograph = skimage.data.astronaut()
    Image.fromarray(photograph).save(tmp_path / "pictures" / "a.png")
    torch.manual_seed(0)
    config = TalbotConfig(c1=96, c2=128, m=128, blocks=1, hyper=16, z=8, context=(16, 16, 16))
    network = Talbot(config).eval()
    start_as_klt(network, PictureCache(tmp_path / "pictures", tmp_path / "cache"), patches=1024)
    x = torch.from_numpy(np.ascontiguousarray(photograph[:256, :256])).permute(2, 0, 1)[None].float() / 255
    psnr = []
    with torch.inference_mode():
        for level in (1.0, 4.0, 7.0):
            x_hat, _, _ = network(x, torch.tensor([level]))
            psnr.append(-10 * (x_hat - x).square().mean().log10().item())
    assert psnr[0] > 20 and psnr == sorted(psnr) and psnr[2] > 28
