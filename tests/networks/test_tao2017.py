# SPDX-License-Identifier: BSD-3-Clause
"""Resampling as Pillow does it, the shapes of all variants, and networks that start as plain resampling."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from calotype.networks.tao2017 import BlockRec, ComCNN, LayerRec, Tao2017, Tao2017Config, doubled, halved  # noqa: E402

SMALL = {"c4": 16, "c8": 16, "blocks": 2, "compact": 8, "width": 8, "depth": 4}


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [128 + 80 * np.sin(x / 5 + c) * np.cos(y / 7 - c) for c in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(("resample", "size"), [(halved, (24, 32)), (doubled, (96, 128))])
def test_resampling_is_pillows_bicubic(resample: object, size: tuple[int, int]) -> None:
    picture = smooth(48, 64)
    ours = resample(tensor(picture))[0].permute(1, 2, 0).mul(255).numpy()  # type: ignore[operator]
    theirs = np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC), np.float64)
    assert ours.shape == theirs.shape
    inside = slice(4, -4), slice(4, -4)  # at the border Pillow leaves samples out and we repeat the last ones
    assert np.abs(ours[inside] - theirs[inside]).max() < 1.01


def test_a_new_com_is_plain_down_sampling() -> None:
    x = torch.rand(2, 3, 32, 48)
    assert torch.allclose(ComCNN(8)(x), halved(x))


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "shape",
    [{"variant": "blocks"}]
    + [{"variant": v, "kernel": k} for v in ("plain", "fire", "multilinear") for k in (2, 3)]
    + [{"variant": "multilinear", "rank": 2}],
)
def test_every_variant_keeps_or_doubles_the_size(scale: int, shape: dict[str, object]) -> None:
    config = Tao2017Config(**SMALL, **shape)  # type: ignore[arg-type]
    rec = (BlockRec if config.variant == "blocks" else LayerRec)(scale, config)
    x, e = torch.rand(2, 3, 32 // scale, 40 // scale), torch.rand(2, config.strength, 1, 1)
    for network in (rec.train(), rec.eval()):
        assert network(x, e).shape == (2, 3, 32, 40)


def test_an_unknown_variant_is_an_error() -> None:
    from calotype.errors import CalotypeError
    from calotype.training.recipe import configure

    with pytest.raises(CalotypeError, match="should be one of blocks, plain"):
        configure(Tao2017Config, {"variant": "wide"})


def test_a_block_network_sees_no_further_than_its_halo() -> None:
    torch.manual_seed(1)
    network = BlockRec(1, Tao2017Config(**SMALL)).eval()  # type: ignore[arg-type]
    x, e = torch.rand(1, 3, 16, 256), torch.zeros(1, 8, 1, 1)
    changed = x.clone()
    changed[..., :8] += 0.5
    seen = (network(x, e) - network(changed, e)).abs().amax((0, 1, 2))
    assert seen[: 8 + 8].max() > 0 and seen[8 + network.halo :].max() == 0


def test_the_strength_is_that_of_the_tables_where_they_are_known() -> None:
    network = Tao2017(Tao2017Config(**SMALL)).eval()  # type: ignore[arg-type]
    x, tables = torch.rand(2, 3, 32, 32), torch.rand(2, 128, 1, 1)
    e = network.strength(x, tables, torch.tensor([True, False]))
    assert torch.equal(e[0], network.tables(tables)[0]) and torch.equal(e[1], network.estimate(x)[1])
