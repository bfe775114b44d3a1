# SPDX-License-Identifier: BSD-3-Clause
"""A network from picture to picture, run over pictures of any size in bounded memory.

The graph sees a *window* and its halo at a time, of which only the inside is kept, so that no seam is visible. A
picture's border is continued by replication to the multiple of ``stride`` that the graph takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Floats, Progress, Samples, from_planes, to_planes
from .runtime import graph
from .tiling import Rectangle, grid, pad_to


@dataclass(frozen=True)
class PictureNetwork:
    """A graph ``x (1, 3, H, W) [, conditions] -> (1, 3, scale / shrink H, scale / shrink W)``, samples in 0..1.

    Attributes:
        path: of the ONNX graph.
        scale: how much larger the result is: 1, 2 or 4.
        stride: H and W are multiples of it.
        halo: how far the graph sees, in samples of its input, a multiple of ``stride``.
        window: what it works on at once, in samples of its input, a multiple of ``stride``.
        threads: of the computation. They share one window: several at a time would take as many times the memory, and
            smaller ones, with halos as wide as these networks have, up to 1.4 times the computation.
        arena: keep memory from window to window, for small ones.
        shrink: how much smaller the result is; ``stride`` is a multiple of it.
    """

    path: Path
    scale: int
    stride: int
    halo: int
    window: int
    threads: int
    arena: bool = False
    shrink: int = 1

    def __call__(
        self,
        samples: Samples,
        *conditions: Floats,
        depth: int | None = None,
        region: Rectangle | None = None,
        progress: Progress | None = None,
    ) -> Samples:
        """The result for a picture, or for a region of it.

        Args:
            samples: ``(H, W, 1 or 3)``, 8 or 16 bits; the result has as many channels.
            conditions: the graph's further inputs, the same for all windows.
            depth: bits of the result; by default, those of ``samples``.
            region: of the input, in its samples; what lies around it is seen all the same.
            progress: called with windows done and windows in total.
        """
        run = graph(self.path, self.threads, arena=self.arena)
        height, width, channels = samples.shape
        picture = Rectangle(0, 0, width, height)
        region = region or picture
        whole = self._made(region)
        kind = samples.dtype if depth is None else np.dtype(f"u{depth // 8}")
        out: Samples = np.empty((whole.height, whole.width, channels), kind)
        windows = list(grid(region, self.window))
        for done, (_, _, window) in enumerate(windows, 1):
            # From a multiple of the stride, so that a grid of blocks in the picture lies the same way everywhere.
            seen = window.scaled(divide=self.stride).scaled(self.stride).grown(self.halo, picture).intersection(picture)
            x = to_planes(samples[seen.slices])
            x = pad_to(x, -(-x.shape[1] // self.stride) * self.stride, -(-x.shape[2] // self.stride) * self.stride)
            y = run(x[None], *conditions)[0][0]
            place = self._made(window)
            inner = y[:, *place.relative_to(self._made(seen)).slices]
            from_planes(np.clip(inner, 0, 1), out[place.relative_to(whole).slices])
            if progress:
                progress(done, len(windows))
        return out

    def _made(self, place: Rectangle) -> Rectangle:
        return place.scaled(self.scale, self.shrink)
