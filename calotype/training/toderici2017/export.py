# SPDX-License-Identifier: BSD-3-Clause
"""A trained ``toderici2017`` -> the bundle that the codec half reads.

Three graphs make one iteration each, for any size; ``t`` is its number from 0, as a float32 of shape (1,), and ``e0``,
``d0``, ... are states (:func:`states_of`)::

    analyse.onnx   r (1, 3, H, W), amplitude (1, C, h, w), e0, e1, ..., t  ->  bits (1, C, h, w), e0_next, ...
    update.onnx    bits, d0, d1, ..., t                   ->  d0_next, ..., amplitude (of the next iteration)
    picture.onnx   the last two of d0_next, ...           ->  x (1, 3, H, W), about 0..1, not clipped

r is the picture in 0..1 minus what it looks like so far (1/2 before the first iteration, where all states are 0 and
``amplitude (C,)`` of ``codes.npz`` is that of each bit). ``codes.npz`` holds the integers that predict the bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from ...arrays import Progress
from ...engine.bundles import Bundle
from ...errors import CalotypeError
from ...networks.layers import Pointwise
from ...networks.toderici2017 import ALPHA, CELL, GROUP, DeepGru, Gru, Into, Lstm, Toderici2017, TodericiConfig, Unit
from ..bundle import describe, replacement
from ..data import PictureCache
from ..graphs import GraphBuilder, float_layer, half
from ..parents import parent_of, provenance
from ..progress import part, silent
from ..recovery import recover
from ..weights import copy_weights, read_state, write_weights
from .bits import Predicted, codes_of, floats, integers, train_predictor

FACTS = {
    "id": "toderici2017",
    "codec": "toderici2017",
    "title": "progressive: every further iteration makes the picture better",
    "paper": "G. Toderici et al. 2017, arXiv 1608.05148",
    "licence": "BSD-3-Clause",
}
CODE_CROPS = 160  # whose codes the predictor learns from


def states_of(units: nn.ModuleList) -> list[int]:
    """Channels of the states of ``units``, in order; at 1/8 and 1/16 of the side, the encoder's finest first."""
    return [unit.width for unit in cast("list[Unit]", list(units)) for _ in range(unit.states)]


class Step:
    """A graph of one iteration."""

    def __init__(self, name: str) -> None:
        self.graph = GraphBuilder(name)

    def iteration(self) -> None:
        """The input ``t``; last of all."""
        self.graph.inputs.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, [1]))
        self.index = self.graph.add("Cast", "t", to=TensorProto.INT64)

    def chosen(self, rows: Sequence[Tensor], shape: list[int]) -> str:
        """The part of iteration t."""
        stacked = self.graph.weights(half(torch.stack(list(rows))))
        taken = self.graph.add("Gather", stacked, self.index, axis=0)
        return self.graph.add("Reshape", taken, self.graph.constant(np.array(shape, np.int64)))

    def part(self, x: str, start: int, stop: int, axis: int = 1) -> str:
        """A slice."""
        return self.graph.add("Slice", x, *(self.graph.constant(np.array([v], np.int64)) for v in (start, stop, axis)))

    def into(self, x: str, layer: Into) -> str:
        """The convolution of a unit's input."""
        if layer.stride > 1:
            x = self.graph.add("SpaceToDepth", x, blocksize=layer.stride)
        return float_layer(self.graph, float_layer(self.graph, x, layer.depthwise), layer.pointwise)

    def unit(self, x: str, unit: Unit, states: list[str]) -> tuple[str, list[str]]:
        """Output and new states of a unit."""
        g, w = self.graph, unit.width
        if not isinstance(unit, Gru | Lstm):
            raise TypeError(f"no ONNX form is known for {type(unit).__name__}")
        a, b = self.into(x, unit.into), float_layer(g, states[0], unit.hidden)
        a1, a2, a3, a4 = (self.part(a, i * w, (i + 1) * w) for i in range(4))
        alpha = g.constant(np.array(ALPHA, np.float32))
        if isinstance(unit, Gru):
            b1, b2, b3 = (self.part(b, i * w, (i + 1) * w) for i in range(3))
            z, r = g.add("Sigmoid", g.add("Add", a1, b1)), g.add("Sigmoid", g.add("Add", a2, b2))
            n = g.add("Tanh", g.add("Add", a3, float_layer(g, g.add("Mul", r, states[0]), unit.candidate)))
            h = g.add("Add", states[0], g.add("Mul", z, g.add("Sub", n, states[0])))
            h = g.add("Add", h, g.add("Mul", alpha, b3))
            if isinstance(unit, DeepGru):
                h = self.deeper(h, unit)
            return g.add("Add", h, g.add("Mul", alpha, a4)), [h]
        b1, b2, b3, b4 = (self.part(b, i * w, (i + 1) * w) for i in range(4))
        one = g.constant(np.array(1, np.float32))
        f = g.add("Sigmoid", g.add("Add", g.add("Add", a1, b1), one))
        i, o = g.add("Sigmoid", g.add("Add", a2, b2)), g.add("Sigmoid", g.add("Add", a3, b3))
        c = g.add("Add", g.add("Mul", f, states[1]), g.add("Mul", i, g.add("Tanh", g.add("Add", a4, b4))))
        h = g.add("Mul", o, g.add("Tanh", c))
        return h, [h, c]

    def deeper(self, h: str, unit: DeepGru) -> str:
        """The second step of a deep transition."""
        g, w = self.graph, unit.width
        gates = g.add("Sigmoid", float_layer(g, h, unit.deeper))
        z, r = self.part(gates, 0, w), self.part(gates, w, 2 * w)
        n = g.add("Tanh", float_layer(g, g.add("Mul", r, h), unit.deeper_candidate))
        return g.add("Add", h, g.add("Mul", z, g.add("Sub", n, h)))

    def units(self, x: str, units: nn.ModuleList, prefix: str, going: str | None = None) -> tuple[str, list[str]]:
        """All units, from inputs ``<prefix>0``, ...; ``going`` holds the states back where it is 0."""
        g = self.graph
        updated: list[str] = []
        for i, unit in enumerate(cast("list[Unit]", list(units))):
            old = [f"{prefix}{len(updated) + k}" for k in range(unit.states)]
            if going is not None and i:
                x, going = g.add("DepthToSpace", x, blocksize=2, mode="DCR"), self.doubled(going)
            x, new = self.unit(x, unit, old)
            updated += [self.held(o, n, going) for o, n in zip(old, new, strict=True)]
        return x, updated

    def held(self, old: str, new: str, going: str | None) -> str:
        """The old state where ``going`` is 0."""
        g = self.graph
        return new if going is None else g.add("Add", old, g.add("Mul", going, g.add("Sub", new, old)))

    def doubled(self, x: str) -> str:
        """Each value of ``x (1, 1, h, w)`` four times."""
        four = self.graph.add("Concat", x, x, x, x, axis=1)
        return self.graph.add("DepthToSpace", four, blocksize=2, mode="DCR")


def analyse_graph(network: Toderici2017) -> GraphBuilder:
    """See the module."""
    step, e, config = Step("analyse"), network.encoder, network.config
    g, c = step.graph, network.config.bits
    g.input("r", 3)
    g.input("amplitude", c)
    for i, width in enumerate(states_of(e.units)):
        g.input(f"e{i}", width)
    step.iteration()
    r = g.add("SpaceToDepth", "r", blocksize=8)
    h = g.add("Mul", r, step.chosen(list(e.log_gain.exp()), [1, 1, 1, 1]))
    h = float_layer(g, h, e.head)
    h = g.add("Add", h, step.chosen(list(e.embedding), [1, -1, 1, 1]))
    h, updated = step.units(h, e.units, "e")
    cells = g.add("SpaceToDepth", r, blocksize=2)
    linear = step.chosen(list(cast(nn.ParameterList, e.linear)), [c, 3 * CELL**2, 1, 1])
    logits = g.add("Add", float_layer(g, h, e.tail), g.add("Conv", cells, linear, kernel_shape=[1, 1]))
    coupling = step.chosen(list(cast(nn.ParameterList, e.coupling)), [c, c, 1, 1])
    found: str | None = None
    zero, low, high = (g.constant(np.array(v, np.float32)) for v in (0, -1, 1))
    for k in range(0, config.bits, GROUP):
        part = step.part(logits, k, k + GROUP)
        if found is not None:
            weight = step.part(step.part(coupling, k, k + GROUP, 0), 0, k, 1)
            known = g.add("Mul", found, step.part("amplitude", 0, k))
            part = g.add("Add", part, g.add("Conv", known, weight, kernel_shape=[1, 1]))
        b = g.add("Where", g.add("Less", part, zero), low, high)
        found = b if found is None else g.add("Concat", found, b, axis=1)
    g.output(cast(str, found), "bits")
    for i, name in enumerate(updated):
        g.output(name, f"e{i}_next")
    return g


def update_graph(network: Toderici2017) -> GraphBuilder:
    """See the module."""
    step, d, c = Step("update"), network.decoder, network.config.bits
    g, amplitude = step.graph, cast(Pointwise, d.amplitude)
    g.input("bits", c)
    widths = [*states_of(d.units), cast(Unit, d.units[-1]).width, 3 * CELL**2]
    for i, width in enumerate(widths):
        g.input(f"d{i}", width)
    step.iteration()
    going = g.add("Abs", step.part("bits", 0, 1))
    h = g.add("Add", float_layer(g, "bits", d.entry), step.chosen(list(d.embedding), [1, -1, 1, 1]))
    h, updated = step.units(h, d.units, "d", going)
    fine = going
    for _ in range(len(d.units) - 1):
        fine = step.doubled(fine)
    updated.append(step.held(f"d{len(widths) - 2}", h, fine))
    linear = step.chosen(list(cast(nn.ParameterList, d.linear)), [3 * CELL**2, c, 1, 1])
    scaled = g.add("Mul", "bits", _amplitudes(g, amplitude, "d0"))
    updated.append(g.add("Add", f"d{len(widths) - 1}", g.add("Conv", scaled, linear, kernel_shape=[1, 1])))
    for i, name in enumerate(updated):
        g.output(name, f"d{i}_next")
    g.output(_amplitudes(g, amplitude, updated[0]), "amplitude")
    return g


def _amplitudes(g: GraphBuilder, layer: Pointwise, state: str) -> str:
    return g.add("Exp", g.clip(float_layer(g, state, layer), -3, 3))


def picture_graph(network: Toderici2017) -> GraphBuilder:
    """See the module."""
    d, g = network.decoder, GraphBuilder("picture")
    shown, total = g.input("shown", cast(Unit, d.units[-1]).width), g.input("total", 3 * CELL**2)
    y = float_layer(g, float_layer(g, shown, d.blocks), d.tail)
    y = g.add("Add", y, g.add("DepthToSpace", total, blocksize=CELL // d.pixels, mode="DCR"))
    y = g.add("DepthToSpace", y, blocksize=d.pixels, mode="DCR")
    g.output(g.add("Add", y, g.constant(np.array(0.5, np.float32))), "x")
    return g


def graphs_of(network: Toderici2017) -> list[GraphBuilder]:
    """All graphs of a bundle."""
    return [analyse_graph(network), update_graph(network), picture_graph(network)]


def refusal(config: TodericiConfig) -> str:
    """Why networks of this shape cannot be exported, or an empty string."""
    if config.unit == "alstm":
        return "only networks with units gru, deep and lstm can be exported"
    if config.dense or not config.linear or config.framework != "one-shot":
        return "only one-shot networks with the linear path, and not dense, can be exported"
    return ""


def recover_all(network: Toderici2017, bundle: Bundle) -> None:
    """Give a network the weights of a bundle, and its predictor, if it has one, those of its integers."""
    plain = Toderici2017(network.config)
    recover(plain, graphs_of, bundle.path)
    network.load_state_dict(plain.state_dict(), strict=not isinstance(network, Predicted))
    if isinstance(network, Predicted):
        floats(bundle.arrays("codes.npz"), network.predictor)


def export_bundle(
    network: Toderici2017, codes: Tensor, folder: Path, facts: dict[str, Any], steps: int = 400,
    progress: Progress = silent,
) -> str:  # fmt: skip
    """Write the bundle of ``network`` and return its hash; a bundle that is there is replaced.

    Args:
        network: with the weights to ship; a predictor that was trained along is the start of the one that ships.
        codes: what it writes for photographs (:func:`calotype.training.toderici2017.bits.codes_of`).
        folder: made if missing.
        facts: what ``model.json`` says beside the configuration: id, title, paper, training, licence.
        steps: of training the predictor of the codes.
        progress: called with its steps.

    Raises:
        CalotypeError: the folder holds something else, or the network is of a shape that cannot be exported.
    """
    config = network.eval().config
    if reason := refusal(config):
        raise CalotypeError(reason)
    with replacement(folder) as made:
        for graph in graphs_of(network):
            graph.save(made / f"{graph.name}.onnx")
        first = cast(Tensor, cast(Pointwise, network.decoder.amplitude).bias).detach().clamp(-3, 3).exp()
        along = network.predictor if isinstance(network, Predicted) else None
        arrays = integers(train_predictor(codes, steps, progress=progress, predictor=along), codes[:, :16])
        np.savez_compressed(made / "codes.npz", amplitude=first.numpy().astype(np.float32), **cast(Any, arrays))
        seen = {
            "halo": network.decoder.halo, "encoder_states": states_of(network.encoder.units),
            "decoder_states": states_of(network.decoder.units),
        }  # fmt: skip
        return describe(made, facts, {**asdict(config), **seen})


def export_run(
    state: Path, config: TodericiConfig, pictures: PictureCache, folder: Path, progress: Progress = silent
) -> str:
    """Export the averaged weights of a training state; the predictor of its codes is trained for some minutes first.

    The float weights are written beside the state (float16), for training to go on from.

    Raises:
        CalotypeError: there is no such state, or it is one of another configuration; as :func:`export_bundle`.
    """
    folder = folder.absolute()  # so that it has a name
    if not state.is_file():
        raise CalotypeError(f"there is no state of a training run at {state}")
    if reason := refusal(config):
        raise CalotypeError(reason)
    stored = read_state(state)
    predicted = any(name.startswith("predictor.") for name in stored["average"])
    network = Predicted(config) if predicted else Toderici2017(config)
    copy_weights(stored["average"], network)
    codes = codes_of(network, pictures, CODE_CROPS, progress=part(progress, 0.0, 0.5))
    origin = provenance(stored, len(pictures), parent_of(state.parent))
    digest = export_bundle(network, codes, folder, {**FACTS, **origin}, progress=part(progress, 0.5, 1.0))
    write_weights(state.with_suffix(".safetensors"), stored["average"], asdict(config))
    return digest
