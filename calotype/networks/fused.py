# SPDX-License-Identifier: BSD-3-Clause
"""Functions that PyTorch's compiler has fused, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import torch


class Fused:
    """A function of tensors, compiled anew for each shape of its arguments, which takes some seconds.

    Attributes:
        seconds: that all functions together were compiled for: time in which nothing was trained.
    """

    seconds: ClassVar[float] = 0.0

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.compiled = torch.compile(function, dynamic=False, **options)
        self.known: set[tuple[Any, ...]] = set()

    def __call__(self, /, *arguments: Any) -> Any:
        """What the function returns, or whatever a compiler that does not work raises."""
        shapes = tuple(getattr(a, "shape", a) for a in arguments)
        if shapes in self.known:
            return self.compiled(*arguments)
        begin = time.perf_counter()
        result = self.compiled(*arguments)
        Fused.seconds += time.perf_counter() - begin
        self.known.add(shapes)
        return result
