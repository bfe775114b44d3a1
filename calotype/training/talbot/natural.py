# SPDX-License-Identifier: BSD-3-Clause
"""A second synthesis for the files of a finished bundle, which looks natural where the faithful one blurs.

At low rates a picture of the least error is blurred: texture that the file does not hold is worth nothing to it. Here
``g_s`` goes on from the faithful one, on the same frozen latents, and is pulled by three at once: the distortion that
it had before, the features of SqueezeNet, and a critic that tells photographs from decoded pictures. The critic is
shown the faithful picture as well, so that it judges whether detail fits, not only whether there is any.

The three differ in scale by orders of magnitude, and that changes while the critic learns. So their gradients at the
decoded picture are made to have the lengths that a recipe states, those of the distortion being 1.

After: P. Isola et al. 2017 (arXiv 1611.07004), a critic of patches with a condition; T. Miyato et al. 2018 (arXiv
1802.05957), spectral normalisation; E. Agustsson et al. 2019 (arXiv 1804.02958) and F. Mentzer et al. 2020 (arXiv
2006.09965), adversaries for compression; P. Esser et al. 2021 (arXiv 2012.09841), balance by gradients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ...engine.bundles import Bundle
from ...networks.ledig2017 import SLOPE
from ...networks.talbot import TalbotConfig
from ..critics import WOVEN_CELLS, detail_energy, shifted
from ..perceptual import Perceptual
from .synthesis import Synthesis, SynthesisTask

CELL = 16  # pixels a latent: what a weave repeats by
RESIDUAL = 8.0  # what the critic sees of faithful pictures is small beside the pictures themselves
# The critic has to learn faster than the synthesis, from one learning rate. Its weights are divided by their norm, so
# that smaller ones mean the same, and turn faster.
HASTE = 4.0


@dataclass(frozen=True)
class NaturalConfig:
    """What a natural look is trained for."""

    top: float = 3.5  # highest level of quality that is drawn: about 0.3 bit per pixel
    strength: float = 0.7  # of the noise in the latents, see :mod:`calotype.training.talbot.noise`
    perceptual: float = 0.6  # length of the features' gradient at the decoded picture, that of the distortion being 1
    adversarial: float = 0.4  # the same of the critic's
    weave: float = 1.0  # the same of :func:`weave`
    alone: int = 60  # steps in which the critic only learns; then it comes in over as many again
    width: int = 48  # channels of the critic's first layer
    validated: tuple[float, ...] = (0.5, 1.5, 3.0)  # levels


def weave(residual: Tensor) -> Tensor:
    """Energy of what a residual ``(B, C, H, W)`` repeats from cell to cell of the lattice of latents, 4 x 4 cells long.

    A network that cannot know where texture goes puts the same pattern into every cell: a weave. Texture that varies
    counts a sixteenth here. A cast of colour counts as well. (*Measured*: with cells of the last pixel-shuffle, 8
    pixels, a weave came that repeats after 16.)
    """
    cells = F.pixel_unshuffle(residual, CELL)
    return F.avg_pool2d(cells, WOVEN_CELLS, WOVEN_CELLS // 2).square().mean()


class Critic(nn.Module):
    """Pictures and their faithful versions ``(B, 3, H, W)`` -> opinions ``(B, 1, H/8, W/8)``: high for photographs.

    The residual between the two is what differs, so that is what it sees, beside the faithful one.
    """

    branch_in_bfloat16 = False  # compute the convolutions in bfloat16 while training

    def __init__(self, width: int) -> None:
        super().__init__()

        def layer(channels: int, out: int, kernel: int, stride: int = 1) -> nn.Module:
            made = nn.Conv2d(channels, out, kernel, stride, kernel // 2)
            with torch.no_grad():
                made.weight /= HASTE
            return spectral_norm(made)

        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            layer(24, width, 3), nn.LeakyReLU(SLOPE),
            layer(width, 2 * width, 3, 2), nn.LeakyReLU(SLOPE),
            layer(2 * width, 3 * width, 3, 2), nn.LeakyReLU(SLOPE),
            layer(3 * width, 3 * width, 3), nn.LeakyReLU(SLOPE),
            layer(3 * width, 1, 1),
        )  # fmt: skip

    def forward(self, x: Tensor, faithful: Tensor) -> Tensor:
        """See the class."""
        seen = torch.cat(((x - faithful) * RESIDUAL, 2 * faithful - 1), 1)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            opinion = self.layers(seen)
        return cast(Tensor, opinion.float())


class Natural(Synthesis):
    """A synthesis and its critic; the gains stay as they are."""

    steps: Tensor  # taken so far

    def __init__(self, config: TalbotConfig, bundle: Bundle, width: int) -> None:
        super().__init__(config, bundle)
        self.critic = Critic(width)
        self.gain_decoder.requires_grad_(False)
        self.register_buffer("steps", torch.tensor(0))


@dataclass
class NaturalTask(SynthesisTask):
    """Distortion, features and a critic, each pulling with the force that is set."""

    network: Natural
    natural: NaturalConfig = field(default_factory=NaturalConfig)
    perceptual: Perceptual = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.validated, self.strength = self.natural.validated, self.natural.strength
        self.first = Synthesis(self.network.config, self.network.bundle).eval().requires_grad_(False)
        self.first.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's stubs

    def levels(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
        """Evenly spread over the low qualities."""
        drawn: npt.NDArray[np.float64] = self.natural.top * (rng.permutation(count) + rng.random(count)) / count
        return drawn

    def encode(self, x: Tensor, stored: int) -> tuple[Tensor, ...]:
        """The crop, its latents, its level, and the faithful picture of 8 bits."""
        x, y_hat, level = super().encode(x, stored)
        with torch.inference_mode():
            made = self.first(y_hat.float()[None], level[None])[0]
        if self.strength:
            y_hat = self.encoded(x.float() / 255, stored, self.strength)[0].half()
        return x, y_hat, level, made.clamp(0, 1).mul(255).round().byte().clone()

    def loss(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
        """The losses of the synthesis and of its critic, and what to log."""
        x, y_hat, level, faithful = batch
        config, network = self.natural, self.network
        made = network(y_hat, level)
        leaf = made.detach().requires_grad_()
        distortion, details = self.faithful(x, leaf, level)
        made_seen, real_seen, faithful_seen = shifted(leaf, x, faithful)
        self.perceptual.in_bfloat16 = network.critic.branch_in_bfloat16
        features = self.perceptual(made_seen, real_seen)
        woven = weave(leaf - faithful)
        of_made, of_real = network.critic(
            torch.cat((made_seen, real_seen)), torch.cat((faithful_seen, faithful_seen))
        ).chunk(2)
        judging = F.relu(1 - of_real).mean() + F.relu(1 + of_made).mean()
        came_in = min(1.0, max(0.0, (network.steps.item() + 1 - config.alone) / max(config.alone, 1)))
        terms = {
            "distortion": (distortion, 1.0),
            "features": (features, config.perceptual),
            "weave": (woven, config.weave),
            "critic": (-of_made.mean(), config.adversarial * came_in),
        }
        pull, length = torch.zeros_like(leaf), 0.0
        for name, (value, wanted) in terms.items():
            if wanted or name == "distortion":
                (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
                own = gradient.norm().item()
                length = length or own  # of the first one, the distortion
                pull += gradient * (wanted * length / max(own, 1e-12))
        network.steps += 1
        with torch.no_grad():
            details |= {name: value.item() for name, (value, _) in terms.items()}
            details |= {
                "of_real": of_real.mean().item(), "of_made": of_made.mean().item(), "judging": judging.item(),
                "detail": (detail_energy(leaf) / detail_energy(x).clamp_min(1e-8)).item(),
                "detail_faithful": (detail_energy(faithful) / detail_energy(x).clamp_min(1e-8)).item(),
            }  # fmt: skip
        moving = (made * pull.detach()).sum()  # whose gradient is the pull
        return moving - moving.detach() + distortion.detach() + judging * 0.1, details

    def figures(self, x: Tensor, x_hat: Tensor) -> dict[str, float]:
        """Fidelity, distance of features, and energy of fine detail against the original's."""
        distance = self.perceptual.distance(self.perceptual.features(x_hat), self.perceptual.features(x)).item()
        detail = (detail_energy(x_hat) / detail_energy(x)).item()
        return {**super().figures(x, x_hat), "features": distance, "detail": detail}
