# SPDX-License-Identifier: BSD-3-Clause
"""ONNX Runtime sessions: made when first used, kept for the process.

A process that forks leaves its sessions' threads and locks behind: in the child each graph makes a session of its own
when it is called again, and the parent's is never touched, not even to be freed.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from ..arguments import whole
from ..arrays import Array
from ..errors import BundleError, PictureError
from .library import onnxruntime

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


_graphs: WeakSet[Graph] = WeakSet()


def _after_fork() -> None:
    for known in list(_graphs):
        known.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Graph:
    """One graph of a bundle on the CPU: arrays in, arrays out."""

    def __init__(self, path: Path, threads: int, optimise: bool = True) -> None:
        self.path, self.threads, self.optimise = path, threads, optimise
        self.session: Any = self._open()
        self.inputs = [i.name for i in self.session.get_inputs()]
        _graphs.add(self)

    def _open(self) -> Any:
        ort = onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # an arena keeps the largest tile's memory for good
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not self.optimise:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return ort.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise BundleError(f"ONNX Runtime cannot load {self.path.name}: {error}") from error

    def forget(self) -> None:
        """Give up the session of a parent process; its destructor would wait for threads that are not there."""
        if self.session is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.session))
            self.session = None

    def __call__(self, *arrays: Array) -> list[Array]:
        """The graph's outputs for inputs in the graph's order, cast to float32 where they are not."""
        feeds = {n: np.ascontiguousarray(a, np.float32) for n, a in zip(self.inputs, arrays, strict=True)}
        if self.session is None:
            self.session = self._open()
        outputs: list[Array] = self.session.run(None, feeds)
        return outputs


@lru_cache(maxsize=64)
def graph(path: Path, threads: int, optimise: bool = True) -> Graph:
    """The graph in ``path``, shared by everyone who asks with the same settings."""
    return Graph(path, threads, optimise)
