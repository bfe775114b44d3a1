# SPDX-License-Identifier: BSD-3-Clause
"""PPM, PGM and their like: the numbers in front of the samples, and colour of 16 bits, of which Pillow gives 8."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import PictureError

_MAGIC = re.compile(rb"P[3-6]\s")
_LINE_END = re.compile(rb"[\r\n]")
_DIGITS = 10  # of a number, at most


class PpmHeader(NamedTuple):
    """Numbers in front of the samples."""

    width: int
    height: int
    peak: int  # the largest sample there can be
    start: int  # of the samples, in bytes


def ppm_header(data: bytes) -> PpmHeader | None:
    """The header of a PGM or PPM (P3 to P6), read as Pillow reads it; None of anything else. Takes linear time."""
    if not _MAGIC.match(data):
        return None
    numbers: list[int] = []
    place = 2
    for _ in range(3):
        number, place = _number(data, place)
        if not number.isdigit() or len(number) > _DIGITS:
            return None
        numbers.append(int(number))
    width, height, peak = numbers
    return PpmHeader(width, height, peak, place)


def _number(data: bytes, place: int) -> tuple[bytes, int]:
    """The next word, and where the text behind it goes on; comments do not end a word."""
    word = b""
    while place < len(data) and len(word) <= _DIGITS:
        letter = data[place : place + 1]
        place += 1
        if letter.isspace():
            if word:
                break
        elif letter == b"#":
            end = _LINE_END.search(data, place)
            place = end.end() if end else len(data)
        else:
            word += letter
    return word, place


def read_ppm(data: bytes) -> NDArray[np.uint16] | None:
    """Samples ``(H, W, 3)`` of a binary PPM of more than 8 bits, as 0..65535; None if it is another.

    PictureError if it ends too early.
    """
    header = ppm_header(data)
    if header is None or not data.startswith(b"P6"):
        return None
    width, height, peak, start = header
    if len(data) - start < 6 * width * height or not 255 < peak < 65536:
        raise PictureError("the PPM is damaged: it ends before its last pixel")
    samples = np.frombuffer(data, ">u2", 3 * width * height, start).reshape(height, width, 3)
    return scaled(samples, peak)


def scaled(samples: NDArray[np.uint16], peak: int) -> NDArray[np.uint16]:
    """Samples of 0..peak as 0..65535."""
    if peak == 65535:
        return samples.astype(np.uint16)
    wide = samples.astype(np.uint32)
    return np.minimum((wide * 65535 + peak // 2) // peak, 65535).astype(np.uint16)
