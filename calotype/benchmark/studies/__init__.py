# SPDX-License-Identifier: BSD-3-Clause
"""Scripts behind the tables of the documentation; each runs as ``python -m calotype.benchmark.studies.NAME``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

from ...errors import CalotypeError

ROOT = Path(__file__).resolve().parents[3]  # of a checkout, which keeps results beside the package
RESULTS = ROOT / "benchmarks" / "results"


def study(work: Callable[[Sequence[str] | None], int | None]) -> Callable[..., int]:
    """A script's ``main``: arguments (by default of the command line) -> exit code, 1 with a sentence on error."""

    @wraps(work)
    def main(arguments: Sequence[str] | None = None) -> int:
        try:
            return work(arguments) or 0
        except CalotypeError as error:
            print(f"{work.__module__.rpartition('.')[2]}: {error}", file=sys.stderr)
            return 1

    return main
