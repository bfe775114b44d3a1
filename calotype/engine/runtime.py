# SPDX-License-Identifier: BSD-3-Clause
"""ONNX Runtime sessions: made when first used, kept for the process."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..arguments import whole
from ..arrays import Array
from ..errors import BundleError, PictureError

MOST_THREADS = 64  # each graph has a pool of its own


def choose_threads(wanted: int | None) -> int:
    """The threads to use: as wanted, else one for each core of this process, up to eight. PictureError for nonsense."""
    if wanted is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cores, 8)
    threads = whole(wanted)
    if threads is None or not 1 <= threads <= MOST_THREADS:
        raise PictureError(f"threads should be a whole number from 1 to {MOST_THREADS}, not {wanted!r}")
    return threads


class Graph:
    """One graph of a bundle on the CPU: arrays in, arrays out."""

    def __init__(self, path: Path, threads: int, optimise: bool = True) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # an arena keeps the largest tile's memory for good
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not optimise:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise BundleError(f"ONNX Runtime cannot load {path.name}: {error}") from error
        self.inputs = [i.name for i in self.session.get_inputs()]

    def __call__(self, *arrays: Array) -> list[Array]:
        """The graph's outputs for inputs in the graph's order, cast to float32 where they are not."""
        feeds = {n: np.ascontiguousarray(a, np.float32) for n, a in zip(self.inputs, arrays, strict=True)}
        outputs: list[Array] = self.session.run(None, feeds)
        return outputs


@lru_cache(maxsize=64)
def graph(path: Path, threads: int, optimise: bool = True) -> Graph:
    """The graph in ``path``, shared by everyone who asks with the same settings."""
    return Graph(path, threads, optimise)
