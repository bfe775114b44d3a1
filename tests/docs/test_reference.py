# SPDX-License-Identifier: BSD-3-Clause
"""The reference of Python has all public names, and those that errors and arguments name."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import calotype

PAGE = Path(__file__).parents[2] / "docs/reference.md"


def test_every_public_name_is_there() -> None:
    sections = PAGE.read_text(encoding="utf-8").split("\n::: ")[1:]
    shown = set()
    for section in sections:
        module = import_module(section.split("\n", 1)[0])
        options = section.split("members:")[1].split("\n\n")[0]
        for name in re.findall(r"\b[A-Za-z]\w+", options.replace("false", "")):
            assert getattr(module, name).__doc__, name
            shown.add(name)
    assert shown >= {*calotype.__all__, "Raster", "load"} - {"__version__"}
