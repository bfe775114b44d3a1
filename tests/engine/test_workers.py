# SPDX-License-Identifier: BSD-3-Clause
"""Threads that share work, and end when the program is to end."""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextvars import ContextVar
from threading import Event

import pytest

from calotype.engine.once import once
from calotype.engine.workers import Workers

SEEN: ContextVar[str] = ContextVar("SEEN", default="nothing")


@pytest.mark.parametrize("count", [1, 3])
def test_work_sees_the_context_of_who_submits_it(count: int) -> None:
    before = SEEN.set("something")
    with Workers(count) as workers:
        assert workers.map(lambda number: (number, SEEN.get()), range(5)) == [(n, "something") for n in range(5)]
    SEEN.reset(before)


def test_an_interrupt_reaches_the_work_that_has_begun() -> None:
    begun, ended = Event(), Event()

    def endless() -> None:
        begun.set()
        try:
            for _ in range(2000):
                time.sleep(0.01)
        finally:
            ended.set()

    start = time.perf_counter()
    done: list[Future[None]] = []
    with pytest.raises(KeyboardInterrupt), Workers(2) as workers:
        done.append(workers.submit(endless))
        begun.wait()
        raise KeyboardInterrupt
    assert ended.is_set() and time.perf_counter() - start < 10
    assert isinstance(done[0].exception(), KeyboardInterrupt)


def test_an_error_lets_the_work_that_has_begun_end() -> None:
    begun, ended = Event(), Event()

    def short() -> None:
        begun.set()
        time.sleep(0.05)
        ended.set()

    with pytest.raises(ValueError, match="of the caller"), Workers(2) as workers:
        workers.submit(short)
        begun.wait()
        raise ValueError("of the caller")
    assert ended.is_set()


def test_what_several_threads_ask_for_is_made_once() -> None:
    made = []

    @once()
    def costly(name: str) -> str:
        """A sentence."""
        time.sleep(0.02)
        made.append(name)
        return name * 2

    with Workers(4) as workers:
        assert workers.map(costly, "aabbaa") == ["aa", "aa", "bb", "bb", "aa", "aa"]
    assert made == ["a", "b"] and costly.__doc__ == "A sentence."
    costly.cache_clear()
    costly("a")
    assert made == ["a", "b", "a"]
