# SPDX-License-Identifier: BSD-3-Clause
"""Several pictures at a time: everything comes in the order of the files, and belongs to the right one."""

from __future__ import annotations

import os
import threading
import time
import warnings
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from calotype.atomic import write_atomically
from calotype.cli.destination import destination
from calotype.cli.jobs import Job, Plan, plan
from calotype.cli.made import NAME, Journal, Making
from calotype.cli.side_by_side import LARGE, Fate, Result, Sharing, Work, outcomes
from calotype.errors import CalotypeError

COUNT = 12


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("album")
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:02}.png").write_bytes(b"%d" % number)
    return folder


def planned() -> Plan:
    place = destination("out/", ["album"], suffixes=[".calo"], other=None)
    return plan(["album"], place, suffixes=[".png"], suffix=".calo", overwrite=False, settings={})


def number_of(job: Job) -> int:
    return int(job.source.stem) if job.source else -1


def copy(job: Job, progress: Any) -> Result:
    number = number_of(job)
    time.sleep(0.03 if number % 3 == 0 else 0.001)  # later ones are done earlier
    warnings.warn(f"of {number}", UserWarning, stacklevel=1)
    warnings.warn(f"of {number}", UserWarning, stacklevel=1)
    warnings.warn("of no interest", DeprecationWarning, stacklevel=1)
    if number % 4 == 1:
        raise CalotypeError(f"{number} fails")
    assert job.target
    write_atomically(job.target, b"done", parents=True)
    return Result(1, 4, number, 1)


def everything(todo: Plan, work: Work, jobs: int, pixels: Any = lambda job: 1) -> list[tuple[Job, Fate]]:
    return list(outcomes(todo, work, lambda label: nullcontext(lambda done, total: None), Sharing(jobs, work, pixels)))


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_order_results_errors_and_warnings(jobs: int) -> None:
    before = warnings.showwarning
    found = everything(planned(), copy, jobs)
    assert warnings.showwarning is before
    assert [number_of(job) for job, _ in found] == list(range(COUNT))
    for number, (_, outcome) in enumerate(found):
        assert outcome.told == [f"of {number}"]
        assert outcome.error == (f"{number} fails" if number % 4 == 1 else "")
        assert (outcome.result is None) == bool(outcome.error) and outcome.seconds > 0
        assert outcome.result is None or outcome.result.width == number
    assert len((Path("out") / NAME).read_text(encoding="utf-8").splitlines()) == COUNT - 3
    again = everything(planned(), copy, jobs)
    assert [bool(outcome.error) for _, outcome in again] == [n % 4 == 1 for n in range(COUNT)]
    assert all(outcome.result is None for _, outcome in again)


def test_small_ones_share_the_threads_and_large_ones_have_them_alone() -> None:
    lock, working, most = threading.Lock(), 0, 0
    at_large: list[int] = []
    both = threading.Barrier(2, timeout=20)

    def work(job: Job, progress: Any) -> Result:
        nonlocal working, most
        number = number_of(job)
        with lock:
            working += 1
            most = max(most, working)
        if number in (0, 1):
            both.wait()
        if number % 5 == 4:
            at_large.append(working)
            assert threading.current_thread() is threading.main_thread()
        time.sleep(0.002)
        with lock:
            working -= 1
        return Result(1, 1, 1, 1)

    found = everything(planned(), work, 2, lambda job: LARGE + 1 if number_of(job) % 5 == 4 else 9)
    assert not any(outcome.error for _, outcome in found)
    assert most == 2 and at_large == [1, 1]


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_the_main_thread_waits_for_pipes(album: Path) -> None:
    (album / "03.png").unlink()
    os.mkfifo(album / "03.png")
    todo, threads = planned(), {}
    todo.jobs.append(Job(album / "03.png", Path("out/pipe.calo")))  # a folder's own are passed over

    def work(job: Job, progress: Any) -> Result:
        threads[job.label] = threading.current_thread()
        return Result(1, 1, 1, 1)

    assert not any(fate.error for _, fate in everything(todo, work, 3))
    assert threads.pop(str(album / "03.png")) is threading.main_thread()
    assert len(threads) == COUNT - 1 and threading.main_thread() not in threads.values()


def test_a_line_that_was_cut_costs_no_other(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        (tmp_path / name).write_bytes(b"output")
        if number == 1:
            (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes() + b'{"file": "x", "si')
        Journal().add(tmp_path / name, Making("1", "2", "3"))
    assert list(Journal().find(tmp_path)) == ["a", "b", "c"]


def test_a_line_that_is_being_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"output")
    Journal().add(tmp_path / "a", Making("1", "2", "3"))
    line = (tmp_path / NAME).read_bytes()
    journal = Journal()
    (tmp_path / NAME).write_bytes(line[:20])
    assert journal.of(tmp_path / "a") is None
    (tmp_path / NAME).write_bytes(line)
    assert journal.again(tmp_path / "a") == Journal().of(tmp_path / "a") is not None


def test_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"output")
    (tmp_path / NAME).mkdir()
    with pytest.raises(CalotypeError, match=r"is made, but not noted in \.calotype-made beside it"):
        Journal().add(tmp_path / "a", Making("1", "2", "3"))


def test_two_names_of_one_output_do_not_race() -> None:
    todo = planned()
    todo.jobs[3] = Job(todo.jobs[3].source, todo.jobs[2].target)
    found = everything(todo, lambda job, progress: copy(Job(Path("0.png"), job.target), progress), 4)
    assert "was just made from another input" in found[3][1].error
    assert not found[2][1].error and not found[4][1].error


def test_an_interruption_ends_what_has_begun_and_leaves_no_debris() -> None:
    begun = threading.Event()

    def work(job: Job, progress: Any) -> Result:
        if number_of(job) < 2:
            return copy(Job(Path("0.png"), job.target), progress)
        begun.set()
        for _ in range(3000):
            time.sleep(0.01)
        return copy(Job(Path("0.png"), job.target), progress)

    todo, start = planned(), time.perf_counter()
    sharing = Sharing(2, work, lambda job: 1)
    with (
        pytest.raises(KeyboardInterrupt),
        closing(outcomes(todo, work, lambda label: nullcontext(lambda done, total: None), sharing)) as each,
    ):
        for number, _ in enumerate(each):
            if number == 1:
                begun.wait()
                raise KeyboardInterrupt
    assert time.perf_counter() - start < 15
    assert sorted(path.name for path in Path("out").iterdir()) == [NAME, "00.calo", "01.calo"]
    assert Journal().of(Path("out/00.calo")) and Journal().of(Path("out/01.calo"))
