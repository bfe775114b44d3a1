# SPDX-License-Identifier: BSD-3-Clause
"""Shapes of all units and frameworks, stops that hold, bits that suffice to decode, and a halo that is enough."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from calotype.networks.toderici2017 import (  # noqa: E402
    CELL,
    Toderici2017,
    TodericiConfig,
    packed,
    sign,
    stochastic_sign,
    straight_sign,
    unpacked,
)

SMALL = {"iterations": 3, "bits": 8, "entry": 8, "encoder": (8, 16), "decoder": (16, 8)}
DENSE = {
    "iterations": 2, "bits": 8, "entry": 4, "encoder": (8, 8, 8), "decoder": (8, 8, 8, 8), "dense": True,
    "linear": False, "blocks": 0,
}  # fmt: skip


def lively(config: TodericiConfig) -> Toderici2017:
    """A small network in which every weight matters."""
    torch.manual_seed(2)
    network = Toderici2017(config)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return network.eval()


@pytest.mark.parametrize("unit", ["lstm", "alstm", "gru", "deep"])
@pytest.mark.parametrize("framework", ["one-shot", "additive", "scaling"])
@pytest.mark.parametrize("shape", [SMALL, DENSE])
def test_bits_make_the_picture_that_the_encoder_has_seen(unit: str, framework: str, shape: dict[str, object]) -> None:
    network = lively(TodericiConfig(unit=unit, framework=framework, **shape))  # type: ignore[arg-type]
    x = torch.rand(2, 3, 2 * CELL, 3 * CELL)
    with torch.inference_mode():
        found = list(network.iterate(x, network.config.iterations))
        bits = torch.stack([b for b, _ in found])
        assert bits.shape == (network.config.iterations, 2, 8, 2, 3) and (bits.abs() == 1).all()
        for count, (_, x_hat) in enumerate(found, 1):
            assert x_hat.shape == x.shape
            torch.testing.assert_close(network.decode(bits[:count]), x_hat, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("framework", ["one-shot", "additive"])
def test_what_has_stopped_stays_where_its_surroundings_have_stopped_too(framework: str) -> None:
    network = lively(TodericiConfig(framework=framework, **SMALL))  # type: ignore[arg-type]
    x = torch.rand(1, 3, 8 * CELL, 16 * CELL)
    until = torch.ones(1, 1, 8, 16)
    until[..., 8:] = 3
    with torch.inference_mode():
        first, second, third = (y for _, y in network.iterate(x, 3, sign, until))
    margin = CELL * 8 - network.decoder.halo
    assert torch.allclose(first[..., :margin], third[..., :margin], atol=1e-6)
    assert not torch.allclose(second[..., CELL * 9 :], third[..., CELL * 9 :])


def test_the_decoder_sees_no_farther_than_its_halo() -> None:
    network = lively(TodericiConfig(**SMALL))  # type: ignore[arg-type]
    torch.manual_seed(5)
    bits = sign(torch.randn(3, 1, 8, 1, 16))
    other = bits.clone()
    other[..., 0] *= -1
    with torch.inference_mode():
        a, b = network.decode(bits), network.decode(other)
    near, far = slice(0, CELL + network.decoder.halo), slice(CELL + network.decoder.halo, None)
    assert not torch.equal(a[..., near], b[..., near])
    assert torch.equal(a[..., far], b[..., far])


@pytest.mark.parametrize("binarise", [stochastic_sign, straight_sign])
def test_bits_are_hard_and_pass_gradients(binarise: object) -> None:
    torch.manual_seed(1)
    logits = torch.linspace(-2, 2, 64, requires_grad=True)
    b = binarise(logits)  # type: ignore[operator]
    assert torch.allclose(b.abs(), torch.ones(64))
    b.sum().backward()
    assert logits.grad is not None and torch.allclose(logits.grad, 1 - torch.tanh(logits.detach()) ** 2, atol=1e-5)


def test_random_bits_have_the_right_mean() -> None:
    torch.manual_seed(1)
    assert abs(float(stochastic_sign(torch.full((40000,), 0.4)).mean()) - float(torch.tanh(torch.tensor(0.4)))) < 0.02


def test_packing_is_undone_by_unpacking() -> None:
    x = torch.rand(2, 3, 32, 48)
    assert torch.equal(unpacked(packed(x, 8), 8), x)
    assert torch.equal(packed(packed(x, 8), 2)[0, :192, 0, 0], packed(x, 8)[0, :, 0, 0])


def test_shapes_that_do_not_exist_are_refused() -> None:
    from calotype.errors import CalotypeError
    from calotype.training.recipe import configure

    for table in ({"unit": "tanh"}, {"framework": "none"}):
        with pytest.raises(CalotypeError, match="should be one of"):
            configure(TodericiConfig, table)


def test_the_papers_recipe_has_the_papers_parameters() -> None:
    from calotype.training.recipe import configure, load_recipe

    with torch.device("meta"):
        network = Toderici2017(configure(TodericiConfig, load_recipe("toderici2017-paper")["network"]))

    def lstm(channels: int, width: int, state: int) -> int:
        """Weights and biases of a 3x3 convolution of the input, and one of the state, to four gates."""
        return 4 * width * (9 * channels + state**2 * width) + 2 * 4 * width

    encoder = 9 * 3 * 64 + 64 + lstm(64, 256, 1) + lstm(256, 512, 1) + lstm(512, 512, 1) + 512 * 32 + 32
    # A depth-to-space after each unit: a quarter of its channels goes in to the next, and 128 / 4 to the colours.
    decoder = 32 * 512 + 512 + lstm(512, 512, 1) + lstm(128, 512, 1) + lstm(128, 256, 3) + lstm(64, 128, 3) + 32 * 3 + 3
    assert sum(p.numel() for p in network.encoder.parameters()) == encoder == 17_133_344
    assert sum(p.numel() for p in network.decoder.parameters()) == decoder == 18_345_571
    assert network.gain is None


def test_the_papers_shape_bounds_what_it_gives() -> None:
    network = lively(TodericiConfig(unit="lstm", framework="additive", **DENSE))  # type: ignore[arg-type]
    with torch.no_grad():
        network.decoder.tail.weight.mul_(1e4)
        y, _ = network.decoder(sign(torch.randn(1, 8, 2, 2)), network.decoder.start(torch.zeros(1, 8, 2, 2)), 0)
    assert y.shape == (1, 3, 32, 32) and float(y.abs().max()) <= 1


def test_a_deep_transition_starts_near_a_gru_and_goes_one_step_further() -> None:
    from calotype.networks.toderici2017 import UNITS

    torch.manual_seed(3)
    deep, x = UNITS["deep"](6, 8, 1, False), torch.randn(2, 6, 4, 5)
    states = [torch.randn(2, 8, 4, 5)]
    plain = UNITS["gru"](6, 8, 1, False)
    plain.load_state_dict({k: v for k, v in deep.state_dict().items() if not k.startswith("deeper")})
    with torch.inference_mode():
        (y, (h,)), (z, (g,)) = deep(x, states), plain(x, states)
    step = h - g
    torch.testing.assert_close(y - z, step)
    assert 0 < float(step.abs().mean()) < 0.15 * float(g.abs().mean())
    assert sum(p.numel() for p in deep.parameters()) > sum(p.numel() for p in plain.parameters())
