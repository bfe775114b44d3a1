# SPDX-License-Identifier: BSD-3-Clause
"""What is loaded once does not block a child process."""

from __future__ import annotations

import os
import signal
from threading import Event, Thread

import pytest

from calotype.engine.once import cached_attribute

begun, go = Event(), Event()


class Slow:
    @cached_attribute
    def value(self) -> int:
        begun.set()
        go.wait(20)
        return 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_an_attribute_on_its_way_while_the_process_forks() -> None:
    first, second = Slow(), Slow()
    loading = Thread(target=lambda: first.value)
    loading.start()
    begun.wait(20)
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        go.set()
        os._exit(0 if second.value == 7 else 1)
    go.set()
    loading.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert first.value == 7
