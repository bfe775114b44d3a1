# SPDX-License-Identifier: BSD-3-Clause
"""ONNX Runtime sessions: made when first used, kept for the process.

A process that forks leaves its sessions' threads and locks behind: in the child each graph makes a session of its own
when it is called again, and the parent's is never touched, not even to be freed.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from weakref import WeakSet

import numpy as np

from ..arguments import whole
from ..arrays import Array
from ..errors import BundleError, PictureError
from .library import onnxruntime
from .once import file_state, once
from .processor import cores

MOST_THREADS = 64  # each graph has a pool of its own


def choose_threads(wanted: int | None) -> int:
    """The threads to use: as wanted, else one for each core of this process, up to eight. PictureError for nonsense."""
    if wanted is None:
        return min(cores(), 8)
    threads = whole(wanted)
    if threads is None or not 1 <= threads <= MOST_THREADS:
        raise PictureError(f"threads should be a whole number from 1 to {MOST_THREADS}, not {wanted!r}")
    return threads


class Forgettable(Protocol):
    """What a child process must not touch."""

    def forget(self) -> None:
        """Give up what belongs to the parent process; it is made again when it is needed."""
        ...


_sessions: WeakSet[Forgettable] = WeakSet()


def remember(session: Forgettable) -> None:
    """Have a session forgotten in child processes."""
    _sessions.add(session)


def _after_fork() -> None:
    for known in list(_sessions):
        known.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Session:
    """An ONNX Runtime session on the CPU, opened again in a child process.

    Args:
        model: path of the graph, or its bytes.
        name: for messages.
        threads: of the computation.
        optimise: let ONNX Runtime rewrite the graph.
        arena: keep memory for the next call: for graphs that see windows of one size.
    """

    def __init__(self, model: Path | bytes, name: str, threads: int, optimise: bool, arena: bool) -> None:
        self._model, self._name, self._threads = model, name, threads
        self._optimise, self._arena = optimise, arena
        self._lock = Lock()
        self._session: Any = self._open()
        remember(self)

    @property
    def session(self) -> Any:
        """The ``InferenceSession`` of this process."""
        if self._session is None:
            with self._lock:  # threads of a child process want it at the same time, and have to find the same one
                if self._session is None:
                    self._session = self._open()
        return self._session

    def _open(self) -> Any:
        ort = onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = self._arena
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not self._optimise:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return ort.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise BundleError(
                f"ONNX Runtime cannot load {self._name} (install the weights again, or upgrade onnxruntime): {error}"
            ) from error

    def forget(self) -> None:
        """Give up the session of a parent process; its destructor would wait for threads that are not there."""
        if self._session is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
            self._session = None
        self._lock = Lock()  # a thread that this process does not have may have held it


class Graph(Session):
    """One graph of a bundle: arrays in, arrays out.

    ``arena``, see :class:`Session`, is off by default, for it would keep the largest window's memory for good.
    """

    def __init__(self, path: Path, threads: int, optimise: bool = True, arena: bool = False) -> None:
        super().__init__(path, path.name, threads, optimise, arena)
        self.inputs = [i.name for i in self.session.get_inputs()]

    def __call__(self, *arrays: Array) -> list[Array]:
        """The graph's outputs for inputs in the graph's order, cast to float32 where they are not."""
        feeds = {n: np.ascontiguousarray(a, np.float32) for n, a in zip(self.inputs, arrays, strict=True)}
        outputs: list[Array] = self.session.run(None, feeds)
        return outputs


@once(maxsize=64, state=file_state)
def graph(path: Path, threads: int, optimise: bool = True, arena: bool = False) -> Graph:
    """The graph in ``path``, shared by everyone who asks with the same settings."""
    return Graph(path, threads, optimise, arena)
