# SPDX-License-Identifier: BSD-3-Clause
"""A transform over an area of any size, part by part and strip by strip, in windows that suit the cache.

The graph is cut into parts (:mod:`calotype.engine.onnx_parts`), which hand their windows to each other in blocks of
channels (:mod:`calotype.engine.blocks`). A strip of rows goes through the first part, window by window; the second part
follows as soon as it has the rows that it sees beyond its own strip, and so forth, all parts at the same time. Between
two parts lie a few strips: nothing is computed twice, and memory grows with the width of the area alone. What comes out
is the same to the bit for all windows, areas and numbers of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..arrays import Array, Floats, Samples
from ..errors import BundleError
from .bfloat16 import BfloatPart
from .blocks import block_size, in_blocks
from .fixed_part import FixedPart, aligned
from .once import file_state, once
from .onnx_parts import cut
from .presence import Mask, Presence
from .tiling import Rectangle
from .workers import Workers

Source = Callable[[Rectangle, Floats], None]  # fills in a window of the input, (channels, h, w); called from workers
Sink = Callable[[Rectangle, Array], None]  # takes a window of the output, (channels, h, w); called from workers
WINDOWS_A_WORKER = 4  # in a strip, at least, where the area has as many
LAG = 2  # strips that a part is behind the one before it: it sees the one that lies between


class TransformPart(Protocol):
    """A part of a graph for windows of one size: :class:`FixedPart`, or :class:`BfloatPart`.

    Attributes:
        height, width: samples of the input that a window has.
        halo: samples that it sees beyond each border.
        adds: whether the window is added to the result.
        made: channels of the result.
        window: shape of a window of the input, without its halo, in blocks of channels.
    """

    height: int
    width: int
    halo: int
    adds: bool
    made: int
    window: tuple[int, ...]

    def scaled(self, number: int) -> int:
        """Samples of the output for so many of the input."""
        ...

    def buffers(self) -> AbstractContextManager[Any]:
        """What one call works with: ``x``, a window with its halo, and ``y``, where the result goes by default."""
        ...

    def run(self, buffers: Any, inner: Floats | None = None, y: Floats | None = None) -> None:
        """Run, given the window without its halo for a part that adds it, and where the result goes."""
        ...

    def planes(self, buffers: Any) -> Floats:
        """What came out of the last part: ``(channels, h, w)``."""
        ...

    def samples(self, buffers: Any, depth: int) -> Samples:
        """What came out of the last part as samples ``(h, w, 3)`` of a picture."""
        ...


class Transform:
    """A graph ``(1, channels, h, w) -> (1, M, scale h, scale w)``, in parts for windows of one size.

    Args:
        path: of the graph.
        height: samples of the input that a window has.
        width: samples of the input that a window has.
        optimise: let ONNX Runtime rewrite the parts, and use a layout of its own.
        bfloat16: compute with OpenVINO, see :mod:`calotype.engine.bfloat16`.
    """

    def __init__(self, path: Path, height: int, width: int, optimise: bool = True, bfloat16: bool = False) -> None:
        self.parts: list[TransformPart] = []
        self.scale = Fraction(1)
        block, models = in_blocks(cut(path.read_bytes(), path.name), block_size() if optimise and not bfloat16 else 1)
        for index, (part, model) in enumerate(models):
            h, w = self.scale * height, self.scale * width
            if any((side * part.scale).denominator != 1 or side < part.halo for side in (h, w)):
                raise BundleError(f"{path.name} does not suit windows of {height} x {width} samples")
            name = f"part {index} of {path.name}"
            self.parts.append(
                BfloatPart(part, int(h), int(w), name)
                if bfloat16
                else FixedPart(model, block, int(h), int(w), name, optimise)
            )
            self.scale *= part.scale

    def __call__(self, x: Floats, workers: Workers, mask: Mask | None = None) -> Floats:
        """The whole result for ``x (channels, H, W)``; ``mask`` as in :meth:`run`."""
        height, width = x.shape[1:]
        y: Floats = np.empty((self.parts[-1].made, int(height * self.scale), int(width * self.scale)), np.float32)

        def source(place: Rectangle, window: Floats) -> None:
            window[...] = x[:, *place.slices]

        def sink(place: Rectangle, values: Floats) -> None:
            y[:, *place.slices] = values

        for _ in self.run(height, width, source, sink, workers, mask=mask):
            pass
        return y

    def run(
        self, height: int, width: int, source: Source, sink: Sink, workers: Workers,
        before: Callable[[int, int], None] | None = None, depth: int | None = None, mask: Mask | None = None,
    ) -> Iterator[int]:  # fmt: skip
        """Transform an area of ``height`` by ``width`` samples; yields how many rows of the output are done.

        Args:
            height: of the input; with ``scale``, a whole number of rows comes out.
            width: of the input.
            source: fills in windows of the input.
            sink: is given the windows of the output, row by row of windows.
            workers: that windows are shared among.
            before: called with the first and last row (excluded) of each strip of the input, before it is read.
            depth: have the sink given samples ``(h, w, 3)`` of so many bits instead of planes.
            mask: ``(rows, columns)``, on a grid of which the area's and all the parts' are multiples: where it is
                false there is no picture. What lies beside it sees a border there; what comes out there means nothing.
        """
        first = self.parts[0]
        columns, most = -(-width // first.width), -(-height // first.height)
        rows = 1 if workers.count == 1 else min(-(-WINDOWS_A_WORKER * workers.count // columns), most)
        stages: list[_Stage] = []
        for part in self.parts:
            stages.append(_Stage(part, height, width, columns, most))
            stages[-1].there = Presence.of(mask, height)
            height, width = part.scaled(height), part.scaled(width)
        for stage, following in pairwise(stages):
            stage.following = following
        stages[0].source, stages[-1].sink, stages[-1].depth = source, sink, depth

        # Strips that depend on none of each other are worked on at the same time, one of each part.
        strips = -(-most // rows)
        for step in range(strips + LAG * (len(stages) - 1)):
            at_work = [(stage, step - LAG * i) for i, stage in enumerate(stages) if 0 <= step - LAG * i < strips]
            windows: list[tuple[_Stage, int, int]] = []
            for stage, strip in at_work:
                lines = range(strip * rows, min((strip + 1) * rows, most))
                if stage is stages[0] and before:
                    before(lines.start * first.height, min(lines.stop * first.height, stage.height))
                windows += stage.begin(lines)
            workers.map(_work, windows)
            for stage, strip in at_work:
                stage.drop((strip + 1) * rows - 1)
                if stage is stages[-1]:
                    yield min((strip + 1) * rows * stage.part.scaled(stage.part.height), height)


def _work(window: tuple[_Stage, int, int]) -> None:
    stage, row, column = window
    stage.window(row, column)


class _Stage:
    """A part at work on an area, and the windows that the part before it has made.

    Windows lie in rows and columns. What is made of one is the following part's window in the same row and column.
    """

    source: Source
    sink: Sink
    following: _Stage | None = None
    depth: int | None = None
    there: Presence | None = None  # where the picture is, on the grid of the input

    def __init__(self, part: TransformPart, height: int, width: int, columns: int, count: int) -> None:
        self.part, self.height, self.width = part, height, width
        self.columns, self.count = columns, count  # of windows
        self.windows: dict[int, Floats] = {}  # rows of them, (columns, *part.window)
        self.spare: list[Floats] = []

    def begin(self, rows: range) -> list[tuple[_Stage, int, int]]:
        """Rows of windows to work on, when there is room for what is made of them."""
        if (following := self.following) is not None:
            for row in rows:
                room = following.spare.pop() if following.spare else aligned((self.columns, *following.part.window))
                following.windows[row] = room
        return [(self, row, column) for row in rows for column in range(self.columns)]

    def drop(self, first: int) -> None:
        """Rows of windows before ``first`` are seen no more."""
        for row in [row for row in self.windows if row < first]:
            self.spare.append(self.windows.pop(row))

    def window(self, row: int, column: int) -> None:
        """Run the part on a window. Called from workers."""
        part = self.part
        left, top = column * part.width, row * part.height
        place = Rectangle(left, top, min(left + part.width, self.width), min(top + part.height, self.height))
        made = Rectangle(*map(part.scaled, (place.left, place.top, place.right, place.bottom)))
        if self.there and self.there.none(place):
            self._leave_out(row, column, made)
            return
        with part.buffers() as buffers:
            if self.windows:
                self._surround(row, column, buffers.x)
            else:
                x = buffers.x[..., 0]
                self.source(place, x[:, : place.height, : place.width])
                x[:, place.height :] = 0
                x[:, :, place.width :] = 0
                if self.there:
                    self.there.clear(place, x[:, : place.height, : place.width])
            inner = self.windows[row][column] if part.adds else None
            if self.following is not None:
                y = self.following.windows[row][column]
                part.run(buffers, inner, y)
                y[:, made.height :] = 0
                y[:, :, made.width :] = 0
                if self.following.there:
                    self.following.there.clear(made, y[:, : made.height, : made.width])
            else:
                part.run(buffers, inner)
                if self.depth:
                    self.sink(made, part.samples(buffers, self.depth)[: made.height, : made.width])
                else:
                    self.sink(made, part.planes(buffers)[:, : made.height, : made.width])

    def _leave_out(self, row: int, column: int, made: Rectangle) -> None:
        """Make zeros of a window that has nothing of the picture."""
        if self.following is not None:
            self.following.windows[row][column] = 0
        elif self.depth:
            self.sink(made, np.zeros((made.height, made.width, 3), np.uint8 if self.depth == 8 else np.uint16))
        else:
            self.sink(made, np.zeros((self.part.made, made.height, made.width), np.float32))

    def _surround(self, row: int, column: int, x: Floats) -> None:
        """Put a window and its halo together from the windows around it, zeros around the area."""
        halo = self.part.halo
        edges = ((-1, slice(0, halo), slice(-halo, None)), (1, slice(-halo, None), slice(0, halo))) if halo else ()
        spans = [(0, slice(halo, -halo or None), slice(None)), *edges]
        for down, y_here, y_there in spans:
            line = self.windows.get(row + down)
            for right, x_here, x_there in spans:
                if line is None or not 0 <= column + right < self.columns:
                    x[:, y_here, x_here] = 0
                else:
                    x[:, y_here, x_here] = line[column + right, :, y_there, x_there]


@once(maxsize=16, state=file_state)
def transform(path: Path, height: int, width: int, optimise: bool = True, bfloat16: bool = False) -> Transform:
    """The graph in ``path``, shared by everyone who asks with the same settings."""
    return Transform(path, height, width, optimise, bfloat16)
