# SPDX-License-Identifier: BSD-3-Clause
"""Pictures x codecs x settings -> records, from the cache where it has them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ..metrics.catalogue import MS_SSIM, PSNR
from ..metrics.metric import Metric
from .contender import Contender
from .curves import Curve
from .pictures import Photograph
from .records import Cache, Record, Trial, fingerprint

LabelledProgress = Callable[[int, int, str], None]  # measurements done, all of them, what comes next
Key = tuple[str, str, float]  # codec, picture, setting


@dataclass(frozen=True)
class Request:
    """A measurement to make."""

    codec: Contender
    photograph: Photograph
    setting: float
    path: Path | None  # in the cache
    known: Record | None = None  # an earlier record that lacks something

    @property
    def key(self) -> Key:
        """Identity among others."""
        return self.codec.name, self.photograph.name, self.setting

    @property
    def label(self) -> str:
        """For a person who waits."""
        return f"{self.codec.name} {self.setting:g}, {self.photograph.name}"


def measure(
    codecs: Sequence[Contender],
    photographs: Sequence[Photograph],
    settings: Mapping[str, Sequence[float]] | None = None,
    *,
    metrics: Sequence[Metric] = (PSNR, MS_SSIM),
    rounds: int = 1,
    jobs: int = 1,
    cache: Cache | None = None,
    progress: LabelledProgress | None = None,
) -> dict[str, Curve]:
    """Send every picture through every codec at each of its settings.

    The codecs take turns - A, B, C, and again if ``rounds`` asks for it - so that whatever else the machine does meets
    them alike; times are medians over the rounds. ``settings`` replaces the default settings of the codecs it names.
    Records that ``cache`` holds are not measured again.

    With ``jobs`` above 1 that many processes work at the same time, and no times are recorded: they would say more
    about the neighbours than about the codec. The codecs must then be those of :data:`calotype.benchmark.CODECS`.
    """
    chosen = {codec.name: tuple((settings or {}).get(codec.name, codec.settings)) for codec in codecs}
    timed = jobs == 1
    found: dict[Key, Record] = {}
    turns: list[list[Request]] = []
    prints = {codec.name: fingerprint(codec) for codec in codecs}
    for photograph in photographs:
        for values in zip_longest(*(chosen[codec.name] for codec in codecs)):
            turn = []
            for codec, setting in zip(codecs, values, strict=True):
                if setting is None:  # this codec has fewer settings than others
                    continue
                path = cache.path(prints[codec.name], photograph, setting, rounds) if cache else None
                known = cache.get(path, photograph) if cache and path else None
                task = Request(codec, photograph, setting, path, known)
                if known and known.answers(metrics, timed=timed):
                    found[task.key] = known
                else:
                    turn.append(task)
            turns.append(turn)
    total = len(found) + sum(map(len, turns))

    def report(label: str) -> None:
        if progress:
            progress(len(found), total, label)

    report("")
    work = in_turn(turns, metrics, rounds, report) if timed else side_by_side(turns, metrics, jobs)
    for task, record in work:
        record = record.with_earlier(task.known)
        found[task.key] = record
        if cache and task.path:
            cache.put(task.path, record)
        report(task.label)
    return {
        codec.name: Curve(
            codec,
            tuple(
                found[codec.name, photograph.name, setting]
                for photograph in photographs
                for setting in chosen[codec.name]
            ),
            tuple(metrics),
        )
        for codec in codecs
    }


def in_turn(
    turns: Sequence[Sequence[Request]], metrics: Sequence[Metric], rounds: int, report: Callable[[str], None]
) -> Iterator[tuple[Request, Record]]:
    """One after another: each turn is one setting of every codec on one picture."""
    for turn in turns:
        trials = [Trial(task.codec, task.photograph, task.setting) for task in turn]
        for _ in range(rounds):
            for task, trial in zip(turn, trials, strict=True):
                report(task.label)
                trial.run()
        for task, trial in zip(turn, trials, strict=True):
            yield task, trial.record(metrics)


def side_by_side(
    turns: Sequence[Sequence[Request]], metrics: Sequence[Metric], jobs: int
) -> Iterator[tuple[Request, Record]]:
    """In several processes."""
    names = tuple(metric.name for metric in metrics)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {
            pool.submit(untimed, task.codec.name, task.photograph, task.setting, names): task
            for turn in turns
            for task in turn
        }
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def untimed(codec: str, photograph: Photograph, setting: float, metrics: Sequence[str]) -> Record:
    """One measurement in a process of its own: functions do not travel between processes, so names do."""
    from ..metrics.catalogue import NAMED
    from . import CODECS

    trial = Trial(CODECS[codec], photograph, setting)
    trial.run()
    return trial.record([NAMED[name] for name in metrics], timed=False)
