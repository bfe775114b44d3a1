# SPDX-License-Identifier: BSD-3-Clause
"""A cheap look at pixels: are they drawn, or photographed?

In drawings most neighbours are the same, and what changes changes at once; in photographs few are, and most changes are
small. Either that, or there are few colours. Every eighth row is looked at: a few milliseconds a megapixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...arrays import Samples
from .tiles import CELL, Cells, cell_grid

ROWS = 8  # one of so many rows is looked at
EDGE = 16  # levels of 8 bits: a change at once
FLAT = 0.4  # share of pixels like the one to the left, in a drawn cell, at least
SHARP = 0.25  # share of the changes that are edges, likewise
SOME = 0.08  # share of cells that are drawn and not all flat, in a tile that is worth a try
FEW_COLOURS = 64  # among every 64th pixel


@dataclass(frozen=True)
class Look:
    """What was seen of a tile.

    Attributes:
        cells: ``(rows, columns)``, where a cell looks drawn.
        drawn: whether anything but the network is worth a try.
    """

    cells: Cells
    drawn: bool


def look(samples: Samples) -> Look:
    """Look at a tile ``(H, W, 1 or 3)``."""
    height, width = samples.shape[:2]
    down, across = cell_grid(height, width)
    rows = samples[::ROWS]
    same = np.ones((len(rows), width), bool)
    for channel in range(samples.shape[2]):
        same[:, 1:] &= rows[:, 1:, channel] == rows[:, :-1, channel]
    counts = _by_cell(~same, down, across)
    tall, wide = _lengths(len(rows), CELL // ROWS, down), _lengths(width, CELL, across)
    sizes = np.array(tall)[:, None] * wide
    flat = counts <= (1 - FLAT) * sizes
    few = _few_colours(samples)
    if not few and flat.sum() < SOME * flat.size:
        return Look(flat, False)
    edges = np.zeros((len(rows), width), bool)
    least = EDGE if samples.dtype == np.uint8 else EDGE * 257
    for channel in range(samples.shape[2]):
        one, other = rows[:, 1:, channel], rows[:, :-1, channel]
        edges[:, 1:] |= np.maximum(one, other) - np.minimum(one, other) >= least
    cells = flat & (_by_cell(edges, down, across) >= SHARP * counts)
    busy = cells & (counts > 0)
    return Look(cells, few or bool(cells.all()) or float(busy.mean()) >= SOME)


def _few_colours(samples: Samples) -> bool:
    some = samples[::8, ::8].reshape(-1, samples.shape[2]).astype(np.uint64)
    packed = some[:, 0]
    for channel in range(1, samples.shape[2]):
        packed = packed << np.uint64(16) | some[:, channel]
    return len(packed) > 2 * FEW_COLOURS and len(np.unique(packed)) <= FEW_COLOURS


def _by_cell(where: npt.NDArray[np.bool_], down: int, across: int) -> npt.NDArray[np.uint32]:
    """How many are true in each cell."""
    lines = np.add.reduceat(where, np.arange(across) * CELL, axis=1, dtype=np.uint32)
    found: npt.NDArray[np.uint32] = np.add.reduceat(lines, np.arange(down) * (CELL // ROWS), axis=0)
    return found


def _lengths(total: int, step: int, count: int) -> list[int]:
    return [min(step, total - step * index) for index in range(count)]
