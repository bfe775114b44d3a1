# SPDX-License-Identifier: BSD-3-Clause
"""The log of a training run as curves in TensorBoard (an extra of its own)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import DependencyError


def need_tensorboard() -> None:
    """DependencyError if TensorBoard is not installed."""
    try:
        import_module("torch.utils.tensorboard")
    except ImportError as error:
        raise DependencyError("--tensorboard needs TensorBoard: pip install 'calotype[tensorboard]'") from error


class Board:
    """Writer of what :meth:`calotype.training.loop.Loop.log` logs, as scalars in ``folder``.

    Args:
        folder: for ``tensorboard --logdir``.
        step: from which the run goes on; curves of an earlier attempt are cut there.
    """

    def __init__(self, folder: Path, step: int) -> None:
        need_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder), purge_step=step or None)

    def __call__(self, step: int, values: Mapping[str, Any]) -> None:
        """Add a line of the log; what belongs to a quality (``psnr@4``) comes in a group of its own (``psnr/4``)."""
        for name, value in values.items():
            if isinstance(value, int | float) and name != "step":
                self.writer.add_scalar(name.replace("@", "/"), value, step)
        self.writer.flush()
