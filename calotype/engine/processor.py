# SPDX-License-Identifier: BSD-3-Clause
"""The processor, as far as the system and NumPy tell."""

from __future__ import annotations

import os
import platform
import re
from importlib import import_module
from pathlib import Path


def cores() -> int:
    """Cores that this process may use, where the system tells (Linux does), else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def model() -> str:
    """Its name; an empty string if nobody knows."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    except OSError:  # not Linux
        found = None
    return found[1] if found else platform.processor()


def extensions() -> dict[str, bool] | None:
    """The extensions of its instruction set that NumPy looks for, and whether they are there; None if unknown."""
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):  # NumPy 2, NumPy 1
        try:
            found: dict[str, bool] = import_module(name).__cpu_features__
        except (ImportError, AttributeError):
            continue
        return found
    return None
