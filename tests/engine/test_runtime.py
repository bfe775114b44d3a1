# SPDX-License-Identifier: BSD-3-Clause
"""Sessions survive what processes do: they fork."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from calotype.engine.runtime import Graph, graph
from tests.make_golden import GOLDEN

WEIGHTS = GOLDEN / "weights" / "small"

FORK = """
import os, sys, time, numpy, calotype
threads = int(sys.argv[1])
picture = numpy.random.default_rng(0).integers(0, 256, (40, 60, 3), numpy.uint8)
def both():
    return calotype.decode(calotype.encode(picture, threads=threads), threads=threads, as_array=True)
before = both()
for again in (False, True):  # a child that leaves at once, and one that encodes
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        assert not again or (both() == before).all()
        sys.exit(0)
    while (left := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < start + 20, "the child hangs"
        time.sleep(0.005)
    assert left[1] == 0, left
assert (both() == before).all()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(sys.platform == "darwin", reason="libraries of macOS itself do not survive a fork")
@pytest.mark.parametrize("threads", [1, 2, 4, 8])
def test_a_child_process_leaves_and_encodes(threads: int) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "CALOTYPE_WEIGHTS": str(GOLDEN / "weights"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(threads)], env=environment, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_of_a_child_process_find_the_same_session() -> None:
    opened = Graph(WEIGHTS / "g_s.onnx", 1)
    for _ in range(5):
        opened.forget()  # as after a fork
        begin, found = Barrier(8), list[object]()

        def ask(begin: Barrier = begin, found: list[object] = found) -> None:
            begin.wait()
            found.append(opened.session)

        threads = [Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8 and len(set(map(id, found))) == 1


def test_weights_that_were_replaced_are_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    shutil.copy2(WEIGHTS / "h_a.onnx", path)
    before = graph(path, 1)
    assert graph(path, 1) is before
    shutil.copy2(WEIGHTS / "pass1.onnx", tmp_path / "new.onnx")
    (tmp_path / "new.onnx").replace(path)
    after = graph(path, 1)
    assert after is not before and after.inputs != before.inputs
    assert graph(path, 1) is after
