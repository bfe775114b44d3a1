# SPDX-License-Identifier: BSD-3-Clause
"""``cheng2017``: super-resolution by an infinite mixture of linear regressors over patches.

P. Cheng et al., "A new single image super-resolution method based on the infinite mixture model", IEEE Access 5, 2017.
The paper's text was not at hand: this is the model that its title names, a Dirichlet process mixture of Gaussians,
truncated, over the principal components of patches, and a ridge regressor for each component::

    x -- luma -- patches 7x7 --+-- principal components -- Gaussians --> r_1 ... r_K, which sum to 1
                               |                                            |
                               +-- regressors W_1 ... W_K ----------------( sum of r_k W_k patch )--> detail of luma
                                                                                                        |
    x -- bicubic interpolation -----------------------------------------------------------------------(+)--> picture

Each sample of the small picture makes ``scale^2`` samples of the large one; the detail is the same for all colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ledig2017 import BASE, bicubic_filter
from .sizes import check_sizes

LUMA = (65.481 / 219, 128.553 / 219, 24.966 / 219)  # BT.601
UNUSED = 1e-3  # a component of less weight is one that the truncated process left empty


@dataclass(frozen=True)
class MixtureConfig:
    """The shape of a mixture, and what it is fitted to."""

    scale: int = 2  # or 4
    side: int = 7  # of a patch, in samples of the small picture; odd
    dimensions: int = 16  # principal components that the Gaussians see: 90 % of a patch's energy
    components: int = 48  # where the Dirichlet process is truncated
    patches: int = 1_000_000  # to fit the regressors to
    grouped: int = 60_000  # of these, to fit the Gaussians to
    iterations: int = 40  # of variational inference, at most

    def __post_init__(self) -> None:
        check_sizes(self, among={"scale": (2, 4), "side": range(1, 32, 2)})


class Mixture(nn.Module):
    """A picture ``x (B, 3, h, w)`` in 0..1 -> ``(B, 3, scale * h, scale * w)``, about in 0..1 (not clipped).

    Untrained, it is bicubic interpolation. Only the regressors have a gradient: with the Gaussians as they are, the
    result is linear in them.

    Args:
        config: its shape.
    """

    def __init__(self, config: MixtureConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MixtureConfig()
        k, d, n = config.components, config.dimensions, config.side**2

        def fixed(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(shape), requires_grad=False)

        self.basis = fixed(d, n)  # principal components, of unit variance each
        self.weights, self.means, self.factors = fixed(k), fixed(k, d), fixed(k, d, d)  # precision: F F^T
        self.regressors = nn.Parameter(torch.zeros(config.scale**2, k, n))
        with torch.no_grad():
            self.weights.fill_(1 / k)
            self.factors.copy_(torch.eye(d).expand(k, d, d))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        config = self.config
        y = torch.einsum("bchw,c->bhw", x, x.new_tensor(LUMA))[:, None]
        y = F.pad(y, (config.side // 2,) * 4, mode="replicate")
        found = F.conv2d(y, self.centred(self.regressors))
        found = found.reshape(len(x), config.scale**2, config.components, *x.shape[2:])
        detail = (found * self.responsibilities(y)[:, None]).sum(2)  # (B, scale^2, h, w)
        around = F.pad(x, (BASE // 2,) * 4, mode="replicate")
        base = F.conv2d(around, bicubic_filter(config.scale).to(x))
        return F.pixel_shuffle(base, config.scale) + F.pixel_shuffle(detail, config.scale)

    def centred(self, kernels: Tensor) -> Tensor:
        """Kernels ``(..., side^2)`` that see a patch without its mean, as ``(N, 1, side, side)``."""
        return (kernels - kernels.mean(-1, keepdim=True)).reshape(-1, 1, self.config.side, self.config.side)

    def responsibilities(self, y: Tensor) -> Tensor:
        """Of each component for the patch around each sample, ``(B, K, h, w)``; ``y`` is the luma with its border."""
        z = F.conv2d(y, self.basis.reshape(-1, 1, self.config.side, self.config.side))
        kernel, bias = self.quadratic()
        return F.conv2d(self.terms(z), kernel[:, :, None, None], bias).softmax(1)

    def terms(self, z: Tensor) -> Tensor:
        """The products ``z_i z_j`` for ``i <= j``, and ``z``: ``(B, D (D + 1) / 2 + D, h, w)``."""
        i, j = self.pairs()
        return torch.cat((z[:, i] * z[:, j], z), 1)

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Rows and columns of the products."""
        n = self.config.dimensions
        i, j = torch.triu_indices(n, n, device=self.basis.device)
        return i, j

    def quadratic(self) -> tuple[Tensor, Tensor]:
        """The logarithms of weight times density as linear in :meth:`terms`: kernel ``(K, terms)``, bias ``(K,)``."""
        factors, means = self.factors.double(), self.means.double()
        precision = factors @ factors.mT
        i, j = self.pairs()
        products = precision[:, i, j] * torch.where(i == j, -0.5, -1.0)
        linear = (precision @ means[:, :, None])[:, :, 0]
        logarithm = factors.diagonal(dim1=1, dim2=2).log().sum(1) + self.weights.double().clamp_min(1e-12).log()
        bias = logarithm - 0.5 * (linear * means).sum(1)
        return torch.cat((products, linear), 1).float(), bias.float()

    def used(self) -> Mixture:
        """The same mixture without the components that the process left empty."""
        keep = self.weights > UNUSED
        values = cast(dict[str, object], self.config.__dict__)
        small = Mixture(MixtureConfig(**{**values, "components": int(keep.sum())}))  # type: ignore[arg-type]
        with torch.no_grad():
            small.basis.copy_(self.basis)
            for name in ("weights", "means", "factors"):
                getattr(small, name).copy_(getattr(self, name)[keep])
            small.regressors.copy_(self.regressors[:, keep])
        return small

    @property
    def radius(self) -> int:
        """Reach of a result, in samples of ``x``."""
        return max(self.config.side // 2, math.ceil(BASE / 2) - 1)
