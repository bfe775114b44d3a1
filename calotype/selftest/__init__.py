# SPDX-License-Identifier: BSD-3-Clause
"""Self test: files that ship with the package decode here to the symbols and pixels that they decoded to elsewhere.

There is one golden file for each bundle that ships, with the SHA-256 of its symbols and some of its pixels in
``expected.json``; ``tools/golden.py`` makes them. Symbols must be identical: they are integers everywhere. Pixels come
from floating-point networks and may differ in the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CalotypeError
from .symbols import symbols_hash

FOLDER = Path(__file__).parent / "golden"
EXPECTED = FOLDER / "expected.json"
STEP = 16  # pixels between those that are compared
TOLERANCE = 2  # of 255: networks and JPEG decoders in floating point


@dataclass(frozen=True)
class Verdict:
    """Result for one golden file."""

    name: str  # of the file and of its bundle
    weights: str  # first digits of the hash
    exact: bool | None  # whether the symbols are those expected; None where the codec has none of its own
    difference: int | None  # the largest of a pixel, in steps of 255; None if it did not decode
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether this machine decodes the file as it should."""
        return not self.problem and self.exact is not False and (self.difference or 0) <= TOLERANCE


def pixels(data: bytes) -> list[list[list[int]]]:
    """Some pixels of a decoded file, ``STEP`` apart."""
    from ..api.decode import decode

    samples = decode(data, threads=1, as_array=True)
    found: list[list[list[int]]] = samples[::STEP, ::STEP].tolist()
    return found


def expected() -> dict[str, dict[str, Any]]:
    """Expected result of each golden file: ``symbols``, a hash or null, and ``pixels``."""
    known: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return known


def check() -> Iterator[Verdict]:
    """Decode the golden files one by one."""
    import numpy as np

    from ..api.probe import probe

    for name, wanted in expected().items():
        data = (FOLDER / f"{name}.calo").read_bytes()
        weights = ""
        try:
            weights = probe(data).bundle
            symbols = symbols_hash(data)
            difference = int(np.abs(np.subtract(pixels(data), wanted["pixels"])).max())
        except CalotypeError as error:
            yield Verdict(name, weights, None, None, str(error))
            continue
        exact = None if wanted["symbols"] is None else symbols == wanted["symbols"]
        yield Verdict(name, weights, exact, difference)
