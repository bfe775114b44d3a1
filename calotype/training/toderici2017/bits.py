# SPDX-License-Identifier: BSD-3-Clause
"""Train the networks that predict the binary codes of ``toderici2017``, and make integers of them.

They are trained with the codec, their rate in its loss (:class:`Predicted`), and in the end on the bits that the
finished network writes for photographs: a matter of minutes. What they compute is drawn in
:mod:`calotype.codecs.toderici2017.bits`, whose :class:`~calotype.codecs.toderici2017.bits.CodeModel` runs the integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...arrays import Progress
from ...codecs.toderici2017.bits import HIDDEN_LIMIT, KERNEL, PASSES, STATE_LIMIT, passes
from ...engine.binary import FINENESS
from ...errors import CalotypeError
from ...networks.toderici2017 import Toderici2017, TodericiConfig
from ..crops import CropConfig, crop_batches
from ..data import PictureCache
from ..integer import EXACT, quantise_weights
from ..progress import silent

UNIT = STATE_LIMIT // 4  # integers that stand for 1 in the state
STATE_UNIT, HIDDEN_UNIT = 512.0, 256.0  # integers that become 1 in the layers, when integers become floats again


class CodePredictor(nn.Module):
    """Bits ``(T, B, C, h, w)`` of -1, 0 and 1 -> logits of all passes of each iteration.

    Args:
        iterations: T.
        channels: C.
        features: sums over all earlier bits.
        hidden: width of the hidden layer.
    """

    def __init__(self, iterations: int, channels: int, features: int = 48, hidden: int = 96) -> None:
        super().__init__()
        seen = features + channels
        self.entry = nn.Parameter(torch.randn(iterations, features, channels) * 0.3 / math.sqrt(channels))
        self.depthwise = nn.Parameter(torch.randn(iterations, seen, KERNEL, KERNEL) * 0.1)
        self.hidden = nn.Parameter(torch.randn(iterations, hidden, seen) / math.sqrt(seen))
        self.hidden_bias = nn.Parameter(torch.zeros(iterations, PASSES, hidden))
        self.out = nn.Parameter(torch.randn(iterations, channels, hidden) * 0.3 / math.sqrt(hidden))
        self.out_bias = nn.Parameter(torch.zeros(iterations, channels))
        with torch.no_grad():
            self.depthwise[:, :features, KERNEL // 2, KERNEL // 2] += 0.5

    def seen(self, t: int, sums: Tensor) -> Tensor:
        """What the depthwise layer of iteration ``t`` makes of the sums, for all passes: ``(B, F, h, w)``."""
        sums = sums.clamp(-STATE_LIMIT / UNIT, STATE_LIMIT / UNIT)
        return _depthwise(sums, self.depthwise[t, : sums.shape[1]])

    def logits(self, t: int, seen: Tensor, current: Tensor, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Output of each layer in pass ``index`` of iteration ``t``: ``(B, .., h, w)``, the logits last."""
        x = torch.cat([seen, _depthwise(current, self.depthwise[t, seen.shape[1] :])], 1)
        y = F.relu(F.conv2d(x, self.hidden[t][:, :, None, None], self.hidden_bias[t, index]))
        return x, y, F.conv2d(y, self.out[t][:, :, None, None], self.out_bias[t])

    def cost(self, bits: Tensor) -> Tensor:
        """Bits that the codes of each iteration take, as a share of their number: ``(T,)``."""
        sums = bits.new_zeros(bits.shape[1], self.entry.shape[1], *bits.shape[3:])
        masks = [torch.from_numpy(m).to(bits) for m in passes(*bits.shape[2:])]
        costs = []
        for t, b in enumerate(bits):
            going, seen = b.detach().abs(), self.seen(t, sums)  # stopped cells cost nothing
            current, total = torch.zeros_like(b), b.new_zeros(())
            for index, mask in enumerate(masks):
                *_, z = self.logits(t, seen, current, index)
                total = total + (F.softplus(-b * z) * mask * going).sum()
                current = current + b * mask
            costs.append(total / going.sum().clamp_min(1) / math.log(2))
            sums = sums + torch.einsum("fc,bchw->bfhw", self.entry[t], b)
        return torch.stack(costs)


class Predicted(Toderici2017):
    """The networks, and the one that predicts their bits: trained together, bits are paid for by what it knows.

    What it knows when an iteration begins is a function of the bits so far, which the decoder has too. So the prior of
    the latents at each time depends on the recurrent state, as in the variational recurrent network of J. Chung et al.,
    "A recurrent latent variable model for sequential data", NIPS 2015, arXiv 1506.02216.
    """

    def __init__(self, config: TodericiConfig | None = None) -> None:
        super().__init__(config)
        self.predictor = CodePredictor(self.config.iterations, self.config.bits)


def _depthwise(x: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(x, weight[:, None], padding=KERNEL // 2, groups=x.shape[1])


def codes_of(
    network: Toderici2017, pictures: PictureCache, crops: int, size: int = 192, seed: int = 3,
    progress: Progress = silent,
) -> Tensor:  # fmt: skip
    """The bits ``(T, crops, C, size / 16, size / 16)`` that ``network`` writes for random crops, as int8."""
    parts = []
    with torch.inference_mode():
        for x in crop_batches(pictures, CropConfig(size, 0.5, 1.2, 0.5), crops, seed, progress):
            found = [b.to(torch.int8) for b, _ in network.eval().iterate(x, network.config.iterations)]
            parts.append(torch.stack(found))
    return torch.cat(parts, 1)


def train_predictor(
    codes: Tensor, steps: int = 400, batch: int = 8, seed: int = 4, progress: Progress = silent,
    predictor: CodePredictor | None = None,
) -> CodePredictor:  # fmt: skip
    """Fit a predictor, a new one or ``predictor``, to the codes of :func:`codes_of`."""
    torch.manual_seed(seed)
    predictor = predictor or CodePredictor(codes.shape[0], codes.shape[2])
    optimiser = torch.optim.Adam(predictor.parameters(), lr=4e-3)
    for step in range(steps):
        progress(step, steps)
        for group in optimiser.param_groups:
            group["lr"] = 4e-3 * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        picked = torch.randint(codes.shape[1], (batch,))
        loss = predictor.cost(codes[:, picked].float()).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(predictor.parameters(), 1.0)
        optimiser.step()
    return predictor


def integers(predictor: CodePredictor, codes: Tensor) -> dict[str, npt.NDArray[Any]]:
    """The arrays of :class:`~calotype.codecs.toderici2017.bits.CodeModel`, calibrated on ``codes``.

    Raises:
        CalotypeError: sums could leave the integers that float32 holds.
    """
    arrays: dict[str, list[npt.NDArray[Any]]] = {}

    def add(**values: npt.NDArray[Any]) -> None:
        for name, value in values.items():
            arrays.setdefault(name, []).append(value)

    bits = codes.float()
    with torch.inference_mode():
        sums = bits.new_zeros(bits.shape[1], predictor.entry.shape[1], *bits.shape[3:])
        for t, b in enumerate(bits):
            # The first pass knows least and the last one most: both are calibrated for.
            mask = torch.from_numpy(sum(m.astype(np.float32) for m in passes(*b.shape[1:])[:3]))
            seen, known = predictor.seen(t, sums), ((0, torch.zeros_like(b)), (3, b * mask))
            layers = [predictor.logits(t, seen, current, index) for index, current in known]
            add(**_layers(predictor, t, [torch.cat(parts) for parts in zip(*layers, strict=True)]))
            entry = np.rint(predictor.entry[t].double().numpy() * UNIT)
            add(entry=entry.astype(np.int16))
            sums = sums + torch.einsum("fc,bchw->bfhw", torch.from_numpy(entry).float() / UNIT, b)
    made = {name: np.stack(values) for name, values in arrays.items()}
    if np.abs(made["entry"].astype(np.int64)).sum((0, 2)).max() >= EXACT:
        raise CalotypeError("the sums over all codes can leave the integers that float32 holds: train them anew")
    return made


def floats(arrays: Mapping[str, npt.NDArray[Any]], predictor: CodePredictor) -> None:
    """Give a predictor the weights that its integers stand for: about those it had before :func:`integers`."""
    wide = {name: torch.from_numpy(value.astype(np.float32)) for name, value in arrays.items()}
    depthwise, hidden, out = (
        wide[name].mul(wide[f"{name}_shift"].exp2().reshape(*wide[f"{name}_shift"].shape, *[1] * (wide[name].ndim - 2)))
        for name in ("depthwise", "hidden", "out")
    )
    bias = wide["hidden_bias"] * wide["hidden_shift"].exp2()[:, None]
    with torch.no_grad():  # layers have integers up to these limits; trained ones have numbers of a few units
        predictor.entry.copy_(wide["entry"] / UNIT)
        predictor.depthwise.copy_(depthwise * (UNIT / STATE_UNIT))
        predictor.hidden.copy_(hidden * (STATE_UNIT / HIDDEN_UNIT))
        predictor.hidden_bias.copy_(bias / HIDDEN_UNIT)
        predictor.out.copy_(out * (HIDDEN_UNIT / FINENESS))
        predictor.out_bias.copy_(wide["out_bias"] * wide["out_shift"].exp2() / FINENESS)


def _layers(predictor: CodePredictor, t: int, seen: list[Tensor]) -> dict[str, npt.NDArray[Any]]:
    """Integers of the three layers of iteration ``t``, from what they give on the calibration codes."""
    x, y, _ = seen
    depthwise = predictor.depthwise[t].double().numpy() / UNIT
    q, _, exponent = quantise_weights(depthwise, np.zeros(len(depthwise)), STATE_LIMIT, 127)
    x_scale = STATE_LIMIT / x.abs().amax((0, 2, 3)).double().clamp_min(1e-3).numpy()
    x_exponent = np.floor(np.log2(x_scale)).astype(np.int64)
    made: dict[str, npt.NDArray[Any]] = {
        "depthwise": q.astype(np.int8),
        "depthwise_shift": _shift(x_exponent - exponent),
    }

    hidden = predictor.hidden[t].double().numpy() * np.exp2(-x_exponent.astype(np.float64))
    biases = predictor.hidden_bias[t].double().numpy()
    q, _, exponent = quantise_weights(hidden, np.abs(biases).max(0), STATE_LIMIT, 127)
    made |= {"hidden": q.astype(np.int8), "hidden_bias": np.rint(biases * np.exp2(exponent)).astype(np.int32)}
    y_exponent = np.floor(np.log2(HIDDEN_LIMIT / y.amax((0, 2, 3)).double().clamp_min(1e-3).numpy())).astype(np.int64)
    made["hidden_shift"] = _shift(y_exponent - exponent)

    out = predictor.out[t].double().numpy() * np.exp2(-y_exponent.astype(np.float64))
    q, bias, exponent = quantise_weights(out, predictor.out_bias[t].double().numpy(), HIDDEN_LIMIT, 127)
    fineness = round(math.log2(FINENESS))
    made |= {"out": q.astype(np.int8), "out_bias": bias.astype(np.int32), "out_shift": _shift(fineness - exponent)}
    return made


def _shift(exponent: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    return np.clip(exponent, -100, 100).astype(np.int8)
