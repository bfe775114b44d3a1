# SPDX-License-Identifier: BSD-3-Clause
"""Shapes, planes with a gradient, contrast and back, and a discriminator of pairs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from calotype.codecs.rippel2017 import planes  # noqa: E402
from calotype.networks import rippel2017  # noqa: E402
from calotype.networks.rippel2017 import Contrast, Discriminator, Rippel2017, RippelConfig, quantised  # noqa: E402

SMALL = RippelConfig(latents=8, width=12, blocks=1, scales=(8, 8, 8, 8))


def test_both_halves_of_the_package_mean_the_same_planes() -> None:
    assert (planes.CENTRE, planes.GROUPS) == (rippel2017.CENTRE, rippel2017.GROUPS)
    assert 2 ** (planes.TOP // planes.OCTAVE) - 1 == rippel2017.LIMIT


@pytest.mark.parametrize("scales", [1, 2, 4])
def test_shapes(scales: int) -> None:
    network = Rippel2017(RippelConfig(latents=8, width=12, blocks=1, scales=(8,) * scales))
    x_hat, y = network(torch.rand(2, 3, 48, 32), torch.zeros(2, 2))
    assert x_hat.shape == (2, 3, 48, 32) and y.shape == (2, 8, 3, 2)


def test_planes_lose_less_than_a_threshold_and_pass_gradients() -> None:
    y = (torch.randn(2, 4, 5, 5) * 9).requires_grad_()
    for threshold in (0.5, 2.0):
        y_hat = quantised(y, torch.tensor(threshold))
        assert float((y_hat - y).detach().abs().max()) <= threshold
        assert (y_hat[y.detach().abs() < threshold] == 0).all()
    y_hat.sum().backward()
    assert (y.grad == 1).all()


def test_contrast_is_found_again() -> None:
    torch.manual_seed(1)
    contrast, y = Contrast(10), torch.randn(2, 10, 4, 4).double() * 3
    contrast.double()
    left = contrast.divide(y).detach()
    assert torch.allclose(contrast.multiply(left), y, rtol=1e-4)
    assert (left[:, :3] == y[:, :3]).all() and float(left[:, 3:].abs().max()) < float(y[:, 3:].abs().max())


def test_a_place_depends_on_no_more_than_the_halo() -> None:
    torch.manual_seed(2)
    network = Rippel2017(SMALL).double().eval()
    for p in network.parameters():
        p.data.add_(torch.randn_like(p) * 0.1)
    reach = rippel2017.halo(SMALL)
    side = 2 * reach + 3
    y = torch.randn(1, 8, side, side).double().requires_grad_()
    middle = 16 * (reach + 1)
    thresholds = torch.zeros(1, 2, side, side).double()
    network.synthesis(y, thresholds)[..., middle : middle + 16, middle : middle + 16].sum().backward()
    seen = y.grad.abs().sum((0, 1))
    assert seen[reach + 1, reach + 1] > 0
    assert seen[0].max() == seen[-1].max() == seen[:, 0].max() == seen[:, -1].max() == 0


def test_the_discriminator_judges_pairs() -> None:
    judge, pair = Discriminator(4), torch.rand(3, 6, 48, 48)
    assert judge(pair).shape == (3,)
    assert torch.allclose(judge(pair.roll(3, 1)), -judge(pair), atol=1e-6)  # exchanged, they are judged the other way
    assert not judge(torch.cat([pair[:, :3]] * 2, 1)).any()
