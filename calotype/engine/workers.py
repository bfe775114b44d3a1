# SPDX-License-Identifier: BSD-3-Clause
"""Threads that share the work on one picture, each with single-threaded graphs.

They live as long as one call: nothing is left that spins, or that a child process would miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class Workers:
    """So many threads; with one, everything happens in the caller's. What was submitted first is begun first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, "calotype") if count > 1 else None

    def submit(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Begin ``work``; its result or exception waits in the future."""
        if self.pool is not None:
            return self.pool.submit(work, *arguments, **named)
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
        futures = [self.pool.submit(work, item) for item in items]
        return [future.result() for future in futures]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what has begun; what has not is dropped."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
