# SPDX-License-Identifier: BSD-3-Clause
"""Sizes of networks: settings that no network can have are refused in a sentence, before PyTorch meets them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from ..errors import CalotypeError


def check_sizes(config: Any, *, zero: Collection[str] = (), among: Mapping[str, Collection[int]] | None = None) -> None:
    """CalotypeError unless the whole numbers of a configuration, those in tuples included, are 1 or more.

    Args:
        config: a dataclass.
        zero: names of settings that may be 0.
        among: the only values of some settings.
    """
    for name in (field.name for field in fields(config)):
        value = getattr(config, name)
        numbers = value if isinstance(value, tuple) else (value,)
        sizes = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
        if not numbers or (sizes and min(sizes) < (name not in zero)):
            raise CalotypeError(f"{type(config).__name__}.{name} cannot be {value!r}")
        if among and name in among and value not in among[name]:
            choices = ", ".join(map(str, among[name]))
            raise CalotypeError(f"{type(config).__name__}.{name} should be one of {choices}, not {value!r}")
