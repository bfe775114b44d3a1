# SPDX-License-Identifier: BSD-3-Clause
"""A transform over an area of any size, part by part and strip by strip, in windows that suit the cache.

The graph is cut into parts (:mod:`calotype.engine.onnx_parts`). A strip of rows goes through the first part, window by
window; as soon as the second part has the rows that it sees beyond its own strip, that goes on, and so forth. Between
two parts lie a few strips: nothing is computed twice, and memory grows with the width of the area alone. What comes out
is the same to the bit for all windows, areas and numbers of workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Floats
from ..errors import BundleError
from .once import once
from .onnx_parts import GraphPart, cut
from .runtime import Session
from .tiling import Rectangle
from .workers import Workers

Source = Callable[[Rectangle], Floats]  # a window of the input, (channels, h, w); called from workers
Sink = Callable[[Rectangle, Floats], None]  # takes a window of the output; called from workers
WINDOWS_A_WORKER = 4  # in a strip, at least, where the area has as many
KEPT_STRIPS = 4  # rows between two parts have room for so many before they are moved up


@dataclass(frozen=True)
class Buffers:
    """Input and output of one call, bound to a session."""

    x: Floats
    y: Floats
    binding: Any


class FixedPart(Session):
    """A part of a graph for windows of one size. Calls from several threads each have buffers of their own."""

    def __init__(self, part: GraphPart, height: int, width: int, name: str, optimise: bool) -> None:
        self.height, self.width, self.halo = height, width, part.halo
        self.multiply, self.divide = part.scale.numerator, part.scale.denominator
        self.channels = part.channels
        self.free: deque[Buffers] = deque()
        super().__init__(part.model(height, width), name, 1, optimise, arena=True)
        self.made = tuple(self.session.get_outputs()[0].shape)  # (1, M, scale height, scale width)

    def forget(self) -> None:
        """See :meth:`Session.forget`."""
        super().forget()
        self.free.clear()

    def __call__(self, window: Floats, store: Callable[[Floats], None]) -> None:
        """Run on ``window (channels, h, w)`` with its halo, zeros beyond it; ``store`` has to copy what comes out."""
        session = self.session
        try:
            buffers = self.free.pop()
        except IndexError:
            buffers = self._buffers(session)
        _, h, w = window.shape
        x = buffers.x[0]
        x[:, :h, :w] = window
        x[:, h:] = 0
        x[:, :h, w:] = 0
        session.run_with_iobinding(buffers.binding)
        store(buffers.y[0])
        self.free.append(buffers)

    def _buffers(self, session: Any) -> Buffers:
        x: Floats = np.zeros((1, self.channels, self.height + 2 * self.halo, self.width + 2 * self.halo), np.float32)
        y: Floats = np.empty(self.made, np.float32)
        binding = session.io_binding()
        (given,), (made,) = session.get_inputs(), session.get_outputs()
        binding.bind_input(given.name, "cpu", 0, np.float32, x.shape, x.ctypes.data)
        binding.bind_output(made.name, "cpu", 0, np.float32, y.shape, y.ctypes.data)
        return Buffers(x, y, binding)


class Transform:
    """A graph ``(1, channels, h, w) -> (1, M, scale h, scale w)``, in parts for windows of one size.

    Args:
        path: of the graph.
        height: samples of the input that a window has.
        width: samples of the input that a window has.
        optimise: let ONNX Runtime rewrite the parts.
    """

    def __init__(self, path: Path, height: int, width: int, optimise: bool = True) -> None:
        self.parts: list[FixedPart] = []
        self.scale = Fraction(1)
        for index, part in enumerate(cut(path.read_bytes(), path.name)):
            sides = [self.scale * height, self.scale * width]
            if any((side * part.scale).denominator != 1 for side in sides):
                raise BundleError(f"{path.name} does not suit windows of {height} x {width} samples")
            self.parts.append(FixedPart(part, int(sides[0]), int(sides[1]), f"part {index} of {path.name}", optimise))
            self.scale *= part.scale

    def __call__(self, x: Floats, workers: Workers) -> Floats:
        """The whole result for ``x (channels, H, W)``."""
        height, width = x.shape[1:]
        y: Floats = np.empty((self.parts[-1].made[1], int(height * self.scale), int(width * self.scale)), np.float32)

        def store(place: Rectangle, values: Floats) -> None:
            y[:, *place.slices] = values

        for _ in self.run(height, width, lambda place: x[:, *place.slices], store, workers):
            pass
        return y

    def run(
        self, height: int, width: int, source: Source, sink: Sink, workers: Workers,
        before: Callable[[int, int], None] | None = None,
    ) -> Iterator[int]:  # fmt: skip
        """Transform an area of ``height`` by ``width`` samples; yields how many rows of the output are done.

        Args:
            height: of the input; with ``scale``, a whole number of rows comes out.
            width: of the input.
            source: gives windows of the input.
            sink: is given the windows of the output, row by row of windows.
            workers: that windows are shared among.
            before: called with the first and last row (excluded) of each strip of the input, before it is read.
        """
        first = self.parts[0]
        columns, most = -(-width // first.width), -(-height // first.height)
        rows = 1 if workers.count == 1 else min(-(-WINDOWS_A_WORKER * workers.count // columns), most)
        inputs: list[_Rows] = []
        h, w = height, width
        for part in self.parts[1:]:
            h, w = _scaled(h, self.parts[len(inputs)]), _scaled(w, self.parts[len(inputs)])
            inputs.append(_Rows(part, rows * part.height, h, w))
        done = _first(first, rows * first.height, height, width, source, _storage(inputs[:1], sink), workers, before)
        for index, given in enumerate(inputs, 1):
            done = given.through(done, _storage(inputs[index : index + 1], sink), workers)
        return done


@dataclass(frozen=True)
class _Storage:
    """Where a part's windows go, and what has to happen before rows up to some number are written."""

    store: Sink
    make_room: Callable[[int], None] = lambda bottom: None


def _storage(following: list[_Rows], sink: Sink) -> _Storage:
    return _Storage(following[0].write, following[0].make_room) if following else _Storage(sink)


class _Rows:
    """What lies between a part and the one before it: the rows that it still sees, with zeros around the area."""

    def __init__(self, part: FixedPart, step: int, height: int, width: int) -> None:
        self.part, self.step, self.height, self.width = part, step, height, width
        halo, columns = part.halo, -(-width // part.width)
        space = (part.channels, KEPT_STRIPS * step + 2 * halo, columns * part.width + 2 * halo)
        self.values: Floats = np.zeros(space, np.float32)
        self.first = -halo  # row of the area that lies first
        self.top = 0  # of the next strip

    def make_room(self, bottom: int) -> None:
        """Move rows up, if those before ``bottom`` would not fit."""
        if bottom - self.first > self.values.shape[1]:
            gone = self.top - self.part.halo - self.first
            self.values[:, : self.values.shape[1] - gone] = self.values[:, gone:].copy()
            self.first += gone

    def write(self, place: Rectangle, values: Floats) -> None:
        """Keep a window of the part before."""
        y, x = place.top - self.first, place.left + self.part.halo
        self.values[:, y : y + place.height, x : x + place.width] = values

    def read(self, place: Rectangle) -> Floats:
        """A window with its halo."""
        y, around = place.top - self.part.halo - self.first, 2 * self.part.halo
        return self.values[:, y : y + place.height + around, place.left : place.left + self.part.width + around]

    def through(self, ready: Iterator[int], out: _Storage, workers: Workers) -> Iterator[int]:
        """Run the part on strips as soon as the rows that they see are ready; how many of the output's are done."""
        for count in ready:
            if count == self.height:
                self.make_room(self.height + self.part.halo)
                self.values[:, self.height - self.first :] = 0
            while self.top < self.height and count >= min(self.top + self.step + self.part.halo, self.height):
                bottom = min(self.top + self.step, self.height)
                _windows(self.part, self.top, bottom, self.height, self.width, self.read, out, workers)
                self.top = bottom
                yield _scaled(bottom, self.part)


def _first(
    part: FixedPart, step: int, height: int, width: int, source: Source, out: _Storage, workers: Workers,
    before: Callable[[int, int], None] | None,
) -> Iterator[int]:  # fmt: skip
    """Run the first part strip by strip; how many rows of its output are done."""
    for top in range(0, height, step):
        bottom = min(top + step, height)
        if before:
            before(top, bottom)
        _windows(part, top, bottom, height, width, source, out, workers)
        yield _scaled(bottom, part)


def _windows(
    part: FixedPart, top: int, bottom: int, height: int, width: int, source: Source, out: _Storage, workers: Workers
) -> None:
    """Run a part on the windows of a strip."""
    area = Rectangle(0, 0, _scaled(width, part), _scaled(height, part))
    out.make_room(_scaled(bottom, part))

    def work(place: Rectangle) -> None:
        made = Rectangle(*(_scaled(edge, part) for edge in (place.left, place.top, place.right, place.bottom)))
        made = made.intersection(area)
        part(source(place), lambda values: out.store(made, values[:, : made.height, : made.width]))

    workers.map(
        work,
        [
            Rectangle(x, y, min(x + part.width, width), min(y + part.height, height))
            for y in range(top, bottom, part.height)
            for x in range(0, width, part.width)
        ],
    )


def _scaled(number: int, part: FixedPart) -> int:
    return number * part.multiply // part.divide


@once(maxsize=16)
def transform(path: Path, height: int, width: int, optimise: bool = True) -> Transform:
    """The graph in ``path``, shared by everyone who asks with the same settings."""
    return Transform(path, height, width, optimise)
