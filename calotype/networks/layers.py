# SPDX-License-Identifier: BSD-3-Clause
"""The few layers that every network of the project is made of.

Only 1x1 and depthwise convolutions: nearly all arithmetic is a matrix product, which is what a CPU does best, and
both kinds have a single natural order of computation, so that integer networks made of them stay exact everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fused import Fused

SLOPE = 0.125  # of the leaky ReLU; a power of two, so that integer networks can apply it exactly


class Pointwise(nn.Conv2d):
    """1x1 convolution ``(B, C, H, W) -> (B, D, H, W)``, as one matrix product over channels-last samples."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)


class _DepthwiseGradient(torch.autograd.Function):
    """Depthwise convolution whose weight gradient is a sum for each tap: twice as fast on a CPU as the general one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=weight.shape[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (g,) = gradients
        x, weight = ctx.saved_tensors
        k = weight.shape[-1]
        g = g.contiguous(memory_format=torch.channels_last)
        g_x = F.conv2d(g, weight.flip(2, 3), padding=k // 2, groups=weight.shape[0])
        padded = F.pad(x, (k // 2,) * 4).permute(0, 2, 3, 1)
        return g_x, sum_taps(padded, g.permute(0, 2, 3, 1), k).t().reshape(weight.shape)


def _sum_taps(padded: Tensor, g: Tensor, k: int) -> Tensor:
    """Gradient ``(k * k, C)`` of a depthwise kernel, from its padded input and ``g (B, H, W, C)`` of its output."""
    h, w = g.shape[1:3]
    return torch.stack([(padded[:, i : i + h, j : j + w] * g).sum((0, 1, 2)) for i in range(k) for j in range(k)])


sum_taps: Callable[[Tensor, Tensor, int], Tensor] = _sum_taps
SHAPES = 64  # that one network may have gradients of


def compile_gradients() -> bool:
    """Let the compiler fuse the gradients of depthwise kernels: a training step of ``talbot`` takes a fifth less time.

    That takes some seconds for each new shape, on the CPU, and a C++ compiler.

    Returns:
        whether it worked; if not, everything is as it was.
    """
    global sum_taps
    try:
        compiled = Fused(_sum_taps)
        compiled(torch.zeros(1, 7, 7, 16), torch.zeros(1, 5, 5, 16), 3)
    except Exception:  # whatever a compiler that does not work may raise
        return False
    limits = torch._dynamo.config
    name = "recompile_limit" if hasattr(limits, "recompile_limit") else "cache_size_limit"  # before PyTorch 2.6
    setattr(limits, name, SHAPES)
    sum_taps = compiled
    return True


class Depthwise(nn.Conv2d):
    """Depthwise k x k convolution without bias, zero padding: ``(B, C, H, W) -> (B, C, H, W)``."""

    def __init__(self, channels: int, kernel: int = 5) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return cast(Tensor, _DepthwiseGradient.apply(x, self.weight))  # type: ignore[no-untyped-call]


class Block(nn.Module):
    """Residual block: ``x + project(leaky_relu(expand(depthwise(x))))``.

    ``x (B, C, H, W)`` -> depthwise k x k -> 1x1 to ``expansion * C`` -> leaky ReLU -> 1x1 to C -> ``+ x``.

    Args:
        channels: C.
        kernel: side k of the depthwise kernel (odd; zero padding keeps H and W).
        expansion: widening of the middle layer.
    """

    branch_in_bfloat16 = False  # compute the branch (never the sum) in bfloat16 while training

    def __init__(self, channels: int, kernel: int = 5, expansion: int = 2) -> None:
        super().__init__()
        self.depthwise = Depthwise(channels, kernel)
        self.expand = Pointwise(channels, expansion * channels)
        self.project = Pointwise(expansion * channels, channels)
        with torch.no_grad():  # near the identity: a new network starts as the linear transform around its blocks
            self.depthwise.weight.mul_(0.3)
            self.depthwise.weight[:, :, kernel // 2, kernel // 2] += 1.0
            self.project.weight.mul_(0.05)
            cast(Tensor, self.project.bias).zero_()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.depthwise(x)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.branch_in_bfloat16 and self.training):
            h = self.project(F.leaky_relu(self.expand(h), SLOPE))
        return cast(Tensor, x + h.float())


class Down(nn.Sequential):
    """Pixel-unshuffle by ``factor``, then 1x1: ``(B, C, H, W) -> (B, D, H / factor, W / factor)``."""

    def __init__(self, channels: int, out: int, factor: int) -> None:
        super().__init__(nn.PixelUnshuffle(factor), Pointwise(channels * factor * factor, out))


class Up(nn.Sequential):
    """1x1, then pixel-shuffle by ``factor``: ``(B, C, H, W) -> (B, D, H * factor, W * factor)``."""

    def __init__(self, channels: int, out: int, factor: int) -> None:
        super().__init__(Pointwise(channels, out * factor * factor), nn.PixelShuffle(factor))


def train_in_bfloat16(network: nn.Module) -> None:
    """Let branches that allow it train in bfloat16; the sums stay float32."""
    for module in network.modules():
        if hasattr(module, "branch_in_bfloat16"):
            module.branch_in_bfloat16 = True  # type: ignore[assignment]
