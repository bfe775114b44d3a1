# SPDX-License-Identifier: BSD-3-Clause
"""The container: what is written comes back, and what is damaged is noticed, named and contained."""

from __future__ import annotations

import dataclasses
import random
import re
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype import container as calo
from calotype.container import (
    END,
    CodePoints,
    Container,
    Density,
    Header,
    Metadata,
    boxes,
    head,
    pack,
    read_front,
    read_header,
    tile,
    unpack,
)
from calotype.container.boxes import box
from calotype.container.parts import TooNewError
from calotype.container.salvage import tile_index
from calotype.errors import CalotypeError, FormatError, LossWarning, PictureError

HEADER = Header("talbot", bytes.fromhex("5eed1e55"), 250, 190, 3, 8, True, 60 * 256, 64)
TILES = tuple(bytes([65 + index]) * (5 + 7 * index) for index in range(12))  # 4 across, 3 down
FULL = Container(
    HEADER,
    Metadata(
        b"profile " * 9, b"Exif\0\0" * 3, b"<x:xmpmeta/>", CodePoints(9, 16), b"\x1c\x02", (("A", "ä"),), Density(1, 2)
    ),
    b"\x89PNG alpha",
    TILES,
)
FIELDS = [field.name for field in dataclasses.fields(Metadata)]
PLAIN = Container(dataclasses.replace(HEADER, alpha=False), tiles=TILES)

headers = st.builds(
    Header,
    codec=st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=16),
    bundle=st.binary(min_size=4, max_size=4),
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    channels=st.sampled_from([1, 3]),
    depth=st.sampled_from([8, 16]),
    alpha=st.booleans(),
    quality=st.integers(0, 65535),
    tile=st.sampled_from([64 << shift for shift in range(10)]),
)


@st.composite
def containers(draw: st.DrawFn) -> Container:
    header = draw(headers)
    metadata = st.none() | st.binary(max_size=300)
    return Container(
        header,
        Metadata(draw(metadata), draw(metadata), draw(metadata)),
        draw(st.binary(max_size=300)) if header.alpha else None,
        tuple(draw(st.lists(st.binary(max_size=300), min_size=header.tile_count, max_size=header.tile_count))),
    )


def cut(data: bytes) -> list[bytes]:
    """Cut a sound file behind signature and version into its boxes."""
    pieces, offset = [], 8
    while offset < len(data):
        found = boxes.frame(memoryview(data), offset)
        assert found is not None
        pieces.append(data[offset : found.end])
        offset = found.end
    return pieces


def start_of_tile(data: bytes, number: int) -> int:
    """Offset of the box of a tile, counted from 1."""
    pieces = cut(data)
    before = pieces[: [piece[:1] for piece in pieces].index(b"T") + number - 1]
    return 8 + sum(map(len, before))


def join(*pieces: bytes, header: Header = PLAIN.header) -> bytes:
    """Signature and header box, then whatever is given."""
    return head(dataclasses.replace(header, alpha=False)) + b"".join(pieces)


def row(*payloads: bytes) -> list[bytes]:
    """The boxes of the first tiles."""
    return [tile(payload, index) for index, payload in enumerate(payloads)]


def header_file(payload: bytes) -> bytes:
    return calo.SIGNATURE + b"\x01" + box("H", payload)


def flip(data: bytes, offset: int, mask: int = 1) -> bytes:
    return data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :]


def test_the_documentation_lists_the_boxes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
    rows = [f"| `{kind.letter}` | {kind.name} | {kind.payload} |" for kind in boxes.TABLE]
    assert "\n".join(["| type | name | payload |", "|---|---|---|", *rows]) in page


def test_each_field_of_the_metadata_has_a_box() -> None:
    assert [kind.field for kind in boxes.METADATA] == [field.name for field in dataclasses.fields(Metadata)]
    assert [kind.order for kind in boxes.TABLE] == sorted(kind.order for kind in boxes.TABLE)


@given(st.integers(0, 2**22))
def test_the_size_of_a_box_is_known_beforehand(length: int) -> None:
    assert boxes.size(length) == len(box("q", bytes(length)))


# --------------------------------------------------------------------------------------------------- what comes back


@given(containers())
def test_what_is_packed_comes_back(container: Container) -> None:
    data = pack(container)
    assert unpack(data) == container
    assert unpack(data, salvage=True) == container
    assert unpack(memoryview(data)) == unpack(bytearray(data)) == container
    assert read_header(data[: calo.HEADER_BYTES]) == container.header


@given(st.integers(0, boxes.MAX_BOX))
def test_lengths_are_canonical(length: int) -> None:
    class Claims(bytes):
        def __len__(self) -> int:
            return length

    frame = box("q", Claims())[:-4]
    found = boxes.frame(memoryview(frame), 0)
    assert found is not None and found.stop - found.start == length
    assert len(frame) == 1 + max(1, -(-length.bit_length() // 7))


def test_the_front_alone() -> None:
    data = pack(FULL)
    front = dataclasses.replace(FULL, alpha=None, tiles=())
    alpha = 8 + sum(map(len, cut(data)[: 1 + len(FIELDS)]))
    assert data[alpha : alpha + 1] == b"A"
    for behind in (data[alpha:], b"A", b"", b"?", b"T" * 99):  # whatever stands there
        assert read_front(data[:alpha] + behind) == front
    assert read_front(join(*row(b"one"), box("x", zlib.compress(b"late")))).xmp is None


def test_the_front_ends_at_damage() -> None:
    data = pack(FULL)
    exif = 8 + sum(map(len, cut(data)[:2]))
    for damaged in (flip(data, exif), flip(data, exif + 3), data[: exif + 3]):
        assert read_front(damaged) == Container(FULL.header, Metadata(FULL.icc))
    for piece in (box("Q", b""), box("H", b""), box("c", b"no zlib stream"), box("q", b"") * 2000):
        late = box("x", zlib.compress(b"late"))
        assert read_front(join(piece, late)) == Container(PLAIN.header)
    assert read_front(join(box("q", b"unknown"), box("x", zlib.compress(b"x")))).xmp == b"x"
    with pytest.raises(FormatError):
        read_front(flip(data, 12))


def test_the_front_is_read_at_once() -> None:
    noise = random.Random(4).randbytes(2**22)
    start = time.perf_counter()
    for data in (join(noise), join(b"T" + noise), join(b"x" + noise)):
        read_front(data)
    assert time.perf_counter() - start < 0.2


def test_pieces_join_to_a_file() -> None:
    opening = head(HEADER, FULL.metadata, FULL.alpha)
    assert opening + b"".join(row(*TILES)) + END == pack(FULL)


def test_overhead_of_a_plain_picture() -> None:
    header = Header("talbot", b"\0\0\0\0", 6000, 4000, 3, 8, False, 60 * 256, 32768)
    for size, limit in ((100, 43), (2**14, 45), (2**21 + 1, 46)):
        codec_prefix = 2
        overhead = len(pack(Container(header, tiles=(bytes(size),)))) - size + codec_prefix
        assert overhead <= min(48, limit + codec_prefix)


def test_limits_follow_from_each_other() -> None:
    def most_tiles(width: int) -> int:
        height = min(calo.MAX_SIDE, calo.MAX_PIXELS // width)
        return Header("t", b"", width, height, 1, 8, False, 0, calo.SMALLEST_TILE).tile_count

    assert max(map(most_tiles, range(1, calo.MAX_SIDE + 1))) == calo.MAX_TILES
    longest = dataclasses.replace(HEADER, codec="x" * 16, alpha=False, layers=7)
    assert len(head(longest)) == calo.HEADER_BYTES


def test_the_example_in_the_specification() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "format.md").read_text(encoding="utf-8")
    listing = re.search(r"```hex\n(.*?)```", text, re.S)
    assert listing is not None
    data = bytes.fromhex("".join(line.split("#")[0] for line in listing[1].splitlines()))
    header = Header("talbot", bytes.fromhex("5eed1e55"), 100, 70, 3, 8, False, 15360, 64)
    assert unpack(data) == Container(header, Metadata(xmp=b"<x:xmpmeta/>"), tiles=(b"one", b"two", b"", b"\0"))
    assert len(data) == 94
    assert data.startswith(head(header)) and data.endswith(b"".join(row(b"one", b"two", b"", b"\0")) + END)


# ----------------------------------------------------------------------------------------------- what is not written


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0}, "0 x 190 pixels"),
        ({"height": 65536}, "250 x 65536 pixels"),
        ({"width": 65535, "height": 65535}, "the limit is 268435456"),
        ({"channels": 2}, "2 channels"),
        ({"depth": 12}, "12 bits"),
        ({"tile": 96}, "tile of 96"),
        ({"tile": 65536}, "tile of 65536"),
        ({"quality": 65536}, "quality 65536"),
        ({"bundle": b"12345"}, "not by 5"),
        ({"codec": "Talbot"}, "'Talbot'"),
        ({"codec": ""}, "''"),
        ({"codec": "a\n"}, "codec id"),
    ],
)
def test_headers_outside_of_the_limits(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PictureError, match=words):
        pack(dataclasses.replace(FULL, header=dataclasses.replace(HEADER, **changes)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alpha": None}, "contradict"),
        ({"tiles": TILES[:-1]}, "11 tiles"),
        ({"tiles": (*TILES[:4], None, *TILES[5:])}, "tile 5 of 12 is lost"),
    ],
)
def test_containers_that_contradict_themselves(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        pack(dataclasses.replace(FULL, **changes))


def test_payloads_above_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureError, match="the EXIF data has 16777217 bytes"):
        head(PLAIN.header, Metadata(exif=bytes(calo.MAX_METADATA + 1)))
    monkeypatch.setattr(boxes, "MAX_BOX", 99)
    with pytest.raises(PictureError, match="the tile has 100 bytes"):
        tile(bytes(100), 0)


# ------------------------------------------------------------------------------------------------- what is not read


WRONG = [
    (b"", "the file is empty"),
    (b"\x89CAL", "truncated: the file has 4 bytes"),
    (calo.SIGNATURE, "truncated: the file has 7 bytes"),
    (b"\x89PNG\r\n\x1a\n" + bytes(9), r"not a \.calo file: it begins with 89 50 4e 47"),
    (b"PK\x03\x04", r"not a \.calo file"),
    (flip(pack(PLAIN), 2), "damaged: the file begins with 89 43 40"),
    (calo.SIGNATURE + b"\x02", r"format version 2 \(byte 7\) is newer than 1.*upgrade"),
    (calo.SIGNATURE + b"\x00", "no format version 0"),
    (calo.SIGNATURE + b"\x01", "truncated: the header is missing, the file ends at byte 8"),
    (calo.SIGNATURE + b"\x01H", "truncated: the file ends at byte 9, within the length"),
    (calo.SIGNATURE + b"\x01" + END, r"byte 8 should begin the header \('H'\) but is 0x45"),
    (header_file(b"short"), "header at byte 8 has only 5 bytes"),
    (header_file(bytes(11) + b"t"), "header at byte 8 is not valid: the picture is 0 x 0"),
    (header_file(b"\xff\xff\xff\xff" + bytes(7) + b"t"), "the limit is 268435456"),
    (header_file(b"\1\0\1\0\x08" + bytes(7) + b"t"), "a layered file of 0 layers"),
    (header_file(b"\1\0\1\0\x08" + bytes(6) + b"t"), "codec id ''"),
    (header_file(b"\xff\xff\xff\x0f\x08" + bytes(6) + b"\xfft"), "255 layers of 65536 tiles are more than 66560"),
    (header_file(b"\1\0\1\0\xa0" + bytes(6) + b"t"), "tile of 65536"),
    (header_file(b"\1\0\1\0\0" + bytes(6)), "only 11 bytes"),
    (header_file(b"\1\0\1\0\0" + bytes(6) + b"T"), "codec id 'T'"),
    (header_file(b"\1\0\1\0\0" + bytes(6) + b"t" * 17), "codec id"),
    (header_file(b"\1\0\1\0\0" + bytes(6) + b"t" * 1000), "codec id"),
    (join(), "truncated: tile 1 of 12 is missing, the file ends at byte 31"),
    (join(tile(b"1", 0), b"T\x05abc"), "truncated: tile 2 of 12 ends at byte 49 but the file has 43 bytes"),
    (join(tile(b"1", 0), b"T\xff"), "truncated: the file ends at byte 40, within the length"),
    (join(b"T\xff\xff\xff\xff\x01" + bytes(99)), "length of the box at byte 31 .tile 1 of 12. is not valid"),
    (join(b"T\x80\x00" + bytes(99)), "length of the box at byte 31"),
    (join(b"\x00"), r"byte 31 should begin a box \(tile 1 of 12\) but is 0x00"),
    (join(*row(*TILES)), "truncated: the end box is missing"),
    (join(*row(*TILES[:-1]), END), "damaged: tile 12 of 12 is missing, the end box stands before byte"),
    (join(*row(*TILES), tile(b"", 12), END), "one more than the 12"),
    (pack(PLAIN) + b"more", "4 bytes follow the end of the picture at byte 631"),
    (join(*row(*TILES), box("E", b"!")), "the end box at byte 625 must be empty"),
    (join(box("H", b"")), "second header stands at byte 31"),
    (join(box("A", b"")), "an alpha channel stands at byte 31, the header knows of none"),
    (join(tile(b"", 0), box("c", zlib.compress(b""))), "the colour profile at byte 37 must stand further ahead"),
    (join(box("x", zlib.compress(b"")), box("x", zlib.compress(b""))), "the XMP data stands a second time"),
    (join(box("e", b"what")), "the EXIF data at byte 31 is not a zlib stream"),
    (join(box("e", zlib.compress(b"what")[:-1])), "not exactly one zlib stream"),
    (join(box("e", zlib.compress(b"what") + b"?")), "not exactly one zlib stream"),
    (join(tile(b"", 0), box("Q", b"new")), "box 'Q' at byte 37 is unknown and critical.*upgrade"),
    (flip(pack(FULL), -3), "does not match its CRC-32"),
]


@pytest.mark.parametrize(("data", "words"), WRONG, ids=[words for _, words in WRONG])
def test_errors_say_what_and_where(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        unpack(data)


def test_metadata_is_bounded_deflated_and_inflated() -> None:
    with pytest.raises(FormatError, match="colour profile at byte 31 inflates to more than the limit of 16777216"):
        unpack(join(box("c", zlib.compress(bytes(calo.MAX_METADATA + 1)))))
    with pytest.raises(FormatError, match="the EXIF data at byte 31 exceeds the limit of 16777216"):
        unpack(join(box("e", bytes(calo.MAX_METADATA + 1))))
    largest = bytes(calo.MAX_METADATA)
    assert unpack(pack(dataclasses.replace(PLAIN, metadata=Metadata(xmp=largest)))).xmp == largest


def test_alpha_must_be_there_and_first() -> None:
    opening = head(HEADER, alpha=b"a")
    without = opening[: -len(box("A", b"a"))]
    with pytest.raises(FormatError, match="truncated: the alpha channel is missing"):
        unpack(without)
    with pytest.raises(FormatError, match="damaged: the alpha channel is missing"):
        unpack(without + b"".join(row(*TILES)) + END)
    with pytest.raises(FormatError, match="must stand further ahead"):
        unpack(without + tile(b"", 0) + box("A", b"a"))
    with pytest.raises(FormatError, match="the alpha channel stands a second time"):
        unpack(opening + box("A", b"a"))
    with pytest.raises(FormatError, match="the XMP data at byte 38 must stand further ahead"):
        unpack(opening + box("x", zlib.compress(b"")))


def test_every_flipped_bit_is_noticed() -> None:
    data = pack(FULL)
    for offset in range(len(data)):
        for bit in range(8):
            with pytest.raises(FormatError):
                unpack(flip(data, offset, 1 << bit))


def test_every_truncation_is_noticed() -> None:
    data = pack(FULL)
    for size in range(len(data)):
        with pytest.raises(FormatError, match="truncated" if size else "empty"):
            unpack(data[:size])
        if size < len(head(HEADER, alpha=b"")) - len(box("A", b"")):
            with pytest.raises(FormatError):
                read_header(data[:size])
        else:
            assert read_header(data[:size]) == HEADER


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\r\n", b"\r"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: bytes(byte & 0x7F for byte in data),
        lambda data: data.decode("latin-1").encode(),
        lambda data: data.decode("utf-8", "replace").encode(),
        lambda data: data.decode("ascii", "replace").encode("ascii", "replace"),
    ],
)
def test_damage_by_text_mode_has_its_own_sentence(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(FormatError, match=r"transfer in text mode.*binary mode"):
        unpack(damage(pack(FULL)))


def test_unknown_boxes() -> None:
    pieces = cut(pack(FULL))
    signature = pack(FULL)[:8]
    for position in range(1, len(pieces)):
        for kind in "azq":
            data = signature + b"".join([*pieces[:position], box(kind, b"new" * 50), *pieces[position:]])
            assert unpack(data) == unpack(data, salvage=True) == FULL
        for kind in "BZQ":
            data = signature + b"".join([*pieces[:position], box(kind, b"new" * 50), *pieces[position:]])
            for salvage in (False, True):
                with pytest.raises(FormatError, match=f"box '{kind}'.*critical.*upgrade"):
                    unpack(data, salvage=salvage)
    with pytest.raises(FormatError, match="52 bytes follow the end"):
        unpack(pack(FULL) + box("q", bytes(46)))


def test_metadata_in_any_order() -> None:
    signature, (header, icc, exif, xmp, *rest) = pack(FULL)[:8], cut(pack(FULL))
    assert unpack(signature + b"".join([header, xmp, exif, icc, *rest])) == FULL


# ----------------------------------------------------------------------------------------------- what can be salvaged


def lost(container: Container) -> list[int]:
    """Numbers of the lost tiles; all others must be the right ones."""
    assert len(container.tiles) == len(TILES)
    for found, wanted in zip(container.tiles, TILES, strict=True):
        assert found in (None, wanted)
    return [number for number, payload in enumerate(container.tiles, 1) if payload is None]


def test_a_damaged_payload_costs_that_tile() -> None:
    data = pack(FULL)
    for number in range(1, 13):
        container = unpack(flip(data, start_of_tile(data, number) + 3), salvage=True)
        assert lost(container) == [number]
        assert dataclasses.replace(container, tiles=TILES, warnings=()) == FULL
        assert f"tile {number} of 12 at byte {start_of_tile(data, number)} is damaged" in container.warnings[0]
        assert container.warnings[1:] == (f"1 of 12 tiles are lost: {number}",)


@pytest.mark.parametrize("mask", [1, 4, 0x20, 0x80, 0xFF])
def test_a_damaged_type_or_length_costs_that_tile(mask: int) -> None:
    data = pack(FULL)
    for number in range(1, 13):
        for offset in (0, 1):
            assert lost(unpack(flip(data, start_of_tile(data, number) + offset, mask), salvage=True)) == [number]


def test_damage_in_several_places() -> None:
    data = pack(FULL)
    length_of_2, length_of_9 = start_of_tile(data, 2) + 1, start_of_tile(data, 9) + 1
    both = flip(flip(data, length_of_2, 0x80), length_of_9, 0x80)
    assert lost(unpack(both, salvage=True)) == [2, 9]
    more = flip(flip(both, start_of_tile(data, 4) + 2), start_of_tile(data, 5) + 2)
    assert lost(unpack(more, salvage=True)) == [2, 4, 5, 9]
    # Tiles 9 and 10 gone from within: 3 to 8 stand between gaps of 1 and 2 tiles, or of 2 and 1.
    hidden = both[: length_of_9 - 1] + both[start_of_tile(data, 11) - 3 :]
    container = unpack(hidden, salvage=True)
    assert lost(container) == [2, 9, 10]
    assert container.warnings[-1] == "3 of 12 tiles are lost: 2, 9-10"


def test_a_length_that_leads_to_a_later_box_deceives_nobody() -> None:
    equal = tuple(bytes([65 + index]) * 10 for index in range(12))  # 16 bytes a box
    data = pack(dataclasses.replace(PLAIN, tiles=equal))
    swallowed = flip(data, start_of_tile(data, 3) + 1, 0x10)  # length 26: tile 4 seems to be a part of tile 3
    assert unpack(swallowed, salvage=True).tiles == (*equal[:2], None, *equal[3:])
    both = flip(swallowed, start_of_tile(data, 4) + 4)
    assert unpack(both, salvage=True).tiles == (*equal[:2], None, None, *equal[4:])


def rearranged(*order: int) -> bytes:
    """The plain picture with its tile boxes in this order, by index."""
    tiles = row(*TILES)
    return join(*(tiles[index] for index in order), END)


@pytest.mark.parametrize(
    ("order", "number", "missing"),
    [
        ((0, 1, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11), 3, []),  # neighbours swapped
        ((11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0), 1, []),  # the first and the last swapped
        ((0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 3, []),  # inserted a second time
        ((0, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11), 3, [3]),  # written over another one
        ((0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11), 3, [3]),  # dropped
        ((0, 1, 8, 9, 10, 11), 3, [3, 4, 5, 6, 7, 8]),  # several dropped
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 1, [1]),
        ((11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 1, []),
    ],
)
def test_whole_tiles_out_of_place(order: tuple[int, ...], number: int, missing: list[int]) -> None:
    data = rearranged(*order)
    place = len(join(*(tile(TILES[index], index) for index in order[: number - 1])))
    with pytest.raises(FormatError, match=f"^tile {number} of 12 at byte {place} is damaged or out of place"):
        unpack(data)
    container = unpack(data, salvage=True)
    assert lost(container) == missing
    index = order[number - 1]
    assert (
        container.warnings[0] == f"tile {index + 1} of 12 stands at byte {place}, where tile {number} of 12 should be"
    )


def test_equal_tiles_are_told_apart() -> None:
    assert len({tile(b"same", index) for index in range(1000)}) == 1000


def test_the_last_tile_dropped_or_doubled() -> None:
    with pytest.raises(FormatError, match="tile 12 of 12 is missing, the end box stands before byte"):
        unpack(rearranged(*range(11)))
    assert lost(unpack(rearranged(*range(11)), salvage=True)) == [12]
    with pytest.raises(FormatError, match="one more than the 12"):
        unpack(rearranged(*range(12), 11))
    container = unpack(rearranged(*range(12), 11), salvage=True)
    assert lost(container) == [] and any("tile 12 of 12 stands a second time" in text for text in container.warnings)


def test_a_tile_cut_out_is_salvaged_exactly() -> None:
    """Nothing of the file but the header and pieces of it, noise in between."""
    data = pack(PLAIN)
    noise = zlib.compress(bytes(range(256)) * 9)
    for number in range(1, 13):
        alone = cut(data)[number]
        container = unpack(join(noise, alone, noise), salvage=True)
        assert lost(container) == [other for other in range(1, 13) if other != number]


@given(st.integers(0, calo.MAX_TILES - 1), st.binary(max_size=3000))
def test_the_crc_tells_the_index(index: int, payload: bytes) -> None:
    data = memoryview(tile(payload, index))
    found = boxes.frame(data, 0)
    assert found is not None and tile_index(data, found) == index
    assert int.from_bytes(data[-4:], "little") == zlib.crc32(data[:-4], 2**32 - 1 - index)


def test_a_flipped_type_never_makes_a_sound_box() -> None:
    """The index of a tile must not make up for damage of its type."""
    for index in range(0, 66_000, 7):
        data = tile(b"", index)
        for kind in b"ABCDEFGHIJKLMNOPQRSUVWXYZabcdefghijklmnopqrstuvwxyz":
            view = memoryview(bytes([kind]) + data[1:])
            found = boxes.frame(view, 0)
            assert found is not None and boxes.crc_error(view, found, 0)


def test_unknown_boxes_are_bounded() -> None:
    data = join(*row(*TILES), box("q", b"") * calo.MAX_UNKNOWN_BOXES, END)
    assert unpack(data) == unpack(data, salvage=True) == PLAIN
    more = join(box("z", b""), *row(*TILES), box("q", b"") * calo.MAX_UNKNOWN_BOXES, END)
    with pytest.raises(FormatError, match=r"box 'q' at byte \d+ is one more than the limit of 1024 unknown boxes"):
        unpack(more)
    container = unpack(more, salvage=True)
    assert container.tiles == TILES and len(container.warnings) == 1


def test_truncated_files_give_the_whole_tiles() -> None:
    data = pack(FULL)
    first = start_of_tile(data, 1)
    ends = [start_of_tile(data, number + 1) for number in range(1, 12)] + [len(data) - len(END)]
    for size in range(first, len(data)):
        container = unpack(data[:size], salvage=True)
        assert lost(container) == [number for number, end in enumerate(ends, 1) if end > size]
        assert dataclasses.replace(container, tiles=TILES, warnings=()) == FULL
        assert container.warnings[0].startswith("truncated")


def test_a_damaged_end_costs_nothing() -> None:
    data = pack(FULL)
    for offset in range(len(data) - len(END), len(data)):
        container = unpack(flip(data, offset), salvage=True)
        assert dataclasses.replace(container, warnings=()) == FULL and container.warnings
    container = unpack(data + b"more", salvage=True)
    assert dataclasses.replace(container, warnings=()) == FULL
    assert container.warnings == (f"4 bytes follow the end of the picture at byte {len(data)}",)


def test_damage_before_the_tiles_costs_no_tile() -> None:
    data = pack(FULL)
    without = [
        *(dataclasses.replace(FULL, metadata=dataclasses.replace(FULL.metadata, **{f: None})) for f in FIELDS),
        dataclasses.replace(FULL, alpha=None),
    ]
    offset = 8
    for index, piece in enumerate(cut(data)[: 1 + len(without)]):
        if index:
            for place in range(len(piece)):
                container = unpack(flip(data, offset + place, 0x80), salvage=True)
                assert dataclasses.replace(container, warnings=()) == without[index - 1]
                assert ("the alpha channel is lost" in container.warnings) == (index == len(without))
        offset += len(piece)
    bomb = join(box("c", zlib.compress(bytes(2**25))), *row(*TILES), END)
    assert unpack(bomb, salvage=True).tiles == TILES


def test_the_header_must_be_intact() -> None:
    data = pack(FULL)
    for offset in range(len(cut(data)[0]) + 8):
        with pytest.raises(FormatError):
            unpack(flip(data, offset), salvage=True)


@settings(deadline=None)
@given(containers(), st.data())
def test_damage_in_place_never_moves_a_tile(container: Container, draws: st.DataObject) -> None:
    data = bytearray(pack(container))
    first = len(cut(bytes(data))[0]) + 8
    for _ in range(draws.draw(st.integers(1, 4))):
        start = draws.draw(st.integers(first, len(data) - 1))
        junk = draws.draw(st.binary(min_size=1, max_size=40))[: len(data) - start]
        data[start : start + len(junk)] = junk
    found = unpack(bytes(data), salvage=True)
    if found.warnings == ():
        assert found == container
    for ours, original in zip(found.tiles, container.tiles, strict=True):
        assert ours in (None, original)
    for ours, original in ((found.icc, container.icc), (found.alpha, container.alpha)):
        assert ours in (None, original)


def test_salvaging_is_quick() -> None:
    noise = zlib.compress(str(list(range(1_200_000))).encode())  # about 2.5 MB that look random
    tiles = (noise[:1_000_000], b"second", noise[1_000_000:], *TILES[3:])
    data = pack(dataclasses.replace(PLAIN, tiles=tiles))
    begin = time.process_time()
    for number in (1, 3):
        damaged = flip(data, start_of_tile(data, number) + 1, 0x80)
        wanted = tuple(None if index == number - 1 else payload for index, payload in enumerate(tiles))
        assert unpack(damaged, salvage=True).tiles == wanted
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_large_tile_of_noise_costs_only_itself(number: int) -> None:
    rng = random.Random(number)
    header = dataclasses.replace(PLAIN.header, width=192, height=128)
    tiles = tuple(rng.randbytes(100_000 + 9000 * index) for index in range(6))
    data = pack(Container(header, tiles=tiles))
    for offset, mask in ((0, 0xFF), (1, 0x80), (2, 0x01), (3, 0x80)):
        found = unpack(flip(data, start_of_tile(data, number) + offset, mask), salvage=True)
        assert found.tiles == tuple(None if index == number - 1 else each for index, each in enumerate(tiles))


def test_errors_belong_to_the_family() -> None:
    assert issubclass(FormatError, CalotypeError) and issubclass(TooNewError, FormatError)


def test_salvage_says_that_a_layered_file_holds_nothing() -> None:
    header = dataclasses.replace(HEADER, alpha=False, layers=3)
    found = unpack(head(header) + END, salvage=True)
    assert found.tiles == () and "no tile is left" in found.warnings


# ------------------------------------------------------------------------------------------------- metadata


def test_millions_of_keys_do_not_fill_the_memory() -> None:
    few = (("a", "1"),) * calo.MAX_TEXTS
    assert unpack(pack(dataclasses.replace(PLAIN, metadata=Metadata(text=few)))).metadata.text == few
    data = join(box("t", zlib.compress(bytes(calo.MAX_METADATA))), *row(*TILES), END)
    with pytest.warns(LossWarning, match="first 65,536 of 8,388,608 keys"):
        assert len(unpack(data).metadata.text or ()) == calo.MAX_TEXTS


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"icc": "profile"}, "the colour profile of the picture cannot be stored: .*not 'str'"),
        ({"density": Density(2834.6, 2834.6)}, "the resolution .* integer"),
        ({"density": Density(0, 1)}, "the resolution .* positive"),
        ({"cicp": CodePoints(300, 1)}, "code points .* range"),
        ({"text": {"Author": "N. N."}}, "the text .* too many values"),
        ({"text": (("Year", 1839),)}, "the text .*'int'"),
    ],
)
def test_metadata_that_could_not_be_read_again_is_refused(about: dict[str, Any], words: str) -> None:
    with pytest.raises(PictureError, match=words):
        pack(dataclasses.replace(PLAIN, metadata=Metadata(**about)))
