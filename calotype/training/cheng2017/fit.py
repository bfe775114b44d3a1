# SPDX-License-Identifier: BSD-3-Clause
"""The infinite mixture, fitted to patches of photographs: principal components, Gaussians, ridge regressors.

The Dirichlet process is truncated, and its posterior found by variational inference (Blei and Jordan 2006), as
scikit-learn has it; components that it needs not keep no weight.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import DependencyError
from ...networks.cheng2017 import LUMA, Mixture
from ...networks.ledig2017 import BASE, bicubic_filter
from ..crops import CropConfig
from ..data import PictureCache
from ..ledig2017.task import pairs
from ..loop import tell

CROPS = CropConfig(96, 0.5, 1.0, 0.75)  # smaller photographs are sharper, and their compression shows less
BATCH, PER_CROP = 32, 400  # crops drawn at once, and patches taken of each
RIDGE = 1e-4  # of the mean energy of a patch's sample
NEGLIGIBLE = 1e-2  # a patch that a component is less responsible for does not teach its regressor
SEED = 1


def fit(mixture: Mixture, pictures: PictureCache) -> None:
    """Give ``mixture`` all its weights. Raises DependencyError without scikit-learn."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import BayesianGaussianMixture
    except ImportError as error:
        raise DependencyError("fitting a mixture needs scikit-learn: pip install 'calotype[train]'") from error
    config = mixture.config
    x, detail = sample(mixture, pictures, config.patches)
    set_basis(mixture, x)
    z = (x @ mixture.basis.T).numpy()
    tell(f"{len(x)} patches; fitting {config.components} Gaussians to {min(config.grouped, len(x))} of them")
    model = BayesianGaussianMixture(
        n_components=config.components,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=1.0,
        mean_prior=np.zeros(config.dimensions),
        init_params="k-means++",
        max_iter=config.iterations,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last iterations change next to nothing
        model.fit(z[: config.grouped].astype(np.float64))
    with torch.no_grad():
        mixture.weights.copy_(torch.from_numpy(model.weights_))
        mixture.means.copy_(torch.from_numpy(model.means_))
        mixture.factors.copy_(torch.from_numpy(model.precisions_cholesky_))
    tell(f"{int((mixture.weights > 1e-3).sum())} of them are in use; fitting their regressors")
    regress(mixture, x, detail)


def sample(mixture: Mixture, pictures: PictureCache, count: int) -> tuple[Tensor, Tensor]:
    """Patches ``(N, side^2)`` of luma without their means, and what bicubic interpolation lacks ``(N, scale^2)``."""
    config, rng = mixture.config, np.random.default_rng(SEED)
    taps = bicubic_filter(config.scale)[: config.scale**2, :1]
    patches: list[Tensor] = []
    details: list[Tensor] = []
    for _ in range(-(-count // (BATCH * PER_CROP))):
        small, real = (
            torch.einsum("bchw,c->bhw", p, torch.tensor(LUMA))[:, None]
            for p in pairs(pictures, CROPS, config.scale, rng, BATCH)
        )
        around = F.pad(small, (BASE // 2,) * 4, mode="replicate")
        lacking = F.pixel_unshuffle(real, config.scale) - F.conv2d(around, taps)
        y = F.pad(small, (config.side // 2,) * 4, mode="replicate")
        x = F.unfold(y, config.side).mT.flatten(0, 1)
        chosen = torch.from_numpy(rng.choice(len(x), min(BATCH * PER_CROP, len(x)), replace=False))
        patches.append(x[chosen] - x[chosen].mean(1, keepdim=True))
        details.append(lacking.flatten(2).mT.flatten(0, 1)[chosen])
    return torch.cat(patches), torch.cat(details)


def set_basis(mixture: Mixture, x: Tensor) -> None:
    """The first principal components of the patches, scaled to unit variance."""
    covariance = (x.T @ x / len(x)).double()
    values, vectors = torch.linalg.eigh(covariance)
    d = mixture.config.dimensions
    first = vectors[:, -d:] / values[-d:].clamp_min(1e-12).sqrt()
    with torch.no_grad():
        mixture.basis.copy_(first.flip(1).T)


def regress(mixture: Mixture, x: Tensor, detail: Tensor, chunk: int = 50_000) -> None:
    """Ridge regression of the detail on the patches, for each component weighted with its responsibilities."""
    config = mixture.config
    n, s = x.shape[1], detail.shape[1]
    energy = torch.zeros(config.components, n, n, dtype=torch.float64)
    moments = torch.zeros(config.components, n, s, dtype=torch.float64)
    side = config.side
    for a in range(0, len(x), chunk):
        patches, wanted = x[a : a + chunk], detail[a : a + chunk]
        shares = mixture.responsibilities(patches.reshape(-1, 1, side, side)).flatten(1)  # (chunk, K)
        for k in range(config.components):
            seen = shares[:, k] > NEGLIGIBLE
            mine = patches[seen]
            weighted = (mine * shares[seen, k, None]).T
            energy[k] += (weighted @ mine).double()
            moments[k] += (weighted @ wanted[seen]).double()
    mean = energy.diagonal(dim1=1, dim2=2).mean(1)
    ridge = (RIDGE * mean + 1e-6)[:, None, None] * torch.eye(n, dtype=torch.float64)
    solved = torch.linalg.solve(energy + ridge, moments)  # (K, n, s)
    with torch.no_grad():
        mixture.regressors.copy_(solved.permute(2, 0, 1))
