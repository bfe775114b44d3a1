# SPDX-License-Identifier: BSD-3-Clause
"""A codec in the benchmark: how to make a file, how to read it, and its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (H, W, 3), RGB


@dataclass(frozen=True)
class Contender:
    """One codec with all of its settings fixed but one, the one that trades bytes for quality.

    ``encode(picture, setting)`` returns the bytes of a complete file, ``decode(data)`` the picture; both on one thread.
    """

    name: str  # the id in tables, file names and on the command line
    description: str
    extension: str  # of its files, with the dot
    knob: str  # the setting that varies
    settings: tuple[float, ...]  # the values of a default run, from small files to large ones
    parameters: Mapping[str, object]  # the settings that do not vary
    encode: Callable[[Picture, float], bytes]
    decode: Callable[[bytes], Picture]
    versions: Callable[[], dict[str, str]]  # of the programs that do the work
    lowest: float = 1  # the range of the knob for a search, and its step
    highest: float = 100
    step: float = 1
    predict: Callable[[Picture, float], float] | None = None  # bytes by the codec's own probabilities, before coding

    def settings_table(self) -> dict[str, str]:
        """All settings in words, for tables and for the provenance of results."""
        varying = f"{self.settings[0]:g} to {self.settings[-1]:g}"
        return {self.knob: varying, **{name: str(value) for name, value in self.parameters.items()}}
