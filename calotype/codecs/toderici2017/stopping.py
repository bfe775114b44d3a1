# SPDX-License-Identifier: BSD-3-Clause
"""When each cell of ``toderici2017`` stops: its error after every iteration, weighed against the bits.

One number for a picture, the price of a bit, says where all its cells stop: each where its error plus the price of its
bits is least. So a flat sky stops early and a face goes on. Pure functions of arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...arrays import Floats


def choose(errors: Floats, bits: npt.NDArray[np.floating], price: float) -> npt.NDArray[np.intp]:
    """After how many iterations each cell stops, 1 to T ``(h, w)``; never later at a higher price.

    Args:
        errors: ``(T + 1, h, w)`` before the first and after each iteration; infinite where an iteration was not tried.
        bits: what each iteration takes, ``(T,)`` or ``(T, h, w)``.
        price: of a bit, in units of error.
    """
    taken = np.cumsum(bits, 0, np.float64).reshape(len(bits), *([1, 1] if bits.ndim == 1 else bits.shape[1:]))
    until: npt.NDArray[np.intp] = np.argmin(errors[1:] + price * taken, 0) + 1
    return until


def settled(errors: Floats, bits: float, price: float, patience: int = 2) -> bool:
    """Whether no cell gained enough to pay for its bits in any of the last ``patience`` iterations of ``errors``."""
    if len(errors) <= patience + 1:
        return False
    gains = errors[-patience - 1 : -1] - errors[-patience:]
    return bool((gains < price * bits).all())
