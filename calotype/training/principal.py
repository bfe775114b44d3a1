# SPDX-License-Identifier: BSD-3-Clause
"""Principal components and whitening: where networks start from."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor


def principal_components(x: Tensor, count: int) -> Tensor:
    """The ``count`` directions of most energy of the rows of ``x (N, D)``, strongest first: ``(count, D)``."""
    x = x.double()
    _, vectors = torch.linalg.eigh(x.T @ x / len(x))
    return cast(Tensor, vectors.flip(1)[:, :count].T.float())


def whitening(x: Tensor, floor: float) -> Tensor:
    """The symmetric map ``(D, D)`` after which rows of ``x (N, D)`` have about unit variance in all directions.

    Args:
        x: samples with a mean of about zero.
        floor: variance below which a direction is not amplified any further.
    """
    x = x.double()
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    result: Tensor = (vectors * (values.clamp_min(0) + floor).rsqrt()) @ vectors.T
    return result.float()
