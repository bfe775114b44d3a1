# SPDX-License-Identifier: BSD-3-Clause
"""Cost of errors: the distortion that the weights of a bundle were trained for, in bits.

Training minimises ``rate + lambda * distortion``, with the distortion of :class:`Shares`. A picture too small for a
measure goes without it: MS-SSIM takes those of its five scales that fit, SSIMULACRA 2 and PSNR-HVS need sides of 8
pixels, and the squared error takes the shares that are left.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Planes, Samples, from_planes
from ...engine.bundles import Bundle
from ...errors import BundleError

PEAK = 255.0**2  # lambda weighs the mean squared error of 8-bit samples against bits per pixel
# Of what the other measures are multiplied by, so that they cost about as many bits as PEAK x MSE at the same lambda.
MS_SSIM_WEIGHT = 1270.0  # of 1 - MS-SSIM
HVS_WEIGHT = PEAK  # of the error of PSNR-HVS
SSIMULACRA2_WEIGHT, SSIMULACRA2_POWER = 7.6, 0.9  # of the weighted sum behind the score of SSIMULACRA 2, to the power
LEAST_SUM = 1e-6  # the sum counts as this much below: the slope of its power grows without bound towards zero
SMALLEST = 8  # pixels: a side that SSIMULACRA 2 and PSNR-HVS need


@dataclass(frozen=True)
class Shares:
    """What counts as distortion: parts of 1, of which the mean squared error has the rest."""

    ssimulacra2: float = 0.0
    psnr_hvs: float = 0.0
    ms_ssim: float = 0.0

    @property
    def mse(self) -> float:
        """The rest."""
        return 1 - self.ssimulacra2 - self.psnr_hvs - self.ms_ssim

    @property
    def sound(self) -> bool:
        """Whether all parts are in 0..1."""
        return all(0 <= part <= 1 for part in (*asdict(self).values(), round(self.mse, 9)))

    def for_size(self, height: int, width: int) -> Shares:
        """Those for pictures of this size: see the module."""
        from ...metrics.similarity import most_scales  # low efforts do without

        fits = self
        if min(height, width) < SMALLEST:
            fits = replace(fits, ssimulacra2=0.0, psnr_hvs=0.0)
        return fits if most_scales(height, width) else replace(fits, ms_ssim=0.0)

    def distortion(self, mse: Any, *, ms_ssim: Any = 1.0, hvs_mse: Any = 0.0, ssimulacra2_sum: Any = 0.0) -> Any:
        """The distortion, of numbers or tensors.

        Args:
            mse: mean squared error of samples in 0..1.
            ms_ssim: needed, as the others, if it has a share.
            hvs_mse: the error of PSNR-HVS.
            ssimulacra2_sum: what the score of SSIMULACRA 2 follows from; at least :data:`LEAST_SUM`.
        """
        total = self.mse * PEAK * mse
        if self.ms_ssim:
            total = total + self.ms_ssim * MS_SSIM_WEIGHT * (1 - ms_ssim)
        if self.psnr_hvs:
            total = total + self.psnr_hvs * HVS_WEIGHT * hvs_mse
        if self.ssimulacra2:
            total = total + self.ssimulacra2 * SSIMULACRA2_WEIGHT * ssimulacra2_sum**SSIMULACRA2_POWER
        return total


@dataclass(frozen=True)
class Distortion:
    """Errors -> bits.

    Attributes:
        lambda_: bits a pixel that a distortion of 1 is worth.
        shares: of what is measured.
    """

    lambda_: float
    shares: Shares = Shares()

    @classmethod
    def of(cls, bundle: Bundle, position: float) -> Distortion:
        """The one of a bundle at a quality 0..1; BundleError if it does not say what it was trained for."""
        configuration = bundle.description.get("configuration", {})
        try:
            low, high = float(configuration["lambda_min"]), float(configuration["lambda_max"])
            stated = bundle.description.get("distortion", {}).items()
            shares = Shares(**{str(name): float(share) for name, share in stated})
            lambda_ = low * math.pow(high / low, position)
            if not shares.sound:
                raise ValueError
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"the weights in {bundle.path} do not say what they were trained for: high efforts cannot tell what "
                "is better; leave the effort at its default"
            ) from error
        return cls(lambda_, shares)

    def bits(self, decoded: Planes, x: Planes) -> float:
        """Cost of the errors of ``decoded`` (clipped to 0..1)."""
        from ...metrics.hvs import hvs_mse
        from ...metrics.similarity import most_scales, ms_ssim  # low efforts do without
        from ...metrics.ssimulacra2 import weighted_sum

        shares = self.shares.for_size(*x.shape[1:])
        decoded = np.clip(decoded, 0, 1)
        measured = {}
        if shares != Shares():
            a, b = _samples(x), _samples(decoded)
        if shares.ms_ssim:
            measured["ms_ssim"] = ms_ssim(a, b, scales=most_scales(*x.shape[1:]))
        if shares.psnr_hvs:
            measured["hvs_mse"] = hvs_mse(a, b)
        if shares.ssimulacra2:
            measured["ssimulacra2_sum"] = max(weighted_sum(a, b), LEAST_SUM)
        error = np.square(decoded - x).mean(dtype=np.float64)
        return float(self.lambda_ * math.prod(x.shape[1:]) * shares.distortion(error, **measured))


def _samples(planes: Planes) -> Samples:
    samples = np.empty((*planes.shape[1:], len(planes)), np.uint16)
    from_planes(planes, samples)
    return samples
