# SPDX-License-Identifier: BSD-3-Clause
"""Tiles take each payload once, in order, when an area needs them."""

from __future__ import annotations

import pytest

from calotype.codecs.layers import LayerReader
from calotype.engine.tiling import Rectangle
from calotype.errors import DamageWarning, FormatError


class Tape:
    """Remembers what it was given; ``!`` is damage."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def __call__(self, payload: bytes) -> None:
        if payload == b"!":
            raise FormatError("no")
        self.taken.append(payload)


WHOLE = Rectangle(0, 0, 4, 2)


def reader(salvage: bool = False) -> LayerReader[Tape]:
    return LayerReader(WHOLE, 2, lambda place: Tape(), 9, salvage)


def test_layers_are_taken_once_and_only_where_they_are_needed() -> None:
    tiles = reader()
    tiles.give([b"a0", b"b0", b"a1"])
    assert [m.tile.taken for m in tiles.meeting(Rectangle(0, 0, 1, 1))] == [[b"a0", b"a1"]]
    assert (tiles.layers, tiles.found) == (2, 2)
    tiles.give([b"a0", b"b0", b"a1", b"b1"])
    assert [m.tile.taken for m in tiles.meeting(WHOLE)] == [[b"a0", b"a1"], [b"b0", b"b1"]]
    assert tiles.found == 4


def test_damage_is_an_error_or_ends_a_tile() -> None:
    payloads = [b"a0", b"b0", b"!", None, b"a2", b"b2"]
    tiles = reader()
    tiles.give(payloads)
    with pytest.raises(FormatError, match="layer 2, tile 1 of 2: no"):
        list(tiles.meeting(WHOLE))
    tiles = reader(salvage=True)
    tiles.give(payloads)
    with pytest.warns(DamageWarning, match="layer 2, tile 1 of 2: no"):
        assert [m.tile.taken for m in tiles.meeting(WHOLE)] == [[b"a0"], [b"b0"]]
    assert [m.tile.taken for m in tiles.meeting(WHOLE)] == [[b"a0"], [b"b0"]]
