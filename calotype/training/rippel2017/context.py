# SPDX-License-Identifier: BSD-3-Clause
"""Train the networks that predict the bit planes of ``rippel2017``, and make integers of them.

They learn from the latents that a finished network makes of photographs: a matter of minutes. What they see and tell
is said in :mod:`calotype.codecs.rippel2017.context`, which runs the integers.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn
from torch.nn import functional as F

from ...arrays import Progress
from ...codecs.rippel2017.context import KIND, KINDS
from ...codecs.rippel2017.planes import GROUPS, OCTAVE, TOP
from ...engine.binary import FINENESS, LEVELS, squares
from ...networks.layers import Depthwise, Pointwise
from ...networks.rippel2017 import LIMIT, Rippel2017
from ..crops import CropConfig, crop_batches
from ..data import PictureCache
from ..graphs import GraphBuilder
from ..integer import quantise_weights
from ..progress import silent

KERNEL = 5
MOST_DIGITS = TOP // OCTAVE + 1
SEEN_LIMIT, HIDDEN_LIMIT = 2047, 1023  # largest integers behind the first and the second layer
DRAWN = (-1.0, 8.0)  # log2 of the thresholds that are learned from
SPARE = 1  # binary digits that a channel can have beyond those that were seen


class Predictor(nn.Module):
    """The networks of one group: digits and signs known ``(B, 2 C, h, w)`` -> logits ``(B, 2 C / GROUPS, h, w)``.

    Biases depend on the threshold, linearly from octave to octave.
    """

    def __init__(self, channels: int, hidden: int = 80) -> None:
        super().__init__()
        nodes = TOP // OCTAVE + 1
        self.depthwise = Depthwise(2 * channels, KERNEL)
        self.hidden = Pointwise(2 * channels, hidden)
        self.out = Pointwise(hidden, 2 * channels // GROUPS)
        self.hidden_bias = nn.Parameter(torch.zeros(2, nodes, hidden))
        self.out_bias = nn.Parameter(torch.zeros(nodes, 2 * channels // GROUPS))
        with torch.no_grad():
            self.depthwise.weight.mul_(0.5)
            self.depthwise.weight[:, :, KERNEL // 2, KERNEL // 2] += 0.5
            self.out.weight.mul_(0.3)
            self.out_bias[:, : channels // GROUPS] = -2.0

    def layers(self, known: Tensor, octaves: Tensor, odd: int) -> tuple[Tensor, Tensor, Tensor]:
        """Output of each layer; the logits last. ``octaves (B,)`` are log2 of the thresholds."""
        x = self.depthwise(known)
        y = F.relu(self.hidden(x) + between(self.hidden_bias[odd], octaves)[:, :, None, None])
        return x, y, self.out(y) + between(self.out_bias, octaves)[:, :, None, None]


def between(table: Tensor, octaves: Tensor) -> Tensor:
    """Rows of ``table (nodes, D)`` at real positions ``(B,)``, linearly."""
    place = octaves.clamp(0, len(table) - 1.001)
    low = place.floor().long()
    return torch.lerp(table[low], table[low + 1], (place - low)[:, None])


def digits(held: Tensor) -> Tensor:
    """Binary digits of whole moduli."""
    return torch.where(held > 0, held.clamp_min(1).log2().floor() + 1, 0.0)


def passes(y: Tensor, thresholds: Tensor) -> list[tuple[int, int, Tensor, Tensor, Tensor]]:
    """What is known, and what is asked, when the plane of ``thresholds (B,)`` of latents is coded.

    Returns:
        for each pass its group, whether its positions are odd, what is known, moduli before it, and where it codes.
    """
    finer = (y.abs() / thresholds[:, None, None, None]).floor()
    held, sign = 2 * (finer / 2).floor(), y.sign()
    found = []
    half = y.shape[1] // GROUPS
    for group in range(GROUPS):
        part = slice(group * half, (group + 1) * half)
        for odd, square in enumerate(squares(*y.shape[2:])):
            d = digits(held)
            here = torch.from_numpy(square).to(y.device)
            found.append((group, odd, torch.cat([d, d * sign], 1), held[:, part], here))
            known = held.clone()
            known[:, part] = torch.where(here, finer[:, part], held[:, part])
            held = known
    return found


def cost(predictors: nn.ModuleList, y: Tensor, octaves: Tensor) -> Tensor:
    """Bits of significance and signs, a latent, of the planes of thresholds ``2^octaves (B,)``."""
    thresholds = octaves.exp2()
    finer = (y.abs() / thresholds[:, None, None, None]).floor()
    total = y.new_zeros(())
    half = y.shape[1] // GROUPS
    for group, odd, known, before, here in passes(y, thresholds):
        *_, logits = cast(Predictor, predictors[group]).layers(known, octaves, odd)
        part = slice(group * half, (group + 1) * half)
        new = (before == 0) & here
        ones = finer[:, part] == 1
        total = total + (F.softplus(torch.where(ones, -logits[:, :half], logits[:, :half])) * new).sum()
        signs = torch.where(y[:, part] > 0, -logits[:, half:], logits[:, half:])
        total = total + (F.softplus(signs) * (new & ones)).sum()
    return total / y.numel() / math.log(2)


def latents_of(
    network: Rippel2017, pictures: PictureCache, crops: int, size: int = 192, seed: int = 3,
    progress: Progress = silent,
) -> Tensor:  # fmt: skip
    """The latents ``(crops, C, size / 16, size / 16)`` of random crops."""
    drawn = crop_batches(pictures, CropConfig(size, 0.5, 1.2, 0.5), crops, seed, progress)
    with torch.inference_mode():
        return torch.cat([network.analysis(x).clamp(-LIMIT, LIMIT) for x in drawn])


def train_predictors(
    y: Tensor, steps: int = 600, batch: int = 6, seed: int = 4, progress: Progress = silent
) -> nn.ModuleList:
    """Fit a predictor for each group to the latents of :func:`latents_of`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    predictors = nn.ModuleList([Predictor(y.shape[1]) for _ in range(GROUPS)])
    predictors.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    optimiser = torch.optim.Adam(predictors.parameters(), lr=4e-3)
    for step in range(steps):
        progress(step, steps)
        for options in optimiser.param_groups:
            options["lr"] = 4e-3 * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        octaves = torch.from_numpy(rng.uniform(*DRAWN, batch)).float().clamp_min(0)
        picked = y[torch.from_numpy(rng.integers(len(y), size=batch))]
        loss = cost(predictors, picked.contiguous(memory_format=torch.channels_last), octaves)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(predictors.parameters(), 0.1)
        optimiser.step()
    return predictors


def integers(predictors: nn.ModuleList, y: Tensor) -> tuple[list[GraphBuilder], dict[str, npt.NDArray[Any]]]:
    """The graphs and arrays of :class:`~calotype.codecs.rippel2017.context.Context`, calibrated on latents ``y``."""
    octaves = torch.linspace(0, 7, len(y))
    largest = y.abs().amax((0, 2, 3))
    limits = (digits(largest.floor()) + SPARE).clamp(0, TOP // OCTAVE)
    arrays: dict[str, npt.NDArray[Any]] = {"limits": limits.numpy().astype(np.int8), "refinement": refinement(y)}
    graphs = []
    with torch.inference_mode():
        found = passes(y, octaves.exp2())
        for group, one in enumerate(predictors):
            predictor = cast(Predictor, one)
            seen = [predictor.layers(known, octaves, odd) for g, odd, known, *_ in found if g == group]
            graph, biases = _integers(predictor, [torch.cat(parts) for parts in zip(*seen, strict=True)], group)
            graphs.append(graph)
            arrays |= {f"{name}_bias{group}": value for name, value in biases.items()}
    return graphs, arrays


def refinement(y: Tensor) -> npt.NDArray[np.int8]:
    """Logits of the last digit of moduli of so many digits, by how often it is 1; as integers."""
    counts = np.ones((MOST_DIGITS + 1, 2))
    for octave in range(8):
        held = (y.abs() / 2**octave).floor()
        d = digits(2 * (held / 2).floor()).long()
        for digit in (0, 1):
            counts[:, digit] += torch.bincount(d[held % 2 == digit], minlength=MOST_DIGITS + 1).numpy()
    logits: npt.NDArray[np.int8] = np.rint(FINENESS * np.log(counts[:, 1] / counts[:, 0])).clip(-90, 90).astype(np.int8)
    return logits


def _integers(
    predictor: Predictor, seen: list[Tensor], group: int
) -> tuple[GraphBuilder, dict[str, npt.NDArray[np.int32]]]:
    """The graph of a group and its biases, from what its layers give on the calibration latents."""
    x, y, _ = seen
    kinds = torch.arange(KINDS) * (KIND / OCTAVE) + KIND / OCTAVE / 2
    hidden_bias = torch.stack([between(table, kinds) for table in predictor.hidden_bias]).double().numpy()
    hidden_bias = hidden_bias + cast(Tensor, predictor.hidden.bias).double().numpy()
    out_bias = (between(predictor.out_bias, kinds) + cast(Tensor, predictor.out.bias)).double().numpy()

    g = GraphBuilder(f"context{group}")
    known = g.input("known", x.shape[1])
    weight = predictor.depthwise.weight.double().numpy()
    q, _, exponent = quantise_weights(weight, np.zeros(len(weight)), MOST_DIGITS, 127)
    sums = g.add(
        "Conv", known, g.weights(q.astype(np.int8)), kernel_shape=[KERNEL] * 2, pads=[KERNEL // 2] * 4, group=len(q)
    )
    x_exponent = _finest(x, SEEN_LIMIT)
    inner = _rescaled(g, sums, x_exponent - exponent, SEEN_LIMIT)

    weight = predictor.hidden.weight.double().numpy() * np.exp2(-x_exponent.astype(np.float64))[None, :, None, None]
    q, _, exponent = quantise_weights(weight, np.abs(hidden_bias).max((0, 1)), SEEN_LIMIT, 127)
    biases = {"hidden": np.rint(hidden_bias * np.exp2(exponent)).astype(np.int32)}
    sums = g.add("Conv", inner, g.weights(q.astype(np.int8)), kernel_shape=[1, 1])
    sums = g.add("Relu", g.add("Add", sums, _bias_input(g, "hidden_bias", len(q))))
    y_exponent = _finest(y, HIDDEN_LIMIT)
    inner = _rescaled(g, sums, y_exponent - exponent, HIDDEN_LIMIT)

    weight = predictor.out.weight.double().numpy() * np.exp2(-y_exponent.astype(np.float64))[None, :, None, None]
    q, _, exponent = quantise_weights(weight, np.abs(out_bias).max(0), HIDDEN_LIMIT, 127)
    biases["out"] = np.rint(out_bias * np.exp2(exponent)).astype(np.int32)
    sums = g.add("Conv", inner, g.weights(q.astype(np.int8)), kernel_shape=[1, 1])
    sums = g.add("Add", sums, _bias_input(g, "out_bias", len(q)))
    g.output(_rescaled(g, sums, round(math.log2(FINENESS)) - exponent, LEVELS), "logits")
    return g, biases


def _finest(values: Tensor, limit: int) -> npt.NDArray[np.int64]:
    """For each channel the largest exponent of two with which ``values`` stay below ``limit``."""
    peak = values.abs().amax((0, 2, 3)).double().clamp_min(1e-3).numpy()
    return np.floor(np.log2(limit / peak)).astype(np.int64)


def _rescaled(g: GraphBuilder, sums: str, shift: npt.NDArray[np.int64], limit: int) -> str:
    """Multiply channels with powers of two, round half to even, clip."""
    factor = np.exp2(np.clip(shift, -100, 100).astype(np.float64)).astype(np.float32).reshape(1, -1, 1, 1)
    return g.clip(g.add("Round", g.add("Mul", sums, g.constant(factor))), -limit, limit)


def _bias_input(g: GraphBuilder, name: str, channels: int) -> str:
    g.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 1, 1]))
    return name
