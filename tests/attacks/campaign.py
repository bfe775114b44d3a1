# SPDX-License-Identifier: BSD-3-Clause
"""Damage files of every codec and judge what comes of them, in several processes, for as long as you like.

    python -m tests.attacks.campaign --minutes 60 --workers 2 --seed 1
    python -m tests.attacks.campaign --only rippel2017

A case is a number: ``--seed N --cases 1``, with the same ``--only``, does case N again, in the same version with the
same packages. What breaks a promise is made as small as it can be, saved in ``tests/attacks/corpus/``, and the campaign
goes on. Children work, and the parent watches: a crash or a hang costs one child, and its case is saved as well.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import tempfile
import time
from collections import Counter
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from tests.attacks import judge, mutation
from tests.attacks.originals import Original, install_weights, originals

CORPUS = Path(__file__).parent / "corpus"
HANG = 300.0  # seconds of a clock on the wall, on a machine that has other work
SPACE = 2**30  # bytes of addresses that a child may take on top of what it starts with
TRIES = 300  # to make a case smaller
FORGED, DECODED = 0.3, 0.1  # shares of the cases


class Work:
    """The cases, by number, of the files whose names begin with ``only``."""

    def __init__(self, only: str = "") -> None:
        everything = originals()
        self.others = [other.data for other in everything]
        self.originals = [original for original in everything if original.name.startswith(only)]
        self.counts: Counter[str] = Counter()

    def case(self, number: int) -> tuple[Original, bytes, bool, bool, random.Random]:
        """The original, what became of it, whether it is forged and decoded, and what chooses the rest."""
        rng = random.Random(number)
        original = rng.choice(self.originals)
        is_forged, decoding = rng.random() < FORGED, rng.random() < DECODED
        if not is_forged:
            return original, mutation.damaged(original.data, rng), False, decoding, rng
        data = mutation.forged(original.data, self.others, rng)
        if rng.random() < 0.3:
            data = mutation.mended(mutation.damaged(data, rng))
        return original, data, True, decoding, rng

    def do(self, number: int) -> str | None:
        """What is wrong in a case, which is then in the corpus; None if nothing is."""
        original, data, is_forged, decoding, rng = self.case(number)
        self.counts[f"{'forged' if is_forged else 'damaged'}, {'decoded' if decoding else 'read'}"] += 1
        state = rng.getstate()
        problem = self.problem(data, original, state, is_forged, decoding)
        if problem is None:
            return None
        small = self.smaller(data, original, state, is_forged, decoding, problem)
        keep(original, small, is_forged, number)
        return f"{original.name}: {problem} ({len(data)} bytes, as small as {len(small)})"

    def problem(self, data: bytes, original: Original, state: Any, is_forged: bool, decoding: bool) -> str | None:
        """What is wrong with a file; None if nothing is."""
        rng = random.Random()
        rng.setstate(state)
        try:
            judge.judge(data, original, rng, forged=is_forged, decoding=decoding, counts=self.counts)
        except judge.FaultError as error:
            return str(error)
        return None

    def smaller(
        self, data: bytes, original: Original, state: Any, is_forged: bool, decoding: bool, problem: str
    ) -> bytes:
        """The file without the pieces that the same problem does not need."""
        tries, piece = 0, len(data) // 2
        while piece and tries < TRIES:
            start = 0
            while start < len(data) and tries < TRIES:
                shorter = data[:start] + data[start + piece :]
                candidate = mutation.mended(shorter) if is_forged else shorter
                found = self.problem(candidate, original, state, is_forged, decoding) if candidate else None
                tries += 1
                if found is not None and _kind(found) == _kind(problem):
                    data = candidate
                else:
                    start += piece
            piece //= 2
        return data


def keep(original: Original, data: bytes, is_forged: bool, number: int) -> None:
    """Put a file into the corpus."""
    CORPUS.mkdir(exist_ok=True)
    kind = "forged" if is_forged else "damaged"
    (CORPUS / f"{original.name}-{kind}-{number}.calo").write_bytes(data)


def _kind(problem: str) -> str:
    """A problem without its numbers."""
    return re.sub(r"[\d.]+", "", problem)[:60]


def _child(
    first: int, stride: int, until: float, last: int, only: str, at: Synchronized[int], begun: Any, out: Any
) -> None:
    """Do every stride-th case from the first on."""
    work = Work(only)
    for original in work.originals:
        judge.judge(original.data, original, random.Random(0), forged=False)  # loads what is needed
    size = judge.memory("VmSize")
    if size:  # on Linux, which has this module
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size + SPACE, size + SPACE))
    number = first
    told = time.monotonic()
    while time.time() < until and number < last:
        at.value, begun.value = number, time.monotonic()
        problem = work.do(number)
        if problem is not None:
            out.put(("problem", f"case {number}: {problem}"))
        number += stride
        if time.monotonic() - told > 2:
            out.put(("counts", dict(work.counts)))
            work.counts.clear()
            told = time.monotonic()
    begun.value = 0.0
    out.put(("counts", dict(work.counts)))


class Worker:
    """A child, and the next one when it is gone."""

    def __init__(self, context: Any, out: Any, first: int, stride: int, until: float, last: int, only: str) -> None:
        self.context, self.out, self.stride, self.until, self.last = context, out, stride, until, last
        self.only = only
        self.at, self.begun = context.Value("q", first), context.Value("d", 0.0)
        self.start(first)

    def start(self, first: int) -> None:
        """Begin at a case."""
        self.begun.value = 0.0
        given = (first, self.stride, self.until, self.last, self.only, self.at, self.begun, self.out)
        self.process = self.context.Process(target=_child, args=given, daemon=True)
        self.process.start()

    def watch(self) -> str | None:
        """What happened to the child, if it did not end well; another takes over."""
        hangs = self.begun.value and time.monotonic() - self.begun.value > HANG
        if hangs:
            self.process.kill()
        self.process.join(0)
        if not hangs and self.process.exitcode in (None, 0):
            return None
        self.process.join()
        status = self.process.exitcode
        number = self.at.value
        if self.begun.value:  # at work: the file is kept as it is, for each try to make it smaller could cost a child
            original, data, is_forged, _, _ = Work(self.only).case(number)
            keep(original, data, is_forged, number)
        self.start(number + self.stride)
        return f"case {number}: {'hang' if hangs else f'crash, exit status {status}'}"


def campaign(
    seconds: float, workers: int, first: int = 0, cases: int = 2**62, only: str = ""
) -> tuple[Counter[str], list[str]]:
    """Number of cases and verbs of each kind, and the problems found, in sentences."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as weights:
        install_weights(Path(weights))
        out = context.Queue()
        until = time.time() + seconds
        team = [Worker(context, out, first + i, workers, until, first + cases, only) for i in range(workers)]
        while any(worker.process.exitcode != 0 for worker in team) or not out.empty():
            for worker in team:
                problem = worker.watch()
                if problem is not None:
                    problems.append(problem)
                    print(problem, flush=True)
            while not out.empty():
                kind, what = out.get()
                if kind == "counts":
                    counts.update(what)
                else:
                    problems.append(what)
                    print(what, flush=True)
            time.sleep(0.2)
    return counts, problems


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=2**62, help="number of cases at most")
    parser.add_argument("--only", default="", help="files whose names begin so")
    options = parser.parse_args()
    print(f"cases from {options.seed} on", flush=True)
    counts, problems = campaign(60 * options.minutes, options.workers, options.seed, options.cases, options.only)
    print(json.dumps(dict(sorted(counts.items())), indent=1))
    print(f"{len(problems)} problems")
    raise SystemExit(bool(problems))


if __name__ == "__main__":
    main()
