# SPDX-License-Identifier: BSD-3-Clause
"""Two bundles are compared at equal rates, by real files of each."""

from __future__ import annotations

import numpy as np

from calotype.benchmark.pictures import Photograph
from calotype.benchmark.studies.adversary import TITLES, markdown
from calotype.benchmark.studies.bit_planes import opened, rows_of
from tests.make_golden import GOLDEN, drawing


def test_files_are_judged_as_the_study_says() -> None:
    picture = Photograph("drawn", drawing(64, 80, 3, 8))

    def judge(original: Photograph, decoded: object, size: int) -> dict[str, float]:
        error = np.abs(original.samples - np.asarray(decoded).astype(float)).mean()
        return {"bpp": 8 * size / original.pixels, "error": float(error)}

    rough, fine = rows_of(opened(GOLDEN / "weights"), picture, (20, 90), judge)
    assert fine["bpp"] > rough["bpp"] and fine["error"] < rough["error"]


def test_values_are_those_at_equal_rates() -> None:
    ends = [{"bpp": 0.125, **dict.fromkeys(TITLES, 10.0)}, {"bpp": 1.0, **dict.fromkeys(TITLES, 40.0)}]
    lines = markdown({"without": ends, "with": [{**row, "psnr": 7.0} for row in ends]}).splitlines()
    assert lines[4] == "| 0.5 | without | 30 | 30 | 30 | 30 |" and lines[5] == "| 0.5 | with | 30 | 7 | 30 | 30 |"
