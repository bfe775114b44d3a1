# SPDX-License-Identifier: BSD-3-Clause
"""The optimisers that a recipe can name.

``adamw``: AdamW (Loshchilov 2019, arXiv 1711.05101) for everything.

``muon``: for matrices, that is, the weights of 1x1 convolutions, momentum whose singular values are all made equal
(Jordan 2024; with steps as large as AdamW's, Liu 2025, arXiv 2502.16982); AdamW for everything else. A step costs
more, which weighs most where batches are small.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from ..errors import CalotypeError, DependencyError

Name = Literal["adamw", "muon"]
NAMES = get_args(Name)
LEAST_SIDE = 32  # of a matrix that is worth Muon's trouble


def make(name: Name, parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> Any:
    """The optimiser of that name; :class:`CalotypeError` if there is none."""
    if name not in NAMES:
        raise CalotypeError(f"there is no optimiser '{name}'; there are: {', '.join(NAMES)}")
    rest, matrices = list(parameters), []
    if name == "muon":
        matrices = [p for p in rest if _is_matrix(p)]
        rest = [p for p in rest if not _is_matrix(p)]
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    return adamw if not matrices else MuonAndAdamW(matrices, adamw, learning_rate, weight_decay)


def _is_matrix(p: Tensor) -> bool:
    return p.ndim == 4 and p.shape[2:] == (1, 1) and min(p.shape[:2]) >= LEAST_SIDE


class MuonAndAdamW:
    """Two optimisers in the place of one.

    Args:
        matrices: weights of 1x1 convolutions, which Muon moves.
        adamw: of all other parameters.
        learning_rate: of both.
        weight_decay: of the matrices.
    """

    def __init__(
        self, matrices: list[nn.Parameter], adamw: torch.optim.Optimizer, learning_rate: float, weight_decay: float
    ) -> None:
        if not hasattr(torch.optim, "Muon"):
            raise DependencyError("the optimiser muon needs PyTorch 2.9 or newer")
        self.sources = matrices
        self.flat = [nn.Parameter(p.detach()[:, :, 0, 0]) for p in matrices]  # the same memory, as Muon wants it
        self.muon: torch.optim.Optimizer = torch.optim.Muon(
            self.flat, lr=learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        self.adamw = adamw

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Of both."""
        return [*self.muon.param_groups, *self.adamw.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        self.adamw.zero_grad(set_to_none)
        for p in self.sources:
            p.grad = None

    def step(self) -> None:
        """Move all parameters that have gradients."""
        for flat, source in zip(self.flat, self.sources, strict=True):
            flat.data = source.detach()[:, :, 0, 0]  # where it is now: a network may have moved to a device and back
            flat.grad = None if source.grad is None else source.grad[:, :, 0, 0]
        self.muon.step()
        self.adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """Of both."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of :meth:`state_dict`; CalotypeError for the state of another optimiser."""
        if state.keys() != {"muon", "adamw"}:
            raise CalotypeError("the run was begun with another optimiser: name that one, or begin anew with --fresh")
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])
