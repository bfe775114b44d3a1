# SPDX-License-Identifier: BSD-3-Clause
"""ONNX Runtime, imported in this one place, with its telemetry off.

From 1.29 on, official builds for Linux and macOS write a device id and a queue of events below the user's cache folder
and send them to their maker. ``ORT_DISABLE_TELEMETRY``, read while the library is imported and kept for the life of the
process, prevents all of it; turning events off afterwards is too late for the device id.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .once import once

SWITCH = "ORT_DISABLE_TELEMETRY"


@once()
def onnxruntime() -> Any:
    """The module. The environment is afterwards as it was, so that child processes inherit nothing of ours."""
    early = "onnxruntime" in sys.modules  # somebody else's import: the device id may be there, events can still stop
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    try:
        import onnxruntime as library
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before
    if early:
        library.disable_telemetry_events()
    return library
