# SPDX-License-Identifier: BSD-3-Clause
"""Bundles of weights, and samples before and after a network."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from .container import File, need
from .rans import Array


class Weights:
    """A bundle whose hash begins like this, in one of the folders."""

    def __init__(self, folders: list[Path], start: bytes) -> None:
        for path in (path for folder in folders for path in folder.glob("*/model.json")):
            self.folder, self.model = path.parent, json.loads(path.read_text(encoding="utf-8"))
            if self.model["hash"].startswith(start.hex()):
                break
        hashes = {name: hashlib.sha256((self.folder / name).read_bytes()) for name in sorted(self.model["files"])}
        lines = "".join(f"{name} {value.hexdigest()}\n" for name, value in hashes.items())
        need(hashlib.sha256(lines.encode()).digest().startswith(start), "hash of the weights")
        self.configuration: dict[str, Any] = self.model["configuration"]
        self.graphs: dict[str, Any] = {}

    @cached_property
    def arrays(self) -> dict[str, Array]:
        with np.load(next(self.folder.glob("*.npz"))) as stored:
            return dict(stored)

    def graph(self, name: str | bytes) -> Any:
        if name not in self.graphs:
            source = name if isinstance(name, bytes) else self.folder / f"{name}.onnx"
            self.graphs[name] = onnxruntime.InferenceSession(source, one_thread())
        return self.graphs[name]

    def run(self, name: str | bytes, *inputs: Array) -> list[Array]:
        """Outputs of a graph, both without the first axis; inputs that it does not take are left out."""
        graph = self.graph(name)
        names = (i.name for i in graph.get_inputs())
        arrays = (np.asarray(x, np.float32) for x in inputs)
        feed = {n: x if x.ndim == 1 else x[None] for n, x in zip(names, arrays, strict=False)}
        return [out[0] for out in graph.run(None, feed)]


def one_thread() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return options


def planes(samples: Array, multiple: int = 1) -> Array:
    """Three planes in 0..1, continued to a multiple of rows and columns."""
    x = np.moveaxis(np.atleast_3d(samples), 2, 0).astype(np.float32) / np.iinfo(samples.dtype).max
    rows, columns = x.shape[1:]
    x = np.pad(x, ((0, 0), (0, -rows % multiple), (0, -columns % multiple)), "edge")
    return np.broadcast_to(x, (3, *x.shape[1:]))


def samples(x: Array, file: File, height: int, width: int) -> Array:
    """Samples of the upper left part of three planes."""
    x = x[:, :height, :width].clip(0, 1)
    kind = np.dtype(np.uint16 if file.deep else np.uint8)
    x = np.rint((x if file.colour else x.mean(0, keepdims=True)) * np.float32(np.iinfo(kind).max)).astype(kind)
    return np.moveaxis(x, 0, 2) if file.colour else x[0]
