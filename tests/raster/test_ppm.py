# SPDX-License-Identifier: BSD-3-Clause
"""Headers of PPM files, as their writers and their enemies make them."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from calotype.errors import LossWarning
from calotype.raster import load
from calotype.raster.ppm import ppm_header


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"P6 3 2 255\n", (3, 2, 255)),
        (b"P5\n# a\n#b\r3#c\n 2\t\t65535\n", (3, 2, 65535)),
        (b"P6 1 1 65535#\n\n", (1, 1, 65535)),
        (b"P6#\n3 2 255\n", None),
        (b"P6 3 2", None),
        (b"P6 3 x 255\n", None),
        (b"P6 3 12345678901 255\n", None),
        (b"P7 3 2 255\n", None),
    ],
)
def test_headers(head: bytes, found: tuple[int, ...] | None) -> None:
    assert ppm_header(head) == (found and (*found, len(head)))


def test_a_header_of_blanks_takes_no_time_and_keeps_16_bits() -> None:
    blanks = b" " * 5_000
    file = b"P6" + blanks + b"1" + blanks + b"1" + blanks + b"65535#\n\n" + b"abcdef"
    begin = time.process_time()
    assert np.array_equal(load(io.BytesIO(file)).samples, [[[0x6162, 0x6364, 0x6566]]])
    assert time.process_time() - begin < 5  # a dozen blanks took hours


def test_bits_that_a_text_loses_are_told() -> None:
    with pytest.warns(LossWarning, match="16 bits a sample become 8"):
        assert load(io.BytesIO(b"P3 1 1 65535\n1 2 3\n")).depth == 8
