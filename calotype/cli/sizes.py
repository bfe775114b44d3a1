# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of bytes as people write and read them."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from .destination import wrong

UNITS = {
    "": 1, "b": 1,
    "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip


def parse_size(text: str) -> int:
    """``80kB``, ``1.5 MB``, ``64KiB`` or ``80000`` as a number of bytes, at least 1.

    Raises:
        ValueError: not a size; the message says what one looks like.
    """
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})\s*([a-zA-Z]*)\s*", text, re.ASCII)
    unit = UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is not a size; write it as 80kB (80,000 bytes), 64KiB (65,536), 1.5MB or 80000")
    size = int(float(match[1]) * unit)
    if size < 1:
        raise ValueError(f"{text!r} is less than one byte")
    return size


def size_option(option: str, text: str, inputs: Collection[str] = ()) -> int:
    """The size that ``option`` was given, in bytes.

    Raises:
        typer.BadParameter: not a size, or ``20 kB`` without quotes, whose unit is among the inputs then.
    """
    try:
        size = parse_size(text)
    except ValueError as error:
        raise wrong(option, str(error)) from None
    for name in inputs:
        if name and name.lower() in UNITS and text[-1].isdigit() and not Path(name).exists():
            raise wrong(option, f"write the size and its unit as one word: {text}{name}")
    return size


def format_size(size: int) -> str:
    """Three digits and a decimal unit: ``787 B``, ``41.2 kB``, ``1.23 MB``."""
    if size < 1000:
        return f"{size} B"
    value, units = size / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {units[0]}"
