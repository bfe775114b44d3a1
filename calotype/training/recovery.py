# SPDX-License-Identifier: BSD-3-Clause
"""Weights of a network from the float graphs that were exported of it, exactly as they are stored.

Where a parameter ends up in a graph is found out by exporting a copy of the network whose parameters are marked with
random numbers: wherever a constant holds a parameter's numbers (in their order, perhaps among others, perhaps through
an exponential), the constant of the same name in the bundle holds its trained ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from ..errors import CalotypeError
from .graphs import GraphBuilder

Values = npt.NDArray[np.float32]
SEED = 9  # of the marks
CERTAIN = 4  # numbers that are not met by chance; fewer have to fill a constant


def recover(network: Any, graphs: Callable[[Any], Iterable[GraphBuilder]], folder: Path) -> None:
    """Give ``network`` the weights in a folder of graphs.

    Args:
        network: of the configuration that was exported.
        graphs: network -> its graphs, as for the export.
        folder: with a file ``<name>.onnx`` for each of them.

    Raises:
        CalotypeError: the graphs are those of another network, or do not hold all of its weights.
    """
    marked = deepcopy(network).eval()
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for p in marked.parameters():
            p.copy_((torch.randn(p.shape, generator=generator) * 0.5).half())  # exact, however it is stored
    places = []
    for graph in graphs(marked):
        path = folder / f"{graph.name}.onnx"
        if not path.is_file():
            raise CalotypeError(f"{folder} holds another network: it has no {path.name}")
        stored = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
        for constant in graph.constants:
            ours, theirs = numpy_helper.to_array(constant), stored.get(constant.name)
            if theirs is None or theirs.shape != ours.shape:
                raise CalotypeError(f"{folder} holds another network, or another configuration of this one")
            if ours.dtype in (np.float16, np.float32):
                places.append((ours.astype(np.float32).ravel(), theirs.astype(np.float32).ravel()))
    found = {name: _trained(p, places) for name, p in marked.named_parameters()}
    if missing := [name for name, values in found.items() if values is None]:
        raise CalotypeError(f"{folder} does not hold {', '.join(missing[:3])}: start from the file of float weights")
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.copy_(torch.from_numpy(found[name]).reshape(p.shape))


def _trained(marked: nn.Parameter, places: list[tuple[Values, Values]]) -> Values | None:
    """The trained numbers of a parameter, or None."""
    plain = marked.detach().flatten()
    exponential = plain.exp().half().float().numpy()
    for values, back in ((plain.numpy(), lambda x: x), (exponential, np.log)):
        for ours, theirs in places:
            start = _position(ours, values)
            if start is not None:
                result: Values = back(theirs[start : start + len(values)])
                return result
    return None


def _position(numbers: Values, wanted: Values) -> int | None:
    """Where ``wanted`` begins in ``numbers``, or None."""
    n = len(wanted)
    if n > len(numbers) or (n < CERTAIN and n != len(numbers)):
        return None
    for start in np.flatnonzero(numbers[: len(numbers) - n + 1] == wanted[0]):
        if np.array_equal(numbers[start : start + CERTAIN], wanted[:CERTAIN]) and np.array_equal(
            numbers[start : start + n], wanted
        ):
            return int(start)
    return None
