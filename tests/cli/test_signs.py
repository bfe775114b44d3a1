# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import codecs

import pytest

from calotype.cli.signs import plain


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "é.png  40 × 30  2 kB → 1 kB  −50 %  日…"),
        ("cp1252", "é.png  40 × 30  2 kB -> 1 kB  -50 %  \\u65e5…"),
        ("ascii", "\\xe9.png  40 x 30  2 kB -> 1 kB  -50 %  \\u65e5~"),
    ],
)
def test_signs_that_a_terminal_lacks_become_plain(encoding: str, expected: str) -> None:
    codecs.register_error("calotype", plain)
    line = "é.png  40 × 30  2 kB → 1 kB  −50 %  日…"
    assert line.encode(encoding, "calotype").decode(encoding) == expected


def test_what_cannot_be_read_stays_an_error() -> None:
    codecs.register_error("calotype", plain)
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "calotype")
