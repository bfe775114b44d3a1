# SPDX-License-Identifier: BSD-3-Clause
"""One part of a transform, with a session and buffers for windows of one size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats, Samples, to_samples
from .blocks import BlockedModel
from .onnx_parts import INNER, GraphPart
from .runtime import Session

CACHE_LINE = 64  # bytes


@dataclass(frozen=True)
class Buffers:
    """Input and output of one call, in blocks ``(C / block, h, w, block)``; the input is bound to a session."""

    x: Floats
    y: Floats
    binding: Any


class FixedPart(Session):
    """A part of a graph for windows of one size. Calls from several threads each have buffers of their own.

    Args:
        model: of the part.
        block: channels of a block between parts.
        height: samples of the input that a window has.
        width: samples of the input that a window has.
        name: for messages.
        optimise: let ONNX Runtime rewrite the part.
    """

    def __init__(
        self, model: GraphPart | BlockedModel, block: int, height: int, width: int, name: str, optimise: bool
    ) -> None:
        part = model.part if isinstance(model, BlockedModel) else model
        self.height, self.width, self.halo, self.adds, self.made = height, width, part.halo, part.adds, part.made
        self.multiply, self.divide = part.scale.numerator, part.scale.denominator
        self.shuffle = model.shuffle
        self.squares = model.squares if isinstance(model, BlockedModel) else None
        block_in, block_out = (1 if part.first else block), (1 if part.last and not self.squares else block)
        self.x: tuple[int, ...] = (model.channels // block_in, height + 2 * self.halo, width + 2 * self.halo, block_in)
        self.window: tuple[int, ...] = (
            model.channels // block_in,
            height,
            width,
            block_in,
        )  # of the input, without its halo
        self.free: deque[Buffers] = deque()
        super().__init__(model.model(height, width), name, 1, optimise, arena=True)
        _, channels, h, w = self.session.get_outputs()[0].shape
        self.y: tuple[int, ...] = (channels // block_out, h, w, block_out)

    def forget(self) -> None:
        """See :meth:`Session.forget`."""
        super().forget()
        self.free.clear()

    def scaled(self, number: int) -> int:
        """Samples of the output for so many of the input."""
        return number * self.multiply // self.divide

    @contextmanager
    def buffers(self) -> Iterator[Buffers]:
        """For one call: what it leaves in them is there as long as the context."""
        session = self.session
        try:
            buffers = self.free.pop()
        except IndexError:
            buffers = Buffers(aligned(self.x), aligned(self.y), session.io_binding())
            self._bind(buffers.binding.bind_input, session.get_inputs()[0].name, buffers.x)
        yield buffers
        self.free.append(buffers)

    def run(self, buffers: Buffers, inner: Floats | None = None, y: Floats | None = None) -> None:
        """Run on what lies in ``buffers.x``, a window with its halo.

        Args:
            buffers: where the result goes by default.
            inner: the window without its halo, for a part that adds it.
            y: where the result goes, with depth-to-space done.
        """
        binding, session = buffers.binding, self.session
        if inner is not None:
            self._bind(binding.bind_input, INNER, inner)
        straight = buffers.y if y is None or self.shuffle > 1 else y
        self._bind(binding.bind_output, session.get_outputs()[0].name, straight)
        session.run_with_iobinding(binding)
        if y is not None and self.shuffle > 1:
            f = self.shuffle
            squares = straight.reshape(f * f, -1, *straight.shape[1:])
            for number, values in enumerate(squares):
                y[:, number // f :: f, number % f :: f] = values

    def planes(self, buffers: Buffers) -> Floats:
        """What came out of the last part: ``(channels, h, w)``."""
        return self.squares.planes(buffers.y) if self.squares else buffers.y[..., 0]

    def samples(self, buffers: Buffers, depth: int) -> Samples:
        """What came out of the last part as samples ``(h, w, 3)`` of a picture."""
        return self.squares.samples(buffers.y, depth) if self.squares else to_samples(buffers.y[..., 0], depth)

    @staticmethod
    def _bind(bind: Any, name: str, array: Floats) -> None:
        groups, h, w, block = array.shape
        bind(name, "cpu", 0, np.float32, (1, groups * block, h, w), array.ctypes.data)


def aligned(shape: tuple[int, ...]) -> Floats:
    """An array, not initialised, that begins on a line of the cache."""
    size = int(np.prod(shape))
    space: Floats = np.empty(size + CACHE_LINE // 4, np.float32)
    start = -space.ctypes.data % CACHE_LINE // 4
    return space[start : start + size].reshape(shape)
