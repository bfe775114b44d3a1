# SPDX-License-Identifier: BSD-3-Clause
"""Better latents for one tile, by gradient descent through the decoder: the high efforts of ``talbot``.

The bundle's own graphs are run with PyTorch and differentiated; the roundings inside the integer networks pass
gradients straight through. The latents' own rounding is relaxed by stochastic Gumbel annealing (Yang, Bamler, Mandt,
"Improving inference for neural image compression", NeurIPS 2020): each residual is a random mixture of the integers
below and above it, which sharpens as the temperature falls. (Straight-through rounding drives residuals to the
decision boundary, where half of them fall on the wrong side: *measured*, it makes files worse.)

What the side information z says is taken to stay as it is while the latents move, so that its features are computed
once. The file's z is made from the refined latents, and hardly differs: *measured*, in 0 to 2 of 256 symbols.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from ...arrays import Floats
from ...codecs.talbot.distortion import LEAST_SUM, Distortion
from ...codecs.talbot.prior import LATTICE
from ...engine.tiling import pad_to
from ...metrics.similarity import most_scales
from ...networks.talbot import SCALE_MIN, gaussian_bits, shuffle_phases, unshuffle_phases
from ..integer import scale_step
from ..losses import hvs_mse, ms_ssim, ssimulacra2_sum
from ..replay import OPERATORS

RATE = 0.004  # of learning, in quantiser steps of the gains; larger ones set latents moving that should rest
HOTTEST, COLDEST = 0.25, 0.05  # temperatures of the annealing
SEED = 7  # of the mixtures: the same file every time


def _straight_round(attributes: dict[str, Any], x: Tensor) -> Tensor:
    return x + (torch.round(x) - x).detach()


DIFFERENTIABLE: dict[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    **OPERATORS,
    "Round": _straight_round,
    "Cast": lambda attributes, x: x.float(),  # levels stay real numbers
}


class DifferentiableGraph:
    """The graph in ``path``: tensors in, tensors with gradients out."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.inputs, self.outputs = [i.name for i in graph.input], [o.name for o in graph.output]
        self.constants = {c.name: torch.from_numpy(numpy_helper.to_array(c).copy()) for c in graph.initializer}
        self.nodes = []
        for node in graph.node:
            if node.op_type == "Cast" and node.input[0] in self.constants:  # weights: once and for all
                self.constants[node.output[0]] = self.constants[node.input[0]].float()
                continue
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            self.nodes.append((DIFFERENTIABLE[node.op_type], attributes, list(node.input), list(node.output)))

    def __call__(self, *tensors: Tensor) -> list[Tensor]:
        """The graph's outputs for inputs in the graph's order."""
        values = dict(self.constants)
        values.update(zip(self.inputs, tensors, strict=True))
        for operator, attributes, inputs, outputs in self.nodes:
            result = operator(attributes, *(values[name] for name in inputs))
            values.update(zip(outputs, result if isinstance(result, tuple | list) else (result,), strict=True))
        return [values[name] for name in self.outputs]


def mixture(residual: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """A relaxed rounding: a random mixture of the integers below and above, sharper at lower temperatures."""
    below = torch.floor(residual.detach())
    above = (residual - below).clamp(1e-4, 1 - 1e-4)
    odds = (torch.atanh(above) - torch.atanh(1 - above)) / temperature
    uniform = torch.rand(residual.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
    return below + torch.sigmoid((odds + torch.logit(uniform)) / temperature)


class Refinement:
    """Refines latents through the graphs of one bundle.

    Args:
        path: of the bundle.
        iterations: of gradient descent, each about as much work as four decodings.
        threads: of the computation.
    """

    def __init__(self, path: Path, iterations: int, threads: int) -> None:
        names = ("g_s", "pass1", "pass2", "pass3", "pass4")
        self.graphs = {name: DifferentiableGraph(path / f"{name}.onnx") for name in names}
        with np.load(path / "tables.npz") as arrays:
            self.steps = torch.from_numpy(arrays["steps"])[:, :, None, None]  # (4, M, 1, 1)
        self.iterations, self.threads = iterations, threads

    def __call__(
        self, y: Floats, x: Floats, features: tuple[Floats, Floats], decoder_gain: Floats, distortion: Distortion
    ) -> Floats:
        """Better latents ``(M, h, w)``, to be rounded like those that came.

        Args:
            y: latents ``(M, h, w)`` with the encoder's gain.
            x: what they stand for, planes ``(1 or 3, H, W)`` in 0..1.
            features: f64 and f32 of the side information.
            decoder_gain: ``(M, 1, 1)``.
            distortion: what errors are worth.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            return self._descend(y, x, features, decoder_gain, distortion)
        finally:
            torch.set_num_threads(before)

    def _descend(
        self, y: Floats, x: Floats, features: tuple[Floats, Floats], decoder_gain: Floats, distortion: Distortion
    ) -> Floats:
        _, h, w = y.shape
        padded = pad_to(y, -(-h // LATTICE) * LATTICE, -(-w // LATTICE) * LATTICE)
        latents = torch.tensor(padded[None]).contiguous(memory_format=torch.channels_last).requires_grad_()
        inside = torch.zeros(1, 1, *padded.shape[1:])  # what is outside is predicted, not coded
        inside[..., :h, :w] = 1
        target, gain = torch.tensor(x), torch.from_numpy(decoder_gain)
        f64, f32 = (torch.from_numpy(f)[None] for f in features)
        generator = torch.Generator().manual_seed(SEED)
        optimiser = torch.optim.Adam([latents], RATE)
        for i in range(self.iterations):
            temperature = HOTTEST * (COLDEST / HOTTEST) ** (i / self.iterations)
            y_hat, bits = self.prior(latents, inside, f64, f32, temperature, generator)
            decoded = self.graphs["g_s"](y_hat[..., :h, :w] * gain)[0][0, :, : x.shape[1], : x.shape[2]]
            if len(target) == 1:  # grey is the mean of the planes
                decoded = decoded.mean(0, keepdim=True)
            loss = bits + distortion_bits(distortion, decoded, target)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # missing in PyTorch's own stubs
            optimiser.step()
        refined: Floats = latents.detach()[0, :, :h, :w].numpy()
        return np.ascontiguousarray(refined)

    def prior(
        self, y: Tensor, inside: Tensor, f64: Tensor, f32: Tensor, temperature: float, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Relaxed latents and their bits, pass by pass, like ``Prior.walk`` behind the side information."""
        total = torch.zeros(())

        def quantise(i: int, lattices: list[Tensor], masks: list[Tensor], *known: Tensor) -> list[Tensor]:
            nonlocal total
            means, levels = self.graphs[f"pass{i + 1}"](f64 if i < 2 else f32, *known)
            values = torch.cat(lattices, 1)
            steps = self.steps[i].repeat(len(lattices), 1, 1)
            coded = torch.cat([m.expand_as(t) for m, t in zip(masks, lattices, strict=True)], 1) * (levels > 0)
            residual = mixture((values - means) / steps, temperature, generator) * coded
            total = total + (gaussian_bits(residual, math.log(SCALE_MIN) + levels * scale_step()) * coded).sum()
            return list((means + residual * steps).chunk(len(lattices), 1))

        a, b, c, d = unshuffle_phases(y)
        in_a, in_b, in_c, in_d = unshuffle_phases(inside)
        a1, *a2 = unshuffle_phases(a)
        in_a1, *in_a2 = unshuffle_phases(in_a)
        (a1,) = quantise(0, [a1], [in_a1])
        a = shuffle_phases(a1, *quantise(1, a2, in_a2, a1))
        (d,) = quantise(2, [d], [in_d], a)
        b, c = quantise(3, [b, c], [in_b, in_c], a, d)
        return shuffle_phases(a, b, c, d), total


def distortion_bits(distortion: Distortion, decoded: Tensor, x: Tensor) -> Tensor:
    """:meth:`Distortion.bits` of planes ``(1 or 3, H, W)`` with a gradient, and so without the clipping."""
    height, width = x.shape[1:]
    shares, measured = distortion.shares.for_size(height, width), {}
    mse = (decoded - x).square().mean()
    if shares.ms_ssim:
        measured["ms_ssim"] = ms_ssim(decoded[None], x[None], scales=most_scales(height, width))[0]
    if shares.psnr_hvs:
        measured["hvs_mse"] = hvs_mse(decoded[None], x[None])[0]
    if shares.ssimulacra2:
        measured["ssimulacra2_sum"] = ssimulacra2_sum(x[None], decoded[None])[0].clamp_min(LEAST_SUM)
    total: Tensor = shares.distortion(mse, **measured)
    return distortion.lambda_ * height * width * total


@lru_cache(maxsize=2)
def refinement(path: Path, iterations: int, threads: int) -> Refinement:
    """The refinement for the bundle in ``path``, shared by everyone who asks for the same."""
    return Refinement(path, iterations, threads)
