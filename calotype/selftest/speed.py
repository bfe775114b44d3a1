# SPDX-License-Identifier: BSD-3-Clause
"""Speed of this machine, on a drawn picture."""

from __future__ import annotations

import time
from dataclasses import dataclass

SIDE = 1024  # one tile, one megapixel
ROUNDS = 2  # the better one counts, after a first use that loads the weights


@dataclass(frozen=True)
class Pace:
    """Megapixels a second of the default codec."""

    threads: int
    encode: float
    decode: float


def measure(threads: int) -> Pace:
    """Encode and decode on the clock."""
    import numpy as np

    from ..api.decode import decode
    from ..api.encode import encode

    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    waves = [np.sin(x / (9 + 5 * c) + np.sin(y / 31)) * np.cos(y / (13 + 3 * c)) for c in range(3)]
    picture = (128 + 60 * np.stack(waves, 2)).astype(np.uint8)
    data = encode(picture[:256, :256], threads=threads)
    decode(data, threads=threads, as_array=True)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        data = encode(picture, threads=threads)
        middle = time.perf_counter()
        decode(data, threads=threads, as_array=True)
        times.append((middle - start, time.perf_counter() - middle))
    megapixels = SIDE * SIDE / 1e6
    return Pace(threads, megapixels / min(t[0] for t in times), megapixels / min(t[1] for t in times))
