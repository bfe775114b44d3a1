# SPDX-License-Identifier: BSD-3-Clause
"""The whole decoder: bytes of a file in, samples out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import rippel2017, standard, talbot, toderici2017
from .container import DamageError, need, read
from .rans import Array


def decode(data: bytes, folders: list[Path]) -> Array:
    """Samples ``(H, W)`` or ``(H, W, 2 to 4)`` of 8 or 16 bits.

    Args:
        data: of the file.
        folders: whose folders are bundles of weights.
    """
    file = read(data)
    match file.codec:
        case "talbot" | "talbot-stills":
            need(file.side == 1024 and not file.layers, "header")
            out = talbot.decode(file, folders, file.tiles, file.bundle, file.height, file.width)
        case "ledig2017":
            out = talbot.decode_ledig2017(file, folders)
        case "lossless":
            out = standard.decode_lossless(file)
        case "tao2017":
            out = standard.decode_tao2017(file, folders)
        case "toderici2017":
            out = toderici2017.decode(file, folders)
        case "rippel2017":
            out = rippel2017.decode(file, folders)
        case _:
            raise DamageError(f"codec {file.codec}")
    return np.dstack([out, standard.pixels(file.boxes["A"])]) if file.alpha else out
