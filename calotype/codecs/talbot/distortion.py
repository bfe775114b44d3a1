# SPDX-License-Identifier: BSD-3-Clause
"""Cost of errors: the distortion that the weights of a bundle were trained for, in bits.

Training minimises ``rate + lambda * distortion``, with the distortion of :func:`weighed`. The share of MS-SSIM is 0 for
weights tuned for PSNR. Pictures too small for the five scales of MS-SSIM are compared on those that fit, by the squared
error alone if none does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Planes, from_planes
from ...engine.bundles import Bundle
from ...errors import BundleError

PEAK = 255.0**2  # lambda weighs the mean squared error of 8-bit samples against bits per pixel
MS_SSIM_WEIGHT = 1270.0  # of 1 - MS-SSIM, at which it costs about as many bits as PEAK x MSE does at the same lambda


def weighed(share: float, error: Any, similarity: Any = 1.0) -> Any:
    """The distortion ``(1 - share) 255^2 MSE + share MS_SSIM_WEIGHT (1 - MS-SSIM)``, of numbers or tensors.

    Args:
        share: 0 to 1.
        error: mean squared error of samples in 0..1.
        similarity: MS-SSIM; needed if it has a share.
    """
    return (1 - share) * PEAK * error + share * MS_SSIM_WEIGHT * (1 - similarity)


@dataclass(frozen=True)
class Distortion:
    """Errors -> bits.

    Attributes:
        lambda_: bits a pixel that a distortion of 1 is worth.
        ms_ssim: share of 1 - MS-SSIM, 0 to 1.
    """

    lambda_: float
    ms_ssim: float = 0.0

    @classmethod
    def of(cls, bundle: Bundle, position: float) -> Distortion:
        """The one of a bundle at a quality 0..1; BundleError if it does not say what it was trained for."""
        configuration = bundle.description.get("configuration", {})
        try:
            low, high = float(configuration["lambda_min"]), float(configuration["lambda_max"])
            share = float(bundle.description.get("distortion", {}).get("ms_ssim", 0))
            lambda_ = low * math.pow(high / low, position)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"the weights in {bundle.path} do not say what they were trained for: high efforts cannot tell what "
                "is better; leave the effort at its default"
            ) from error
        return cls(lambda_, share)

    def bits(self, decoded: Planes, x: Planes) -> float:
        """Cost of the errors of ``decoded`` (clipped to 0..1)."""
        from ...metrics.similarity import most_scales, ms_ssim  # low efforts do without

        decoded = np.clip(decoded, 0, 1)
        scales = most_scales(*x.shape[1:])
        share = self.ms_ssim if scales else 0.0
        error = np.square(decoded - x).mean(dtype=np.float64)
        similarity = ms_ssim(_samples(decoded), _samples(x), scales=scales) if share else 1.0
        return float(self.lambda_ * math.prod(x.shape[1:]) * weighed(share, error, similarity))


def _samples(planes: Planes) -> npt.NDArray[np.uint16]:
    samples = np.empty((*planes.shape[1:], len(planes)), np.uint16)
    from_planes(planes, samples)
    return samples
