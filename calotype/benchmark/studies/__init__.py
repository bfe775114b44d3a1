# SPDX-License-Identifier: BSD-3-Clause
"""Scripts behind the tables of the documentation; each runs as ``python -m calotype.benchmark.studies.NAME``."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]  # of a checkout, which keeps results beside the package
RESULTS = ROOT / "benchmarks" / "results"
