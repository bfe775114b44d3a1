# SPDX-License-Identifier: BSD-3-Clause
"""Ray gives its own parts half a minute to start, which a machine with many other programs at work does not keep."""

from __future__ import annotations

import os

import pytest

MOST = 4.0  # programs that want to run, for each core


def skip_if_busy() -> None:
    """Skip the test on a machine on which Ray would hardly start."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > MOST * cores:
        pytest.skip(f"Ray starts on a machine that is less busy: {load:.0f} programs want to run on {cores} cores")
