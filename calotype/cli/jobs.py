# SPDX-License-Identifier: BSD-3-Clause
"""Inputs mapped to outputs, so that no file is lost.

- Without an output, each result lies beside its input, with the suffix of its kind.
- An output folder mirrors an input folder; several inputs keep the names of their folders in it.
- Inputs that would meet in one output, ``a.png`` and ``a.jpg``, keep their whole names: ``a.png.calo``, ``a.jpg.calo``.
  One of which ``a.calo`` was made before keeps that.
- No input of the run is ever an output, whatever the names, the links and the case of letters say.
- Of many files, those are done whose output was made from this very input with these settings; :mod:`.made` knows. If
  the input has changed since, and the output has not, it is made anew. Any other output may be an original, or the
  last that is left of another input, and stays unless it may be overwritten.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import CalotypeError
from .destination import STREAM, Destination, Place
from .made import Journal, Making, making, place
from .names import shown
from .walk import Source, find

Identity = tuple[int, int]  # device and number of a file: the same for all of its names


@dataclass(frozen=True)
class Job:
    """One file to make from another; None stands for standard input or output."""

    source: Path | None
    target: Path | None

    @property
    def label(self) -> str:
        """The input's name, safe to print."""
        return shown(self.name)

    @property
    def name(self) -> str:
        """The input's name, as it is."""
        return str(self.source) if self.source else "standard input"

    @property
    def result(self) -> str:
        """The output's name, as it is."""
        return str(self.target) if self.target else "standard output"


@dataclass
class Plan:
    """All the work of a command."""

    jobs: list[Job]
    many: bool = False  # several files or a folder: what is up to date is passed over
    overwrite: bool = False
    preserve: bool = False  # outputs get the modification times of their inputs, and no more readers than those have
    settings: dict[str, Any] = field(default_factory=dict)  # all that decides what an output looks like
    notes: list[tuple[str, str]] = field(default_factory=list)  # names, and what to say of them
    problems: list[tuple[str, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    inputs: set[Identity] = field(default_factory=set)
    written: set[Identity] = field(default_factory=set)
    records: Journal = field(default_factory=Journal)

    def is_done(self, job: Job) -> bool:
        """Whether ``job`` needs no work because its output is there, made from this input with these settings.

        Raises:
            CalotypeError: the output exists and must stay.
            OSError: there is no such input.
        """
        source = job.source.stat() if job.source else None  # an input that is missing says so here
        there = _stat(job.target)
        if there is None or job.target is None or not stat.S_ISREG(there.st_mode):
            if there is not None and stat.S_ISDIR(there.st_mode):
                raise CalotypeError(f"its output {shown(job.target or '')} is a folder; choose another with -o")
            return False
        name = shown(job.target)
        if job.source == job.target:
            raise CalotypeError(
                f"it would be its own output, for it ends in {job.target.suffix} already, and an input is never "
                "overwritten; choose another output with -o"
            )
        if (there.st_dev, there.st_ino) in self.inputs:
            raise CalotypeError(f"its output {name} is an input, which is never overwritten; choose another with -o")
        if (there.st_dev, there.st_ino) in self.written:
            raise CalotypeError(f"its output {name} was just made from another input; choose another with -o")
        if self.overwrite:
            return False
        if source is None or not self.many:
            raise CalotypeError(f"its output {name} exists already; --overwrite replaces it, -o chooses another")
        record, now = self.records.of(job.target), self.making(job)
        if record is None or not record.is_of(there):
            record = self.records.again(job.target)
        if record is None or now is None or not record.is_of(there):
            known = "may be an original, or made from something else"
        elif record.making.source == now.source:
            if record.making.settings == now.settings:
                return True
            known = "was made from this file with other settings"
        elif record.making.path != now.path:
            known = "was made from another file"
        elif record.making.settings == now.settings and record.is_untouched(there):
            return False
        else:
            known = "was made from this file as it was before, and one of them was changed"
        raise CalotypeError(f"its output {name} exists and {known}; --overwrite replaces it, -o chooses another")

    def making(self, job: Job) -> Making | None:
        """Origin of the output of ``job``, to be noted when it is made; None where no records are kept.

        They are where several files are made in a run, and for single ones where there are some already.
        Raises OSError if the input cannot be read.
        """
        if job.source is None or job.target is None or not job.source.is_file():
            return None
        if not self.many and not self.records.known(job.target.parent):
            return None
        return making(job.source, self.settings)

    def note_written(self, job: Job, made: Making | None) -> None:
        """Remember the output of ``job``, so that no later one replaces it, and for later runs."""
        there = _stat(job.target)
        if there is not None and job.target is not None and stat.S_ISREG(there.st_mode):
            if self.preserve and job.source is not None:
                source = job.source.stat()
                if stat.S_ISREG(source.st_mode):
                    with suppress(PermissionError):  # of file systems that have none, as on most cards
                        job.target.chmod(stat.S_IMODE(there.st_mode & (source.st_mode | stat.S_IRWXU)))
                os.utime(job.target, ns=(source.st_mtime_ns, source.st_mtime_ns))
            self.written.add((there.st_dev, there.st_ino))
            if made is not None:
                self.records.add(job.target, made)


def plan(
    inputs: Sequence[str],
    destination: Destination,
    *,
    suffixes: Collection[str],
    suffix: str,
    overwrite: bool,
    settings: dict[str, Any],
) -> Plan:
    """Map inputs to outputs.

    Args:
        inputs: files and folders, or :data:`STREAM` alone.
        destination: where the outputs go.
        suffixes: of the files to pick from folders.
        suffix: of the outputs, with its dot.
        overwrite: whether any existing output may be replaced.
        settings: all that decides what an output looks like, the command among them.
    """
    folder = destination.path if destination.kind is Place.FOLDER else None
    target = destination.path if destination.kind is Place.FILE else None
    if STREAM in inputs:
        return Plan(
            [Job(None, folder / f"picture{suffix}" if folder else target)], overwrite=overwrite, settings=settings
        )
    paths = [Path(name) for name in inputs]
    finds = find(paths, suffixes, skip=folder)
    many = len(paths) > 1 or paths[0].is_dir()
    result = Plan([], many, overwrite, settings=settings, problems=finds.problems, ignored=+finds.ignored)
    if destination.kind in (Place.FILE, Place.STREAM):
        result.jobs = [Job(found.path, target) for found in finds.files]
    else:
        taken: dict[str, Path] = {}
        notes: dict[tuple[str, str], None] = {}
        key = _keys()
        targets = _targets(finds.files, folder, suffix, result, key, several=len(paths) > 1)
        for found, target in zip(finds.files, targets, strict=True):
            short = target.with_name(f"{found.path.stem}{suffix}")
            if target != short and short.is_file() and result.records.of(short) is None:
                stale = (
                    f"is there from before, and several pictures are called {found.path.stem}: delete it if it is stale"
                )
                notes[shown(short), stale] = None
            first = taken.setdefault(key(target), found.path)
            if first is found.path:
                result.jobs.append(Job(found.path, target))
            elif key(first) != key(found.path):  # the same file named in two ways is simply done once
                message = f"its output {shown(target)} is also that of {shown(first)}; choose another with -o"
                result.problems.append((str(found.path), message))
        result.notes = [*notes]
    for job in result.jobs:
        there = _stat(job.source)
        if there is not None:
            result.inputs.add((there.st_dev, there.st_ino))
    return result


def _targets(
    files: Sequence[Source], output: Path | None, suffix: str, plan: Plan, key: Callable[[Path], str], several: bool
) -> list[Path]:
    folders = [_folder(found, output, several) for found in files]
    short = [folder / f"{found.path.stem}{suffix}" for folder, found in zip(folders, files, strict=True)]
    whole = [folder / f"{found.path.name}{suffix}" for folder, found in zip(folders, files, strict=True)]
    chosen = list(short)
    before = [
        found.path.is_file() and _made_before(plan, found.path, target)
        for found, target in zip(files, short, strict=True)
    ]
    while True:  # a whole name may meet a short one in turn: a.png, a.jpg and a.png.jpg
        meeting: dict[str, set[str]] = {}
        for found, target in zip(files, chosen, strict=True):
            meeting.setdefault(key(target), set()).add(found.path.name)
        clashes = [i for i, target in enumerate(chosen) if len(meeting[key(target)]) > 1 and target != whole[i]]
        clashes = [i for i in clashes if not before[i] or chosen[i] != short[i]]
        if not clashes:
            return chosen
        for i in clashes:
            chosen[i] = whole[i]


def _folder(found: Source, output: Path | None, several: bool) -> Path:
    """The folder of the output of ``found``."""
    if output is None:
        return found.path.parent
    if found.root is None:
        return output
    within = found.path.parent.relative_to(found.root)
    return output / found.root.resolve().name / within if several else output / within


def _keys() -> Callable[[Path], str]:
    """A function of which all spellings of a name, which need not exist yet, give the same; looks at a folder once."""
    real = cache(os.path.realpath)
    return lambda path: os.path.normcase(f"{real(path.parent)}{os.sep}{path.name}")


def _stat(path: Path | None) -> os.stat_result | None:
    try:
        return None if path is None else path.stat()
    except OSError:
        return None


def _made_before(plan: Plan, source: Path, target: Path) -> bool:
    """Whether an earlier run made this output of this input."""
    record = plan.records.of(target)
    return record is not None and target.exists() and record.making.path == place(source)
