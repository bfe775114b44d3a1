# SPDX-License-Identifier: BSD-3-Clause
"""The optimisers that a recipe can name."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from calotype.errors import CalotypeError  # noqa: E402
from calotype.networks.layers import Block  # noqa: E402
from calotype.training import optimisers  # noqa: E402
from calotype.training.loop import LoopConfig  # noqa: E402


def train(name: str, steps: int, resume_at: int = 0) -> tuple[list[float], nn.Module]:
    """Teach a block to be another one; with ``resume_at``, by another optimiser from there on, given the state."""
    torch.manual_seed(2)
    target, network = Block(64), Block(64)
    with torch.no_grad():
        target.project.weight.mul_(20)
    optimiser = optimisers.make(name, network.parameters(), 3e-3, 0.0)
    losses = []
    for step in range(steps):
        if resume_at and step == resume_at:
            state = optimiser.state_dict()
            optimiser = optimisers.make(name, network.parameters(), 3e-3, 0.0)
            optimiser.load_state_dict(state)
        x = torch.randn(4, 64, 8, 8, generator=torch.Generator().manual_seed(step))
        loss = (network(x) - target(x)).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses, network


@pytest.mark.parametrize("name", optimisers.NAMES)
def test_it_learns(name: str) -> None:
    losses, _ = train(name, 40)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", optimisers.NAMES)
def test_its_state_goes_on(name: str) -> None:
    whole, a = train(name, 12)
    resumed, b = train(name, 12, resume_at=7)
    assert whole == resumed
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_muon_moves_matrices_and_adamw_the_rest() -> None:
    block = Block(64).to(memory_format=torch.channels_last)
    optimiser = optimisers.make("muon", block.parameters(), 1e-3, 0.0)
    assert [p.shape for p in optimiser.sources] == [block.expand.weight.shape, block.project.weight.shape]
    moved = sum(len(g["params"]) for g in optimiser.param_groups)
    assert moved == len(list(block.parameters()))
    before = block.expand.weight.detach().clone()
    block(torch.randn(1, 64, 8, 8)).square().mean().backward()
    optimiser.step()
    step = (block.expand.weight - before).detach()[:, :, 0, 0]
    values = torch.linalg.svdvals(step)
    assert values[48] > 0.4 * values[0] > 0  # all directions about alike, the mark of Muon


def test_a_state_of_another_optimiser_is_refused() -> None:
    block = Block(64)
    adamw = optimisers.make("adamw", block.parameters(), 1e-3, 0.0)
    with pytest.raises(CalotypeError, match="another optimiser"):
        optimisers.make("muon", block.parameters(), 1e-3, 0.0).load_state_dict(adamw.state_dict())


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(CalotypeError, match="adamw, muon"):
        optimisers.make("sgd", Block(64).parameters(), 1e-3, 0.0)
    assert LoopConfig().optimiser in optimisers.NAMES


def test_it_follows_parameters_that_have_moved() -> None:
    network = Block(64)
    optimiser = optimisers.make("muon", network.parameters(), 3e-3, 0.0)
    for move in (lambda: None, lambda: network.double().float()):  # as to another device and back
        move()
        before = network.project.weight.detach().clone()
        network(torch.randn(2, 64, 8, 8)).square().mean().backward()
        optimiser.step()
        assert (network.project.weight != before).any()


def test_muon_of_a_network_without_large_matrices_is_adamw() -> None:
    made = optimisers.make("muon", nn.Conv2d(3, 3, 3).parameters(), 1e-3, 0.0)
    assert isinstance(made, torch.optim.AdamW)
