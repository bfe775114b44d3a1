# SPDX-License-Identifier: BSD-3-Clause
"""The distortion that ``talbot`` is trained for, and what logs and validations say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...codecs.talbot.distortion import LEAST_SUM, Shares
from ...errors import CalotypeError
from ..losses import Compiled, Loss, hvs_mse, ms_ssim, ssimulacra2_scores, ssimulacra2_sum

LEAST_MSE = 1e-10  # for the logarithm of PSNR, which ends at 100 dB


@dataclass(frozen=True)
class LossConfig:
    """What counts as distortion: shares of 1, scaled so that all cost about as many bits at the same lambda."""

    ssimulacra2: float = 0.0  # of the weighted sum that the score of SSIMULACRA 2 follows from
    psnr_hvs: float = 0.0  # of the squared error under the eye's contrast sensitivity
    ms_ssim: float = 0.0  # of 1 - MS-SSIM; the rest is the mean squared error
    balance: float = 0.5  # weigh with lambda to the power of minus this; at 1/2 all qualities pull about alike

    def __post_init__(self) -> None:
        if not self.shares.sound:
            raise CalotypeError("the shares of the loss should be parts of 1 that sum to at most 1")

    @property
    def shares(self) -> Shares:
        """What the encoder of the exported bundle minimises as well."""
        return Shares(self.ssimulacra2, self.psnr_hvs, self.ms_ssim)


class Measure:
    """The distortion of decoded crops.

    Args:
        shares: of what is measured.
        fused: let PyTorch's compiler fuse the costly losses; not those of validation, where each size is another.
    """

    def __init__(self, shares: Shares, fused: bool = False) -> None:
        self.shares = shares
        self.ms_ssim: Loss = Compiled(ms_ssim) if fused else ms_ssim
        self.ssimulacra2_sum: Loss = Compiled(ssimulacra2_sum) if fused else ssimulacra2_sum

    def __call__(self, x: Tensor, x_hat: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The distortion of each picture ``(B,)``, and what to log of it."""
        mse = (x_hat - x).square().mean((1, 2, 3))
        measured: dict[str, Tensor] = {}
        details = {"psnr": (-10 * mse.detach().clamp_min(LEAST_MSE).log10()).mean().item()}
        if self.shares.ms_ssim:
            measured["ms_ssim"] = similarity = self.ms_ssim(x_hat, x)
            details["ms_ssim"] = decibels(1 - similarity.detach().mean().item())
        if self.shares.psnr_hvs:
            measured["hvs_mse"] = error = hvs_mse(x_hat, x)
            details["psnr_hvs"] = decibels(error.detach().mean().item())
        if self.shares.ssimulacra2:
            measured["ssimulacra2_sum"] = sums = self.ssimulacra2_sum(x, x_hat).clamp_min(LEAST_SUM)
            details["ssimulacra2"] = float(np.mean(ssimulacra2_scores(sums.detach())))
        distortion: Tensor = self.shares.distortion(mse, **measured)
        return distortion, details

    def figures(self, x: Tensor, x_hat: Tensor) -> dict[str, float]:
        """What a validation says of one picture ``(1, 3, H, W)`` in 0..1."""
        size = min(x.shape[2:])
        values = {"psnr": decibels((x_hat - x).square().mean().item())}
        if self.shares.ms_ssim and size > 160:  # sides that five scales fit into
            values["ms-ssim"] = decibels(1 - ms_ssim(x_hat, x).item())
        if self.shares.ssimulacra2 and size > 224:  # sides that six scales fit into
            (values["ssimulacra2"],) = ssimulacra2_scores(ssimulacra2_sum(x, x_hat))
        return values


def decibels(error: float) -> float:
    """``-10 log10 error``, at most 100 dB."""
    return -10 * math.log10(max(error, LEAST_MSE))
