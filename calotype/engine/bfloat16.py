# SPDX-License-Identifier: BSD-3-Clause
"""Parts of a transform in bfloat16 with OpenVINO, for processors that multiply such numbers: several times as fast.

Of each part the branch (5x5 --> 1x1 --> 1x1) is computed in bfloat16; the sum that it is added to, and layers outside
of branches, stay in float32. All in bfloat16 would be faster still, and cost ten per cent of rate:
``docs/decisions/bfloat16.md``. Between parts lie tensors ``(h, w, C)``, as OpenVINO's convolutions take them.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..arrays import Floats, Samples, to_samples
from ..errors import BundleError, DependencyError
from .fixed_part import aligned
from .once import once
from .onnx_parts import GraphPart
from .runtime import choose_threads, remember

OPENVINO = "openvino"
ROWS_FIRST, CHANNELS_FIRST = "NHWC", "NCHW"


def check_openvino() -> None:
    """DependencyError where OpenVINO is not installed, or the processor does not compute in bfloat16."""
    if find_spec(OPENVINO) is None:
        raise DependencyError("engine 'openvino' needs OpenVINO: pip install 'calotype[openvino]', or leave it out")
    if "BF16" not in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DependencyError(
            "engine 'openvino' is for processors that compute in bfloat16, and this one does not: leave it out"
        )


@once()
def _core() -> Any:
    return import_module(OPENVINO).Core()


@dataclass(frozen=True)
class BfloatBuffers:
    """What one call works with: input and output ``(1, h, w, C)``, or ``(C, h, w, 1)`` at the ends of the transform."""

    x: Floats
    y: Floats
    branch: Floats
    total: Floats
    requests: list[Any]


class BfloatPart:
    """A part of a graph for windows of one size; the interface is that of :class:`~.fixed_part.FixedPart`."""

    def __init__(self, part: GraphPart, height: int, width: int, name: str) -> None:
        self.height, self.width, self.halo, self.adds, self.made = height, width, part.halo, part.adds, part.made
        self.scale = part.scale
        branch, rest = _split(part)
        self.models: list[tuple[GraphPart, str, str, str]] = []  # with layouts of input and output, and precision
        if branch:
            self.models.append((branch, ROWS_FIRST, ROWS_FIRST, "bf16"))
        if rest:
            layouts = CHANNELS_FIRST if part.first else ROWS_FIRST, CHANNELS_FIRST if part.last else ROWS_FIRST
            self.models.append((rest, *layouts, "f32"))
        self.has_branch, self.has_rest = branch is not None, rest is not None
        h, w, c = height + 2 * part.halo, width + 2 * part.halo, part.channels
        self.x: tuple[int, ...] = (c, h, w, 1) if part.first else (1, h, w, c)
        self.window: tuple[int, ...] = (1, height, width, c)  # of the input, without its halo
        h, w = self.scaled(height), self.scaled(width)
        self.y: tuple[int, ...] = (part.made, h, w, 1) if part.last else (1, h, w, part.made)
        self.free: deque[BfloatBuffers] = deque()
        self.name = name
        self._compiled: list[Any] = self._compile()
        remember(self)

    @property
    def compiled(self) -> list[Any]:
        """OpenVINO's models of this process."""
        if not self._compiled:
            self._compiled = self._compile()
        return self._compiled

    def scaled(self, number: int) -> int:
        """Samples of the output for so many of the input."""
        return number * self.scale.numerator // self.scale.denominator

    def forget(self) -> None:
        """Give up what belongs to a parent process, without freeing it."""
        for thing in (self._compiled, self.free):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
        self._compiled, self.free = [], deque()

    @contextmanager
    def buffers(self) -> Iterator[BfloatBuffers]:
        """For one call: what it leaves in them is there as long as the context."""
        compiled = self.compiled
        try:
            buffers = self.free.pop()
        except IndexError:
            requests = [model.create_infer_request() for model in compiled]
            x, y, branch, total = map(aligned, (self.x, self.y, self.window, self.window))
            buffers = BfloatBuffers(x, y, branch, total, requests)
            tensor = import_module(OPENVINO).Tensor
            if self.has_branch:
                requests[0].set_input_tensor(tensor(buffers.x, shared_memory=True))
                requests[0].set_output_tensor(tensor(buffers.branch, shared_memory=True))
            if self.has_rest:
                x = total if self.has_branch else x
                requests[-1].set_input_tensor(tensor(_outside(x), shared_memory=True))
                requests[-1].set_output_tensor(tensor(_outside(buffers.y), shared_memory=True))
        yield buffers
        self.free.append(buffers)

    def run(self, buffers: BfloatBuffers, inner: Floats | None = None, y: Floats | None = None) -> None:
        """Run on what lies in ``buffers.x``, a window with its halo.

        Args:
            buffers: where the result goes by default.
            inner: the window without its halo, for a part that adds it.
            y: where the result goes.
        """
        target = buffers.y if y is None else y
        if self.has_branch:
            assert inner is not None
            buffers.requests[0].infer()
            np.add(buffers.branch, inner, out=buffers.total if self.has_rest else target)
        if self.has_rest:
            buffers.requests[-1].infer()
            if y is not None:
                y[...] = buffers.y

    def planes(self, buffers: BfloatBuffers) -> Floats:
        """See :meth:`~.fixed_part.FixedPart.planes`."""
        return buffers.y[..., 0]

    def samples(self, buffers: BfloatBuffers, depth: int) -> Samples:
        """See :meth:`~.fixed_part.FixedPart.samples`."""
        return to_samples(buffers.y[..., 0], depth)

    def _compile(self) -> list[Any]:
        return [self._model(*model) for model in self.models]

    def _model(self, part: GraphPart, given: str, made: str, precision: str) -> Any:
        library = import_module(OPENVINO)
        from_to = import_module(f"{OPENVINO}.preprocess").PrePostProcessor
        streams = choose_threads(None)
        try:
            steps = from_to(_core().read_model(part.model(self.height, self.width)))
            for end, layout in ((steps.input(), given), (steps.output(), made)):
                end.tensor().set_layout(library.Layout(layout))
                end.model().set_layout(library.Layout(CHANNELS_FIRST))
            settings = {
                "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": streams, "NUM_STREAMS": streams,
                "ENABLE_CPU_PINNING": False,
            }  # fmt: skip
            return _core().compile_model(steps.build(), "CPU", settings)
        except RuntimeError as error:
            raise BundleError(f"OpenVINO cannot load {self.name}: {error}") from error


def _outside(array: Floats) -> Floats:
    """A tensor as OpenVINO sees it: four dimensions, the first of them 1."""
    return array if array.shape[0] == 1 and array.shape[3] > 1 else array.reshape(1, *array.shape[:3])


def _split(part: GraphPart) -> tuple[GraphPart | None, GraphPart | None]:
    """What is added to the source of a part, and what comes after the sum; all is the latter if nothing is added."""
    if not part.adds:
        return None, part
    at = next(i for i, node in enumerate(part.nodes) if node.operator == "Add" and part.source in node.inputs)
    add, before, after = part.nodes[at], part.nodes[:at], part.nodes[at + 1 :]
    (branch,) = (name for name in add.inputs if name != part.source)
    later = {name for node in after for name in node.inputs}
    first = replace(part, nodes=before, target=branch, scale=Fraction(1), adds=False)
    first.constants = {n: c for n, c in part.constants.items() if any(n in node.inputs for node in before)}
    # What is stored as float16 may be converted anywhere: a conversion goes where its result is used.
    moved = [node for node in before if node.operator == "Cast" and node.outputs[0] in later]
    if not after:
        return first, None
    rest = replace(part, nodes=[*moved, *after], source=add.outputs[0], channels=part.channels, halo=0, adds=False)
    rest.constants = {n: c for n, c in part.constants.items() if any(n in node.inputs for node in rest.nodes)}
    return first, rest
