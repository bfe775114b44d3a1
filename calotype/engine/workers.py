# SPDX-License-Identifier: BSD-3-Clause
"""Threads that share work, each with single-threaded graphs: on the parts of one picture, or on several pictures.

They live as long as one call: nothing is left that spins, or that a child process would miss.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock, get_ident
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class Workers:
    """So many threads; with one, everything happens in the caller's. What was submitted first is begun first.

    Work sees the context variables of the thread that submitted it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, "calotype") if count > 1 else None
        self.lock = Lock()
        self.busy: set[int] = set()  # identities of threads

    def submit(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Begin ``work``; its result or exception waits in the future."""
        if self.pool is not None:
            return self.pool.submit(copy_context().run, self._run, partial(work, *arguments, **named))
        done: Future[T] = Future()
        try:
            done.set_result(work(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done

    def map(self, work: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Results in the order of ``items``; the first exception, once one is met."""
        if self.pool is None:
            return [work(item) for item in items]
        futures = [self.submit(work, item) for item in items]
        return [future.result() for future in futures]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for what has begun; what has not is dropped. If the program is to end, what has begun is interrupted."""
        if self.pool is None:
            return
        self.pool.shutdown(wait=False, cancel_futures=True)
        if kind is not None and not issubclass(kind, Exception):
            self._interrupt()
        self.pool.shutdown()

    def _run(self, work: Callable[[], T]) -> T:
        me = get_ident()
        with self.lock:
            self.busy.add(me)
        try:
            return work()
        finally:
            with self.lock:
                self.busy.discard(me)

    def _interrupt(self) -> None:
        """Raise KeyboardInterrupt in the threads that work, as Ctrl-C does in the main thread: at their next step."""
        with self.lock:  # none of them ends, and nobody else is struck
            for thread in self.busy:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))
