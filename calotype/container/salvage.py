# SPDX-License-Identifier: BSD-3-Clause
"""Salvage of a damaged ``.calo`` file: each whole tile in its exact place.

The way through a damaged file
    1. Read boxes as usual. At the first one that is not what should follow, search from there, byte by byte.
    2. A candidate is a known type, a valid length and an end within the file. Its CRC decides.
    3. The CRC of a tile also says which tile it is, wherever it stands: no place is ever guessed.

The CRC is linear: if its register begins at i instead of 0, the CRC of n bytes changes by i x^(8n), a product of
polynomials over GF(2) modulo the polynomial of the CRC. So the error of a CRC that was begun for tile 0, times
x^(-8n), is the index of the tile. It is a number of 32 bits: noise hardly ever gives one that the picture has.

Synopsis
    >>> container = calotype.container.unpack(data, salvage=True)
"""

from __future__ import annotations

import re

from ..errors import FormatError
from .boxes import FOLLOWING, Box, crc_error, frame, seed
from .parts import Parts, TooNewError

MAX_WARNINGS = 32  # sentences about one file
EFFORT = 64  # bytes that may be checked for each byte of the file: keeps hostile files linear
# What else takes time, in bytes of CRC:
FAULT, CANDIDATE, TILE = 2048, 512, 8192

_LARGE = 2**12  # bytes; in noise most candidates that are larger can be told by what follows them, without a CRC
_CANDIDATE = re.compile(b"[%b]" % FOLLOWING.encode())  # types of all boxes but the header
_POLYNOMIAL = 0xEDB88320  # of CRC-32, without x^32; bit 31 is the coefficient of x^0


def collect(view: memoryview, offset: int, parts: Parts) -> list[str]:
    """Read what is whole from `offset`, behind the header, into `parts`; returns what was found wrong, in sentences.

    Raises FormatError only for an intact critical box of the future.
    """
    warnings = _Warnings()
    count = parts.header.box_count
    effort = EFFORT * len(view) + 2**20
    while not parts.ended and effort >= 0:
        index = parts.next
        try:
            found = parts.follow(view, offset)
        except FormatError as problem:
            again, index, effort = _search(view, offset, count, effort - FAULT)
            if again is not None and again.offset == offset and again.kind == "T":
                place = f"at byte {offset}, where {parts.expected()} should be"
                warnings.add(f"{parts.tile(index)} stands {place}")
            else:
                warnings.add(problem)
            if again is None:
                break
            found = again
        try:
            parts.take(view, found, index)
        except TooNewError:
            raise
        except FormatError as problem:
            warnings.add(problem)
            effort -= FAULT
        offset = found.end
    sentences = warnings.sentences()
    if effort < 0:
        sentences.append(f"too much is damaged: the search for whole tiles ended near byte {offset}")
    if parts.header.alpha and parts.alpha is None:
        sentences.append("the alpha channel is lost")
    if parts.ended and offset < len(view):
        sentences.append(f"{len(view) - offset} bytes follow the end of the picture at byte {offset}")
    lost = [index + 1 for index in range(parts.count) if index not in parts.tiles]
    if not parts.count:  # of layers, none is owed but the first
        sentences.append("no tile is left")
    elif lost and parts.header.layers:
        sentences.append(f"{len(lost)} of {parts.count} parts of the tiles are lost: {_ranges(lost)}")
    elif lost:
        sentences.append(f"{len(lost)} of {parts.count} tiles are lost: {_ranges(lost)}")
    return sentences


class _Warnings:
    """Sentences about damage; a hostile file must not fill the memory with them."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.unsaid = 0

    def add(self, sentence: object) -> None:
        if len(self.kept) < MAX_WARNINGS:
            self.kept.append(str(sentence))
        else:
            self.unsaid += 1

    def sentences(self) -> list[str]:
        return self.kept + [f"and {self.unsaid} more damaged places"] * bool(self.unsaid)


def _search(view: memoryview, offset: int, count: int, effort: int) -> tuple[Box | None, int, int]:
    """Find the next known box whose CRC is right, from `offset` on.

    Returns it, its index if it is a tile, and how much effort (bytes to check) is left.
    """
    for match in _CANDIDATE.finditer(view, offset):
        effort -= CANDIDATE
        if effort < 0:
            break
        found = frame(view, match.start())
        if found is None or found.end > len(view):
            continue
        if found.end - found.offset > _LARGE and not _followed(view, found.end):
            continue
        effort -= found.end - found.offset
        if found.kind == "T":
            effort -= TILE
        if effort < 0:
            break
        if found.kind == "T":
            index = tile_index(view, found)
            if index < count:
                return found, index, effort
        elif not crc_error(view, found, 0):
            return found, 0, effort
    return None, 0, effort


def _followed(view: memoryview, offset: int) -> bool:
    """Whether the file ends at `offset`, or what stands there looks like a known box."""
    if offset + 5 > len(view):
        return True
    following = frame(view, offset)
    return following is not None and following.kind in FOLLOWING


def tile_index(view: memoryview, found: Box) -> int:
    """The one index, 0 to 2^32 - 1, for which the CRC of a tile is right."""
    index = crc_error(view, found, seed(0))
    bits = 8 * (found.stop - found.offset)
    for power in range(bits.bit_length()):
        if bits >> power & 1:
            index = _product(index, _INVERSES[power])
    return index


def _product(a: int, b: int) -> int:
    """Product of two polynomials modulo that of the CRC."""
    product = 0
    while a:
        if a & 0x80000000:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


_INVERSES = [(_POLYNOMIAL ^ 0x80000000) << 1 | 1]  # x^(-1), x^(-2), x^(-4), ...: a box has less than 2^32 bits
while len(_INVERSES) < 32:
    _INVERSES.append(_product(_INVERSES[-1], _INVERSES[-1]))


def _ranges(numbers: list[int]) -> str:
    """Write rising numbers for people: [1, 2, 3, 7] -> "1-3, 7"; a dozen ranges at most."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [f"{first}-{last}" if last > first else f"{first}" for first, last in ranges]
    return ", ".join(texts[:12] + ["..."] * (len(texts) > 12))
