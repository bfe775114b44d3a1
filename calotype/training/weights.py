# SPDX-License-Identifier: BSD-3-Clause
"""Float weights in safetensors files: what outlasts a training run, and what another one can start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ..atomic import write_atomically
from ..errors import CalotypeError


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; CalotypeError if it is not one of weights."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CalotypeError(f"there is no file of weights at {path}") from None
    except (OSError, SafetensorError) as error:
        raise CalotypeError(f"{path} cannot be read as a safetensors file: {error}") from error


def write_weights(path: Path, weights: dict[str, Tensor], configuration: dict[str, Any]) -> None:
    """Write them as float16, with the configuration of their network."""
    small = {name: value.half().contiguous() for name, value in weights.items()}
    write_atomically(path, save(small, metadata={"configuration": json.dumps(configuration)}))


def read_state(path: Path) -> dict[str, Any]:
    """A state of a training run; CalotypeError if there is none, or the file is another one or damaged."""
    if not path.is_file():
        raise CalotypeError(f"there is no state of a training run at {path}")
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except MemoryError:
        raise
    except Exception as error:  # whatever is wrong with a file, PyTorch has another exception for it
        raise CalotypeError(f"{path} is damaged, or no state of a training run") from error
    if not isinstance(state, dict) or "average" not in state:
        raise CalotypeError(f"{path} is no state of a training run")
    return state


def copy_weights(weights: dict[str, Tensor], network: nn.Module) -> None:
    """Give ``network`` these weights, all of it; CalotypeError if they are those of another one."""
    parameters = dict(network.named_parameters())
    if {name: p.shape for name, p in parameters.items()} != {name: value.shape for name, value in weights.items()}:
        raise CalotypeError("the weights are those of another network, or of another configuration of this one")
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def start_from(network: nn.Module, path: Path) -> None:
    """Take over the weights in a file; CalotypeError if they are not those of such a network."""
    try:
        copy_weights(read_weights(path), network)
    except CalotypeError as error:
        raise CalotypeError(f"cannot start from {path}: {error}") from error
