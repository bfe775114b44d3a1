# SPDX-License-Identifier: BSD-3-Clause
"""The super-resolution networks: sizes, what they begin as, how far they see."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from calotype.networks.ledig2017 import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig  # noqa: E402

CONFIGURATIONS = {
    "cpu x4": GeneratorConfig(channels=16, blocks=2),
    "cpu x2": GeneratorConfig(scale=2, channels=16, blocks=1),
    "paper x4": GeneratorConfig(channels=16, blocks=1, kernel=9, batch_norm=True, prelu=True, staged=True, base=False),
    "paper x2": GeneratorConfig(
        scale=2, channels=16, blocks=2, kernel=9, batch_norm=True, prelu=True, staged=True, base=False
    ),
}


def weights_of(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_the_papers_generator_has_the_papers_size() -> None:
    paper = Generator(GeneratorConfig(4, 64, 16, 9, batch_norm=True, prelu=True, staged=True, base=False))
    assert weights_of(paper) == pytest.approx(1.55e6, rel=0.02)  # about 1.5 million
    assert sum(isinstance(layer, torch.nn.PReLU) for layer in paper.modules()) == 1 + 16 + 2


def test_the_papers_discriminator_has_the_papers_size() -> None:
    paper = Discriminator(DiscriminatorConfig(width=64, dense=1024, side=96))
    assert weights_of(paper) == 23_565_505  # 512 x 6 x 6 places reach the dense layer
    assert paper(torch.rand(2, 3, 96, 96)).shape == (2,)


def test_the_generator_of_a_cpu_fits_its_budget() -> None:
    generator = Generator()
    assert 2 * weights_of(generator) < 3e6  # bytes of float16
    assert weights_of(generator) / 16 < 80e3  # multiplications for a pixel of the result: nearly all at low resolution


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_result_is_as_large_as_the_scale_says(name: str) -> None:
    generator = Generator(CONFIGURATIONS[name])
    scale = generator.config.scale
    assert generator(torch.rand(2, 3, 9, 14)).shape == (2, 3, 9 * scale, 14 * scale)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_new_generator_is_about_bicubic_interpolation(scale: int) -> None:
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(scale=scale, channels=16, blocks=1)).eval()
    assert generator.base is not None
    small = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 40, 48), 5, 1)
    with torch.inference_mode():
        made = torch.nn.functional.pixel_shuffle(generator.base(small), scale)
        expected = torch.nn.functional.interpolate(  # Pillow's coefficient, as it is antialiased
            small, scale_factor=scale, mode="bicubic", antialias=True, align_corners=False
        )
        border = 2 * scale
        assert torch.allclose(made, expected[..., border:-border, border:-border], atol=1e-5)
        assert (generator(small) - expected).abs().mean() < 0.05


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_result_sees_as_far_as_the_radius_says(name: str) -> None:
    torch.manual_seed(1)
    generator = Generator(CONFIGURATIONS[name]).eval()
    with torch.no_grad():
        for p in generator.parameters():
            p.add_(0.05 * torch.rand_like(p))
    scale, radius, side = generator.config.scale, generator.radius, 61
    flat = torch.full((1, 3, side, side), 0.5)
    spot = flat.clone()
    spot[..., side // 2, side // 2] = 0.9
    with torch.inference_mode():
        changed = torch.nonzero((generator(spot) - generator(flat)).abs().amax((0, 1, 3)))
    reach = max(side // 2 - int(changed.min()) / scale, int(changed.max() + 1) / scale - side // 2 - 1)
    assert radius - 1 < reach <= radius


def test_running_statistics_are_weights_without_a_gradient() -> None:
    generator = Generator(CONFIGURATIONS["paper x4"])
    statistics = {name: p for name, p in generator.named_parameters() if "running" in name}
    assert statistics and not any(p.requires_grad for p in statistics.values())
    before = {name: p.clone() for name, p in statistics.items()}
    generator.train()(torch.rand(2, 3, 8, 8)).mean().backward()
    assert all((p != before[name]).any() for name, p in statistics.items())
    assert not list(generator.buffers())


def test_a_discriminator_takes_any_size_unless_it_has_weights_for_each_place() -> None:
    judge = Discriminator(DiscriminatorConfig(width=4, dense=8))
    assert judge(torch.rand(3, 3, 32, 48)).shape == (3,)
