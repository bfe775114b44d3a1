# SPDX-License-Identifier: BSD-3-Clause
"""Butteraugli, by the program ``butteraugli_main`` of the JPEG XL project where it is installed.

J. Alakuijala et al., Google 2016 and later: a model of how the eye's receptors, and what stands behind them, respond
to the two pictures. The number here is the 3-norm of its map of differences, which agrees with people better than the
map's maximum, at the program's usual brightness of the screen.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..arrays import Samples
from ..errors import DependencyError, PictureError
from .pair import checked_pair, size_of

PROGRAM = "butteraugli_main"
ADVICE = f"Butteraugli needs the program {PROGRAM} on the path (Debian and Ubuntu: apt install libjxl-devtools)"
SMALLEST_SIDE = 8  # pixels: with less the program says 0, whatever the pictures
SECONDS = 600  # longer than any picture takes
RESULT = re.compile(r"^3-norm: ([0-9.e+-]+)\s*$", re.MULTILINE)


def has_butteraugli() -> bool:
    """Whether the program is on the path."""
    return shutil.which(PROGRAM) is not None


def butteraugli(a: Samples, b: Samples) -> float:
    """The distance of ``b`` from its original ``a``: 0 is equal, 1 is hardly seen, 3 is plain to see.

    Grey or RGB, taken as sRGB, 8 or 16 bits. Not symmetrical. Raises PictureError for pictures that cannot be compared,
    or with a side below 8 pixels, DependencyError if the program is missing or fails.
    """
    a, b, _ = checked_pair(a, b, luma=True)
    if min(a.shape[:2]) < SMALLEST_SIDE:
        raise PictureError(
            f"Butteraugli needs sides of at least {SMALLEST_SIDE} pixels, and the picture is {size_of(a)}"
        )
    program = shutil.which(PROGRAM)
    if program is None:
        raise DependencyError(ADVICE)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "original.ppm", Path(folder) / "other.ppm"]
        for path, samples in zip(files, (a, b), strict=True):
            path.write_bytes(portable(samples))
        try:
            done = subprocess.run(
                [program, *map(str, files), "--pnorm", "3"],
                capture_output=True, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DependencyError(f"{PROGRAM} failed: {error}") from error
    found = RESULT.search(done.stdout)
    if done.returncode or not found:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise DependencyError(f"{PROGRAM} failed: {reason}")
    return float(found[1])


def portable(samples: Samples) -> bytes:
    """A picture file (PPM), which has no loss, no compression, and either depth."""
    rgb = np.broadcast_to(samples, (*samples.shape[:2], 3))
    peak = np.iinfo(samples.dtype).max
    return b"P6 %d %d %d\n" % (rgb.shape[1], rgb.shape[0], peak) + rgb.astype(rgb.dtype.newbyteorder(">")).tobytes()
