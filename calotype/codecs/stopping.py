# SPDX-License-Identifier: BSD-3-Clause
"""When each cell of ``toderici2017`` stops: its error after every iteration, weighed against the bits.

One number for a picture, the price of a bit, says where all its cells stop: each where its error plus the price of its
bits is least. So a flat sky stops early and a face goes on. Pure functions of arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..planes import Array
from ..tiling import pad_to

CELL = 16  # pixels of a side
FLAT = 25.0  # variance of 8-bit samples from which on texture hides errors
MASKING = 0.5  # how much it hides: 0 not at all (squared errors), 1 in proportion to the variance


def cell_errors(x: Array, x_hat: Array) -> Array:
    """Squared errors ``(h, w)``, on the scale of 8-bit samples, summed over each cell of planes ``(3, H, W)``.

    Args:
        x: the picture, in 0..1.
        x_hat: what it looks like so far, ``(3, 16 h, 16 w)`` with 16 h >= H and 16 w >= W; clipped to 0..1 here.
    """
    height, width = x.shape[1:]
    difference = np.clip(x_hat[:, :height, :width], 0, 1)
    difference -= x
    difference *= difference
    squares = difference.sum(0)
    rows, columns = x_hat.shape[1] // CELL, x_hat.shape[2] // CELL
    whole = np.zeros((rows * CELL, columns * CELL), np.float32)
    whole[:height, :width] = squares
    errors: Array = whole.reshape(rows, CELL, columns, CELL).sum((1, 3)) * np.float32(255**2)
    return errors


def visibility(x: Array, masking: float = MASKING) -> Array:
    """How much an error in each cell ``(h, w)`` counts: 1 in flat ones, less the more texture there is around.

    Args:
        x: planes ``(3, H, W)`` in 0..1.
        masking: how much texture hides; 0 gives ones.
    """
    rows, columns = -(-x.shape[1] // CELL), -(-x.shape[2] // CELL)
    grey = pad_to(x.mean(0), rows * CELL, columns * CELL) * np.float32(255)
    eighths = grey.reshape(2 * rows, CELL // 2, 2 * columns, CELL // 2)  # quarters of cells: an edge is no texture
    variance = eighths.var((1, 3)).reshape(rows, 2, columns, 2).min((1, 3))
    weight: Array = ((FLAT / (FLAT + variance)) ** masking).astype(np.float32)
    return weight


def choose(errors: Array, bits: npt.NDArray[np.floating], price: float) -> npt.NDArray[np.intp]:
    """After how many iterations each cell stops, 1 to T ``(h, w)``; never later at a higher price.

    Args:
        errors: ``(T + 1, h, w)`` before the first and after each iteration; infinite where an iteration was not tried.
        bits: what each iteration takes, ``(T,)`` or ``(T, h, w)``.
        price: of a bit, in units of error.
    """
    taken = np.cumsum(bits, 0, np.float64).reshape(len(bits), *([1, 1] if bits.ndim == 1 else bits.shape[1:]))
    until: npt.NDArray[np.intp] = np.argmin(errors[1:] + price * taken, 0) + 1
    return until


def settled(errors: Array, bits: float, price: float, patience: int = 2) -> bool:
    """Whether no cell gained enough to pay for its bits in any of the last ``patience`` iterations of ``errors``."""
    if len(errors) <= patience + 1:
        return False
    gains = errors[-patience - 1 : -1] - errors[-patience:]
    return bool((gains < price * bits).all())
