# SPDX-License-Identifier: BSD-3-Clause
"""Whether this machine computes faster in bfloat16: some processors have instructions for it, others pretend.

Timed rather than looked up: on processors without them, PyTorch takes up to ten times as long as in float32, which no
table of processors would tell for the versions to come.
"""

from __future__ import annotations

import time

import torch
from torch import nn

WORTH = 1.1  # times as fast: below, float32 is as good
ROUNDS = 3  # the fastest of them counts: other work on the machine can only slow one down


def gain(device: torch.device) -> float:
    """How many times as fast as float32 the layers of the networks are in bfloat16; takes about a second on a CPU.

    On a GPU nothing is timed: infinite where it has bfloat16, 0 where not.
    """
    if device.type != "cpu":
        return float("inf") if torch.cuda.is_bf16_supported(including_emulation=False) else 0.0
    network = nn.Sequential(
        nn.Conv2d(32, 32, 3, padding=1), nn.LeakyReLU(0.125), nn.Conv2d(32, 128, 1), nn.LeakyReLU(0.125),
        nn.Conv2d(128, 32, 1),
    )  # fmt: skip
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's own stubs
    x = torch.linspace(-1, 1, 2 * 32 * 64 * 64).view(2, 32, 64, 64).contiguous(memory_format=torch.channels_last)
    seconds = {False: float("inf"), True: float("inf")}
    for _ in range(ROUNDS + 1):  # the first one prepares kernels, and is slower for it
        for half in seconds:
            seconds[half] = min(seconds[half], _step(network, x, half))
    return seconds[False] / seconds[True]


def _step(network: nn.Module, x: torch.Tensor, half: bool) -> float:
    """Processor seconds of a forward and a backward pass."""
    begin = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = network(x).float().square().mean()
    loss.backward()
    return time.process_time() - begin
