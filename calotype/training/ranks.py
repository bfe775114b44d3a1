# SPDX-License-Identifier: BSD-3-Clause
"""The processes that train one network together, and the device that this one computes on.

Started by ``torchrun``, each process (a *rank*) computes the gradients of batches of its own. Their mean is taken over
all ranks in one exchange a step, so that the weights stay alike everywhere. Rank 0 keeps the time, logs, validates and
writes the states; what it decides, all decide.

    torchrun --nproc-per-node 2 -m calotype train talbot --data photos/
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import CalotypeError

PATIENCE = timedelta(hours=12)  # the others wait while rank 0 decodes the photographs or validates


class LostError(CalotypeError):
    """Another process of the training has ended."""


@contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostError(
            "another process of this training has ended, so this one ends too; the same command goes on from the state "
            "that was last saved"
        ) from error


@dataclass(frozen=True)
class Ranks:
    """The place of this process among those that train together; by default it is alone, on the CPU."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process logs, validates and writes."""
        return self.rank == 0

    def wait(self) -> None:
        """For all others to come here too. Raises LostError if one of them has ended, as everything below."""
        if self.count > 1:
            self.gather(None)

    def agree(self, seconds: float, asked: int) -> tuple[float, int]:
        """The seconds of rank 0, and the number of a signal that asked any rank to stop (0 for none)."""
        if self.count == 1:
            return seconds, asked
        values = torch.tensor([seconds if self.first else 0.0, float(asked)], dtype=torch.float64)
        with _connected():
            dist.all_reduce(values, dist.ReduceOp.MAX)
        return values[0].item(), int(values[1].item())

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every rank the mean of all gradients.

        A network need not use all of itself in each step: a gradient that some ranks lack counts as zero there, and
        one that all lack stays missing, so that the optimiser passes its parameter over.
        """
        if self.count == 1:
            return
        parameters = list(parameters)
        pieces = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        present = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        flat = torch.cat([piece.reshape(-1) for piece in pieces] + [present])
        with _connected():
            dist.all_reduce(flat)
        *means, present = torch.split(flat, [p.numel() for p in parameters] + [len(parameters)])
        for p, piece, mean, users in zip(parameters, pieces, means, present.tolist(), strict=True):
            if users:
                piece.copy_(mean.view_as(p)).div_(self.count)  # keeps the memory format that the optimiser expects
                p.grad = piece

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite ``tensors`` with those of rank 0."""
        if self.count == 1:
            return
        with torch.no_grad(), _connected():
            for tensor in tensors:
                value = tensor.detach().contiguous()
                dist.broadcast(value, 0)
                tensor.copy_(value)

    def gather(self, thing: Any) -> list[Any]:
        """The values of all ranks, in order."""
        if self.count == 1:
            return [thing]
        things: list[Any] = [None] * self.count
        with _connected():
            dist.all_gather_object(things, thing)
        return things

    def seeds(self, *numbers: int) -> tuple[np.random.Generator, int]:
        """Random streams of this rank: NumPy's, and a seed for PyTorch's. Those of rank 0 are the ones it has alone."""
        if self.first and len(numbers) == 1:
            return np.random.default_rng(numbers[0]), numbers[0]
        sequence = np.random.SeedSequence([*numbers, self.rank])
        return np.random.default_rng(sequence), int(sequence.generate_state(1, np.uint64)[0] >> 1)


def choose_device(wanted: str, local_rank: int = 0) -> torch.device:
    """``auto`` takes a GPU if there is one; CalotypeError if ``cuda`` is asked for in vain."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise CalotypeError("PyTorch finds no CUDA device here; use --device cpu, or install PyTorch for CUDA")
    if local_rank >= torch.cuda.device_count():
        raise CalotypeError(
            f"{local_rank + 1} processes or more on {torch.cuda.device_count()} GPUs: start one for each GPU"
        )
    return torch.device("cuda", local_rank)


@contextmanager
def together(wanted: str = "auto") -> Iterator[Ranks]:
    """The ranks of this training, connected while the block runs: those that ``torchrun`` started, or one alone.

    Args:
        wanted: device: auto, cpu or cuda. Many GPUs speak through NCCL, processors through Gloo.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    device = choose_device(wanted, int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if count == 1 or "RANK" not in os.environ:
        yield Ranks(device=device)
        return
    # Imported later, as the optimisers do, its functions take the group for a default value and keep it. The threads of
    # a group that is never freed may abort the process at its end.
    importlib.import_module("torch.distributed.nn")
    with _connected():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def moved(thing: Any, device: torch.device) -> Any:
    """The tensors within tuples, lists and dicts, on ``device``; everything else as it is."""
    match thing:
        case Tensor():
            return thing.to(device)
        case dict():
            return {key: moved(value, device) for key, value in thing.items()}
        case list():
            return [moved(value, device) for value in thing]
        case tuple():
            return tuple(moved(value, device) for value in thing)
        case _:
            return thing
