# SPDX-License-Identifier: BSD-3-Clause
"""Layered files: any number of boxes is one, cutting gives sound ones, and cut ones are told from damaged ones."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

import calotype
from calotype import container as calo
from calotype.container import END, Container, Header, Metadata, head, pack, tile, unpack
from calotype.container.boxes import box
from calotype.errors import FormatError, PictureError
from tests.make_golden import GOLDEN

HEADER = Header("toderici2017", b"abcd", 150, 70, 3, 8, False, 2560, 64, 4)  # 3 tiles across, 2 down
PARTS = tuple(bytes([65 + i]) * (3 + 11 * (i % 5)) for i in range(24))
FULL = Container(HEADER, Metadata(xmp=b"<x:xmpmeta/>"), tiles=PARTS)


@given(st.integers(1, 24), st.integers(1, 255))
def test_layered_files_come_back(count: int, layers: int) -> None:
    header = dataclasses.replace(HEADER, layers=max(layers, 4))
    content = dataclasses.replace(FULL, header=header, tiles=PARTS[:count])
    assert unpack(pack(content)) == unpack(pack(content), salvage=True) == content
    assert calo.read_header(pack(content)[: calo.HEADER_BYTES]) == header


@given(st.integers(1, 2000), st.integers(0, 600))
def test_what_is_truncated_fits_and_is_sound(size: int, cut: int) -> None:
    data = pack(FULL)
    data = data[: len(data) - cut]
    try:
        before = unpack(data)
    except FormatError:
        return
    try:
        made = calotype.truncate(data, size)
    except PictureError as error:
        assert "cannot be reached" in str(error) and size < 100
        return
    after = unpack(made)
    assert len(made) <= size and not after.truncated
    assert after.tiles == PARTS[: len(after.tiles)] and len(after.tiles) <= len(before.tiles)
    if len(after.tiles) < len(before.tiles):
        following = PARTS[len(after.tiles)]
        assert len(made) + len(tile(following, len(after.tiles))) > size  # no more would have fitted
    assert calotype.truncate(made, size) == made


def test_a_small_file_stays_as_it_is() -> None:
    data = pack(FULL)
    assert calotype.truncate(data, len(data)) == data
    with_unknown = data[: -len(END)] + box("q", b"unknown") + END
    assert calotype.truncate(with_unknown, 10**6) == with_unknown
    assert unpack(calotype.truncate(with_unknown, len(data) - 1)).tiles == PARTS[:-1]


def test_what_cannot_be_truncated() -> None:
    data = pack(FULL)
    with pytest.raises(FormatError, match="codec 'talbot', which is not progressive"):
        calotype.truncate((GOLDEN / "colour.calo").read_bytes(), 99)
    with pytest.raises(FormatError, match="takes the bytes"):
        calotype.truncate("photo.calo", 99)  # type: ignore[arg-type]
    for size in (0, 1.5, True):
        with pytest.raises(PictureError, match="number of bytes"):
            calotype.truncate(data, size)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="damaged"):
        calotype.truncate(data[:99] + b"!" + data[100:], 300)


def test_every_prefix_holds_what_is_whole_in_it() -> None:
    data = pack(FULL)
    ends = [len(head(HEADER, FULL.metadata))]
    for index, payload in enumerate(PARTS):
        ends.append(ends[-1] + len(tile(payload, index)))
    for size in range(len(data)):
        whole = sum(end <= size for end in ends) - 1
        if whole < 1:
            with pytest.raises(FormatError, match="truncated" if size else "empty"):
                unpack(data[:size])
            continue
        content = unpack(data[:size])
        assert content.truncated and content.tiles == PARTS[:whole]
        assert f"ends at byte {size}, after {whole // 6} of at most 4 layers" in content.warnings[0]
        assert unpack(data[:size], salvage=True).tiles == PARTS[:whole]


def test_damage_is_no_truncation() -> None:
    data = pack(FULL)
    ends = len(data) - len(END)
    for offset in range(8, len(data)):
        for mask in (1, 0x40, 0x80):
            damaged = data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :]
            if offset < ends:
                with pytest.raises(FormatError):
                    unpack(damaged)
            else:  # without its end box, a file is one that stops
                with contextlib.suppress(FormatError):
                    assert unpack(damaged).truncated


def test_a_file_that_stops_has_its_alpha_channel() -> None:
    opening = head(dataclasses.replace(HEADER, alpha=True), alpha=b"PNG")
    parts = b"".join(tile(part, i) for i, part in enumerate(PARTS))
    assert unpack(opening + parts[:200]).alpha == b"PNG"
    without = opening.replace(box("A", b"PNG"), b"") + parts[:200]
    for read in (unpack, lambda data: calotype.truncate(data, 10**6), calotype.probe):
        with pytest.raises(FormatError, match="alpha channel is missing"):
            read(without)


def test_lost_parts_are_none() -> None:
    data = pack(FULL)
    offset = data.index(PARTS[9])
    found = unpack(data[:offset] + b"?" + data[offset + 1 :], salvage=True)
    assert found.tiles == (*PARTS[:9], None, *PARTS[10:])
    assert any("layer 2, tile 4 of 6" in sentence for sentence in found.warnings)
    assert found.warnings[-1] == "1 of 24 parts of the tiles are lost: 10"


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([END], "layer 1, tile 1 of 6 is missing, the end box"),
        ([tile(b"x", 1), END], "layer 1, tile 1 of 6 at byte .* damaged or out of place"),
        ([*(tile(b"", i) for i in range(24)), tile(b"", 24), END], "one more than the 24"),
        ([tile(b"x", 0), b"Q"], "byte"),
        ([tile(b"x", 0), box("Q", b"new")], "critical"),
        ([tile(b"x", 0), END, b"more"], "4 bytes follow"),
    ],
)
def test_wrong_layers(pieces: list[bytes], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        unpack(head(HEADER) + b"".join(pieces))


def test_headers_of_layers() -> None:
    for layers, words in ((256, "256 layers"), (-1, "-1 layers")):
        with pytest.raises(PictureError, match=words):
            head(dataclasses.replace(HEADER, layers=layers))
    with pytest.raises(PictureError, match="more than 66560"):
        head(dataclasses.replace(HEADER, width=65535, height=4096, layers=2))
    for count in (0, 25):
        with pytest.raises(FormatError, match=f"{count} parts"):
            pack(dataclasses.replace(FULL, tiles=(b"",) * count))
