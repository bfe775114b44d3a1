# SPDX-License-Identifier: BSD-3-Clause
"""What every codec promises: each registered one, and one of another package, runs through the same tests.

Weights are small ones. A new codec needs no line here, unless it has no small weights in ``tests``: then those that
ship are used.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import calotype
from calotype import codecs, container
from calotype.codecs.base import Entry
from calotype.codecs.options import Option
from calotype.codecs.quality import QUALITY_MAX, QUALITY_MIN, to_header
from calotype.errors import DamageWarning, FormatError, PictureError
from tests.codecs.toy_codec import foreign
from tests.make_golden import GOLDEN, drawing
from tests.small_enlarger import write_enlarger
from tests.small_tao2017 import write_bundle

KINDS = [(1, 8), (2, 8), (3, 8), (4, 8), (1, 16), (2, 16), (3, 16), (4, 16)]  # channels and depth
SIZES = [(1, 1), (1, 2), (33, 17), (70, 101)]
WIDEST = 2100  # pixels; a codec with larger tiles has one for all pictures here


@pytest.fixture(scope="module", autouse=True)
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("weights")
    for model, scale in (("srresnet", 2), ("srresnet", 4), ("srgan", 2), ("srgan", 4)):
        write_enlarger(folder, model, scale)
    if find_spec("onnx"):
        write_bundle(folder)
    with pytest.MonkeyPatch.context() as patch, foreign(("toy", "calotype_toy:ENTRY")):
        patch.setenv("CALOTYPE_WEIGHTS", os.pathsep.join([str(folder), str(GOLDEN / "weights")]))
        yield


@pytest.fixture(scope="module", params=[*codecs.OURS, "toy"])
def entry(request: pytest.FixtureRequest) -> Entry:
    return codecs.get(request.param)


def encode(entry: Entry, picture: np.ndarray, **options: Any) -> bytes:
    if entry.lossless:
        options.pop("quality", None)  # there is none
    return calotype.encode(picture, codec=entry.id, threads=1, **options)


def decode(data: bytes, **options: Any) -> np.ndarray:
    found: np.ndarray = calotype.decode(data, threads=1, as_array=True, **options)
    return found


def damaged(data: bytes, tile: int) -> bytes:
    """A file in which one bit of a tile is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        payload = container.unpack(data, salvage=True).tiles[tile]
    assert payload
    place = data.index(payload) + len(payload) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def repacked(data: bytes, *tiles: bytes, **changes: Any) -> bytes:
    """A file with sound checksums that says something else."""
    content = container.unpack(data)
    header = replace(content.header, **changes)
    return container.pack(replace(content, header=header, tiles=tiles or content.tiles))


# --- what is declared -------------------------------------------------------------------------------------------------


def test_the_entry_is_complete(entry: Entry) -> None:
    assert re.fullmatch(codecs.ID, entry.id) and entry.title and entry.paper
    opened = entry.open(1)
    assert opened.bundle.codec == entry.id and (entry.weightless or opened.bundle in entry.bundles())
    assert opened.tile >= 64 and opened.layers >= 0
    assert opened.with_options(entry.options()).tile == opened.tile
    assert isinstance(opened, codecs.Growing) == (opened.layers > 0)
    for option in entry.takes:
        assert option.help.endswith(".") and option.shown
        if option.default is not None:
            assert option.check(option.default, entry.id) == option.default


def beyond(option: Option) -> list[object]:
    """Values that an option refuses."""
    found: list[object] = [["x"], True]
    found += [3] if option.type is str else ["3"]
    found += [option.low - 1] if option.low is not None else []
    found += [option.high + 1] if option.high is not None else []
    if option.choices and not option.pattern:
        found += ["none of them"] if option.type is str else [max(map(int, option.choices)) + 1]
    return found


def test_options_are_refused_by_name(entry: Entry) -> None:
    picture = drawing(8, 8, 3, 8)
    with pytest.raises(PictureError, match=f"codec '{entry.id}' has no option zeal"):
        encode(entry, picture, zeal=3)
    for option in entry.takes:
        for value in beyond(option):
            with pytest.raises(PictureError, match=f"^{option.name} of codec '{entry.id}' should be .*, not "):
                encode(entry, picture, **{option.name: value})
        assert encode(entry, picture, **{option.name: None}) == encode(entry, picture)  # None: the default
    names = {option.name for other in codecs.available() for option in other.takes}
    for name in names - {option.name for option in entry.takes}:
        with pytest.raises(PictureError, match=f"codec '{entry.id}' has no option {name}"):
            encode(entry, picture, **{name: 1})


def test_every_choice_encodes_and_leaves_the_codec_as_it_was(entry: Entry) -> None:
    picture = drawing(20, 33, 3, 8)
    before = encode(entry, picture)
    for option in entry.takes:
        values = option.choices or [bound for bound in (option.low,) if bound is not None]
        for value in values:
            try:
                data = encode(entry, picture, **{option.name: int(value) if option.type is int else value})
            except calotype.DependencyError:  # a Pillow without AVIF
                continue
            assert decode(data).shape == picture.shape
    assert encode(entry, picture) == before


# --- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_every_kind_of_picture_comes_back(entry: Entry, size: tuple[int, int]) -> None:
    for channels, depth in KINDS:
        picture = drawing(*size, channels, depth)
        data = encode(entry, picture, quality=70)
        assert data == encode(entry, picture, quality=70)
        decoded = decode(data)
        expected = picture[..., 0] if channels == 1 else picture
        assert decoded.shape == expected.shape and decoded.dtype == picture.dtype
        if channels in (2, 4):
            assert (decoded[..., -1] == picture[..., -1]).all()
        assert not entry.lossless or (decoded == expected).all()
        info = calotype.probe(data)
        assert (info.width, info.height, info.depth) == (*size[::-1], depth)
        assert info.codec in (entry.id, *entry.also)
        assert info.bundle == entry.open(1).with_options(entry.options()).bundle.tag.hex()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(KINDS), st.floats(1, 100))
def test_any_size_and_quality(entry: Entry, height: int, width: int, kind: tuple[int, int], quality: float) -> None:
    picture = drawing(height, width, *kind)
    data = encode(entry, picture, quality=quality)
    assert decode(data).shape == (picture[..., 0] if kind[0] == 1 else picture).shape
    assert calotype.probe(data).quality == (0 if entry.lossless else pytest.approx(quality, abs=1 / 512))


def test_qualities_end_at_1_and_100(entry: Entry) -> None:
    picture = drawing(40, 50, 3, 8)
    least, best = (encode(entry, picture, quality=quality) for quality in (QUALITY_MIN, QUALITY_MAX))
    assert len(least) <= len(best) and decode(least).shape == decode(best).shape == picture.shape
    for quality in (0.99, 100.01, -1, float("nan"), "60"):
        with pytest.raises(PictureError, match="quality should be a number from 1 to 100"):
            calotype.encode(picture, codec=entry.id, quality=quality)
    if entry.lossless:
        with pytest.raises(PictureError, match="leave out quality and targets"):
            calotype.encode(picture, codec=entry.id, quality=60)


def test_latents_give_the_same_file(entry: Entry) -> None:
    samples = drawing(60, 90, 3, 8)
    codec = entry.open(1)
    latents = codec.latents(samples)
    for quality in (20, 80):
        assert codec.encode_latents(latents, to_header(quality)) == codec.encode(samples, to_header(quality))


def test_regions_are_parts_of_the_whole(entry: Entry) -> None:
    picture = drawing(71, 150, 3, 8)
    data = encode(entry, picture, quality=80)
    whole = decode(data).astype(int)
    for left, top, right, bottom in [(0, 0, 150, 71), (1, 1, 2, 2), (149, 70, 150, 71), (37, 12, 101, 65)]:
        part = decode(data, region=(left, top, right, bottom))
        assert part.shape == (bottom - top, right - left, 3)
        assert np.abs(part - whole[top:bottom, left:right]).max() <= 1


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(entry: Entry) -> bytes:
    """Two tiles or more, where tiles are not huge."""
    tile = entry.open(1).tile
    return encode(entry, drawing(24, min(tile + 40, WIDEST), 3, 8), quality=60)


def test_damage_is_an_error(entry: Entry, file: bytes) -> None:
    for tile in (0, -1):
        with pytest.raises(FormatError):
            decode(damaged(file, tile))
    layered = entry.open(1).layers > 0  # such a file may end anywhere behind its first tile
    for size in (0, 5, 20, 40) if layered else (0, 5, 20, 40, len(file) // 2, len(file) - 1):
        with pytest.raises(FormatError):
            decode(file[:size])


@pytest.mark.filterwarnings("ignore::calotype.DamageWarning")
def test_what_is_left_can_be_salvaged(entry: Entry, file: bytes) -> None:
    header, tiles, whole = container.read_header(file), container.unpack(file).tiles, decode(file)
    everything = file
    for tile in range(len(tiles)):
        everything = damaged(everything, tile) if tiles[tile] else everything
    with pytest.raises(FormatError, match="nothing can be saved"):
        decode(everything, salvage=True)
    across = header.tile_count
    if across > 1:
        last = max(index for index, tile in enumerate(tiles) if tile and index % across == across - 1)
        with pytest.warns(DamageWarning):
            saved = decode(damaged(file, last), salvage=True)
        kept = slice(0, header.tile // 2)
        assert saved.shape == whole.shape and (saved[:, kept] == whole[:, kept]).all()


def test_payloads_that_are_nonsense(entry: Entry, file: bytes) -> None:
    """Their checksums are right: a codec is given anything."""
    rng = np.random.default_rng(5)
    tiles = container.unpack(file).tiles
    first = tiles[0]
    assert first
    for payload in (
        b"",
        b"\0",
        first[:3],
        first[: len(first) // 2],
        first + b"\0",
        rng.bytes(200),
        first[:8] + rng.bytes(90),
    ):
        try:
            decoded = decode(repacked(file, payload, *(tile or b"" for tile in tiles[1:])))
        except (FormatError, calotype.BundleError) as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert decoded.ndim == 3  # a standard file inside may end in anything


def test_headers_that_are_never_written(entry: Entry, file: bytes) -> None:
    codec, header = entry.open(1), container.read_header(file)
    entry.open(1, header.bundle).check(header)
    tile = 128 if codec.tile != 128 else 256
    for changes in ({"tile": tile}, {"quality": 17}, {"quality": 26000}):
        with pytest.raises(FormatError, match="the header names"):
            entry.open(1, header.bundle).check(replace(header, **changes))
    if not codec.layers:
        layered = repacked(file, *[tile or b"" for tile in container.unpack(file).tiles[:1]], layers=2)
        for options in ({}, {"iterations": 1}, {"salvage": True}):
            with pytest.raises(FormatError, match=f"names 2 layers; {entry.id} has none"):
                decode(layered, **options)


def test_weights_that_are_not_there_are_named(entry: Entry, file: bytes, tmp_path: Path) -> None:
    if entry.weightless:
        with pytest.raises(FormatError, match=f"the header names weights .* {entry.id} has neither"):
            decode(repacked(file, bundle=b"1234"))
        return
    with pytest.raises(calotype.BundleError, match=f"the weights 00000000 of codec '{entry.id}' are not in"):
        decode(repacked(file, bundle=b"\0" * 4))
