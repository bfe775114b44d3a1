# SPDX-License-Identifier: BSD-3-Clause
"""How a command shares the cores of the machine among the pictures of a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.processor import cores
from .jobs import Job
from .side_by_side import Result, Sharing

if TYPE_CHECKING:
    from ..arrays import Progress

MOST_JOBS = 64  # as --jobs says


def sharing(
    jobs: int | None, threads: int | None, work: Callable[[int | None, Job, Progress], Result], growth: int = 1
) -> Sharing:
    """What ``--jobs`` and ``--threads`` mean for many pictures.

    Args:
        jobs: as it was given.
        threads: as it was given; who wants fewer threads than cores wants no more pictures at a time.
        work: takes a number of threads, None for the usual one, before the job and its progress.
        growth: pixels that come out for each that goes in.
    """
    return Sharing(jobs or threads or min(cores(), MOST_JOBS), partial(work, 1), lambda job: growth * _pixels(job))


def _pixels(job: Job) -> int:
    """Of the picture, as its first bytes say; 0 if they do not, for its work to complain."""
    try:
        return 0 if job.source is None or not job.source.is_file() else _size(job.source)
    except Exception:  # Pillow raises what it likes
        return 0


def _size(path: Path) -> int:
    from PIL import Image

    from ..container import HEADER_BYTES, SIGNATURE, read_header
    from ..raster.guard import pillow_limit

    with open(path, "rb") as file:
        start = file.read(HEADER_BYTES)
        if start.startswith(SIGNATURE):
            header = read_header(start)
            return header.width * header.height
        with pillow_limit(), Image.open(file) as image:
            return image.width * image.height
