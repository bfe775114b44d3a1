# SPDX-License-Identifier: BSD-3-Clause
"""The jobs of a plan, several small pictures at a time; what becomes of each comes in their order.

A picture of its own thread keeps a core as busy as it can be, so small ones are shared among threads as they are. A
large one takes all threads, and its turn when the others are done, for memory grows with the pictures at work.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import describe
from .heed import heard, heeding
from .jobs import Job, Plan

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..arrays import Progress

LARGE = 4_000_000  # pixels: a picture of more works alone
AHEAD = 8  # jobs a thread that may be begun before the first of them is done
MOST_PIXELS = 64_000_000  # of the pictures at work or waiting


@dataclass(frozen=True)
class Result:
    """Result for one file."""

    before: int  # bytes of the input
    after: int  # bytes of the output
    width: int  # pixels
    height: int


@dataclass
class Fate:
    """What became of one job: a result, or an error, or neither if it was up to date."""

    result: Result | None = None
    error: str = ""
    told: list[str] = field(default_factory=list)  # warnings
    seconds: float = 0.0


Work = Callable[[Job, "Progress"], Result]  # does one job; raises what it likes
Outcomes = Generator[tuple[Job, Fate], None, None]
Watch = Callable[[str], "AbstractContextManager[Progress]"]  # the progress bar of a job


@dataclass(frozen=True)
class Sharing:
    """How small pictures share the cores.

    Attributes:
        jobs: pictures at a time.
        work: what to do with one on a single thread.
        pixels: of the picture of a job, as far as can be told at a glance, else 0.
    """

    jobs: int
    work: Work
    pixels: Callable[[Job], int]


@dataclass
class _Turn:
    job: Job
    target: str  # see _key
    pixels: int = 0
    outcome: Future[Fate] | Fate | None = None  # None: it works alone, when its turn comes

    @property
    def weight(self) -> int:
        """Pixels that take memory now."""
        return self.pixels if isinstance(self.outcome, Future) and not self.outcome.done() else 0


def outcomes(plan: Plan, work: Work, watch: Watch, sharing: Sharing | None = None) -> Outcomes:
    """Do all jobs, whatever happens to single ones.

    Args:
        plan: the jobs.
        work: does a job on all threads.
        watch: shows the progress of a job that works alone.
        sharing: how small pictures are shared among threads; None: one after another.
    """
    with heeding():
        if sharing is None or sharing.jobs == 1 or len(plan.jobs) < 2:
            for job in plan.jobs:
                yield job, _settled(plan, job) or _alone(plan, job, work, watch)
        else:
            yield from _shared(plan, work, watch, sharing)


def _shared(plan: Plan, work: Work, watch: Watch, sharing: Sharing) -> Outcomes:
    from ..engine.workers import Workers

    coming = iter(plan.jobs)
    turns: deque[_Turn] = deque()
    with Workers(sharing.jobs) as workers:
        more = True
        while turns or more:
            while more and len(turns) < AHEAD * sharing.jobs and sum(turn.weight for turn in turns) < MOST_PIXELS:
                job = next(coming, None)
                if job is None:
                    more = False
                    break
                turn = _Turn(job, _key(job))
                if all(turn.target != other.target for other in turns):  # or what it may do shows when they are done
                    turn.outcome = _settled(plan, job)
                    turn.pixels = 0 if turn.outcome else sharing.pixels(job)
                    if turn.outcome is None and turn.pixels <= LARGE and _can_wait(job):
                        turn.outcome = workers.submit(_attempt, plan, job, sharing.work, _unseen)
                turns.append(turn)
            if not turns:
                return
            first = turns[0]
            if first.outcome is None:
                for turn in turns:
                    if isinstance(turn.outcome, Future):
                        turn.outcome.exception()  # waits
                first.outcome = _settled(plan, first.job) or _alone(plan, first.job, work, watch)
            yield first.job, first.outcome.result() if isinstance(first.outcome, Future) else first.outcome
            turns.popleft()


def _can_wait(job: Job) -> bool:
    """Whether a thread may read the input: a pipe may never end, and only the main thread is free to stop then."""
    return job.source is None or job.source.is_file()


def _settled(plan: Plan, job: Job) -> Fate | None:
    """What becomes of a job without any work; None if it has to be done."""
    try:
        return Fate() if plan.is_done(job) else None
    except Exception as error:
        return Fate(error=describe(error))


def _alone(plan: Plan, job: Job, work: Work, watch: Watch) -> Fate:
    with watch(job.label) as progress:
        return _attempt(plan, job, work, progress)


def _attempt(plan: Plan, job: Job, work: Work, progress: Progress) -> Fate:
    began, outcome = time.perf_counter(), Fate()
    try:
        made = plan.making(job)
        with heard(outcome.told):
            outcome.result = work(job, progress)
        plan.note_written(job, made)  # at once: an interrupted run must know it later
    except BrokenPipeError:
        raise
    except Exception as error:  # of any kind: the other files do not pay for this one
        outcome.result, outcome.error = None, describe(error)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _unseen(done: int, total: int) -> None:
    """Progress of a picture among many: the bar of all of them tells enough."""


def _key(job: Job) -> str:
    """The same for all names of an output, on every file system."""
    name = "" if job.target is None else os.path.realpath(job.target)
    return unicodedata.normalize("NFC", name).casefold()
