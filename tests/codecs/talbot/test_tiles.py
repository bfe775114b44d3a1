# SPDX-License-Identifier: BSD-3-Clause
"""Tiles that hold stills: written, read back, beside the network's, and damaged."""

from __future__ import annotations

import struct
import warnings
from copy import copy
from dataclasses import replace
from functools import cache
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import calotype
from calotype import codecs, container
from calotype.arrays import Samples
from calotype.codecs.quality import to_header
from calotype.codecs.talbot import STILLS, stills
from calotype.codecs.talbot.codec import Talbot
from calotype.codecs.talbot.plan import Plan
from calotype.codecs.talbot.tiles import Payload, cell_grid, is_network, parse, write
from calotype.container import Container, header_for
from calotype.engine.tiling import Rectangle
from calotype.raster import Raster
from calotype.raster.stills import avif, png, webp
from calotype.raster.stills.reading import Size
from tests.make_golden import drawing

pytestmark = pytest.mark.usefixtures("golden_weights")
QUALITY = to_header(60)
SIDE = 1024


def picture(height: int, width: int, channels: int = 3, depth: int = 8) -> Samples:
    return cast(Samples, drawing(height, width, channels, depth))


def codec(threads: int = 1) -> Talbot:
    return cast(Talbot, codecs.get("talbot").open(threads))


def whole(samples: Samples, still: bytes | None = None, raw: bytes | None = None) -> Payload:
    return Payload(still=still, raw=raw, cells=np.ones(cell_grid(*samples.shape[:2]), bool))


def packed(samples: Samples, plan: Plan) -> bytes:
    talbot = codec()
    payloads = talbot.encode_planned(samples, QUALITY, plan)
    header = header_for(Raster(samples), talbot.bundle, QUALITY, talbot.tile)
    return container.pack(Container(replace(header, codec=talbot.file_id(payloads)), tiles=tuple(payloads)))


def mixed(samples: Samples) -> tuple[Plan, np.ndarray]:
    """Two tiles: cells of the first one are a still."""
    tile = np.ascontiguousarray(samples[:, :SIDE])
    cells = np.zeros(cell_grid(*tile.shape[:2]), bool)
    cells[:, 3:9] = True
    return Plan({0: Payload(still=webp.write(tile), cells=cells)}), cells


@settings(max_examples=60)
@given(st.integers(1, 200), st.integers(1, 200), st.binary(max_size=9), st.integers(0, 20), st.randoms())
def test_payloads_come_back(height: int, width: int, still: bytes, words: int, random: object) -> None:
    network = bytes(4 * words + 2)
    assert parse(write(Payload(network)), height, width) == Payload(network)
    rows, columns = cell_grid(height, width)
    cells = np.ones((rows, columns), bool)
    found = parse(write(Payload(still=still, cells=cells)), height, width)
    assert (found.still, found.network, found.raw) == (still, None, None) and found.cells is not None
    assert found.cells.all() and not is_network(write(found))
    if rows * columns > 1:
        cells[0, 0] = False
        found = parse(write(Payload(network, still, None, cells)), height, width)
        assert (found.still, found.network) == (still, network)
        assert np.array_equal(found.cells, cells)


@settings(max_examples=200)
@given(st.binary(max_size=64), st.integers(1, 1024), st.integers(1, 1024))
def test_any_bytes_are_parsed_or_refused(data: bytes, height: int, width: int) -> None:
    try:
        found = parse(data, height, width)
    except calotype.FormatError:
        return
    assert write(found) == data


@pytest.mark.parametrize("channels", [1, 3])
def test_stills_are_exact_but_for_avif(channels: int) -> None:
    samples = picture(70, 90, channels)
    size = Size(90, 70, channels, 8)
    for still in (webp.write(samples), png.write(samples)):
        assert np.array_equal(stills.read(whole(samples, still), size), samples)
    assert np.array_equal(stills.read(whole(samples, raw=stills.raw(samples)), size), samples)
    near = stills.read(whole(samples, avif.write(samples, 90)), size)
    assert np.abs(near.astype(int) - samples).mean() < 4
    deep = picture(9, 7, channels, 16)
    assert np.array_equal(stills.read(whole(deep, raw=stills.raw(deep)), Size(7, 9, channels, 16)), deep)


def test_files_with_stills_have_an_id_of_their_own() -> None:
    samples = picture(40, SIDE + 60)
    data = packed(samples, mixed(samples)[0])
    assert container.read_header(data).codec == STILLS
    assert container.read_header(packed(samples, Plan())).codec == "talbot"
    assert packed(samples, Plan()) == calotype.encode(samples, quality=60, threads=1)
    with pytest.raises(calotype.PictureError, match=f"no codec '{STILLS}'"):
        calotype.encode(samples, codec=STILLS)
    facts = calotype.probe(data)
    assert facts.kinds == ("WebP and network", "network") and facts.inside == "1 WebP and network, 1 network"


@pytest.mark.parametrize("threads", [1, 3])
def test_cells_of_the_still_are_exact_and_regions_equal_the_whole(threads: int) -> None:
    samples = picture(150, SIDE + 200)
    plan, _ = mixed(samples)
    data = packed(samples, plan)
    found = calotype.decode(data, as_array=True, threads=threads)
    assert np.array_equal(found[:, 3 * 64 : 9 * 64], samples[:, 3 * 64 : 9 * 64])
    assert not np.array_equal(found, samples)
    for region in ((0, 0, 100, 60), (180, 20, 600, 150), (1000, 100, 1100, 149), (200, 3, 210, 9)):
        left, top, right, bottom = region
        part = calotype.decode(data, as_array=True, region=region, threads=threads)
        assert np.array_equal(part, found[top:bottom, left:right])


def test_a_still_is_a_border_to_the_network() -> None:
    """What lies beside a still is coded as if the picture ended there, whatever the still shows."""
    samples = picture(128, SIDE + 128)
    other = samples.copy()
    other[:, :SIDE] = 255 - other[:, :SIDE]
    talbot = codec()
    right = []
    for shown in (samples, other):
        tile = np.ascontiguousarray(shown[:, :SIDE])
        payloads = talbot.encode_planned(shown, QUALITY, Plan({0: whole(tile, webp.write(tile))}))
        decoded = talbot.decode(payloads, shown.shape, 8, QUALITY)
        assert np.array_equal(decoded[:, :SIDE], tile)
        right.append((payloads[1], decoded[:, SIDE:].tobytes()))
    alone = np.ascontiguousarray(samples[:, SIDE:])
    (payload,) = talbot.encode(alone, QUALITY)
    assert right[0] == right[1] == (payload, talbot.decode([payload], alone.shape, 8, QUALITY).tobytes())


def test_pictures_of_stills_alone_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = picture(30, 50, 1, 16)
    talbot = codec()
    monkeypatch.setattr(Talbot, "synthesis", None)
    monkeypatch.setattr(Talbot, "analysis", None)
    reports: list[tuple[int, int]] = []
    plan = Plan({0: whole(samples, png.write(samples))})
    payloads = talbot.encode_planned(samples, QUALITY, plan, lambda *at: reports.append(at))
    found = talbot.decode(payloads, samples.shape, 16, QUALITY, progress=lambda *at: reports.append(at))
    assert np.array_equal(found, samples) and reports == [(1, 1), (1, 1)]
    part = talbot.decode(payloads, samples.shape, 16, QUALITY, Rectangle(3, 4, 20, 9))
    assert np.array_equal(part, samples[4:9, 3:20])


def test_high_efforts_search_beside_stills() -> None:
    samples = picture(100, 300)
    cells = np.zeros(cell_grid(100, 300), bool)
    cells[0, :2] = True
    plan = Plan({0: Payload(still=webp.write(samples), cells=cells)})
    talbot = copy(codec())  # which other tests share
    talbot.effort = 5
    payloads = talbot.encode_planned(samples, QUALITY, plan)
    found = talbot.decode(payloads, samples.shape, 8, QUALITY)
    assert np.array_equal(found[:64, :128], samples[:64, :128])


def resized(data: bytes, width: int, height: int) -> bytes:
    """An AVIF whose box says another size than its stream."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@cache
def bad_stills() -> dict[str, tuple[bytes, str]]:
    samples = picture(60, 50)
    good = avif.write(samples, 60)
    stream = good.index(b"mdat") + 4
    sequence = good[stream + 2 : stream + 4 + good[stream + 3]]
    return {
        "another size": (avif.write(picture(61, 50), 60), "AVIF inside is 50 x 61 pixels"),
        "a lie about the size": (resized(avif.write(picture(120, 100), 60), 50, 60), "AVIF inside is 50 x 60"),
        "cut short": (good[:-9], "AVIF inside"),
        "a second header": (good.replace(sequence, sequence * 2, 1), "AVIF inside"),
        "another box": (good.replace(b"pixi", b"irot"), "does not belong there"),
        "no AVIF": (b"\0\0\0\x20ftypavif", "a box"),
        "lossy WebP": (b"RIFF\x40\0\0\0WEBPVP8 " + bytes(60), "WebP inside is not a single lossless picture"),
        "JPEG": (b"\xff\xd8\xff" + bytes(60), "not a AVIF, WebP, PNG or JPEG XL"),
        "nothing": (b"", "not a AVIF"),
    }


@pytest.mark.parametrize("what", bad_stills())
def test_wrong_stills_are_refused(what: str) -> None:
    still, message = bad_stills()[what]
    samples = picture(60, 50)
    with pytest.raises(calotype.FormatError, match=message):
        stills.read(whole(samples, still), Size(50, 60, 3, 8))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_avif_is_read_or_refused(data: st.DataObject) -> None:
    samples = picture(24, 20)
    good = bytearray(avif.write(samples, 50))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = stills.read(whole(samples, bytes(good)), Size(20, 24, 3, 8))
    except calotype.FormatError:
        return
    assert found.shape == samples.shape


def test_a_damaged_still_costs_its_tile_alone() -> None:
    samples = picture(70, SIDE + 80)
    plan, _ = mixed(samples)
    talbot = codec()
    payloads: list[bytes | None] = [*talbot.encode_planned(samples, QUALITY, plan)]
    sound = talbot.decode(payloads, samples.shape, 8, QUALITY)
    for damaged in (write(whole(samples[:, :SIDE], b"no file")), b"\x09\0\0\0", b"\1\7\0\0", b"\1"):
        broken = [damaged, payloads[1]]
        with pytest.raises(calotype.FormatError, match="tile 1 of 2: "):
            talbot.decode(broken, samples.shape, 8, QUALITY)
        with pytest.warns(calotype.DamageWarning, match="tile 1 of 2: "):
            saved = talbot.decode(broken, samples.shape, 8, QUALITY, salvage=True)
        far = slice(SIDE + 9 * 16, None) if damaged[:1] != b"\1" else slice(SIDE, None)
        assert saved.shape == sound.shape and saved[:, far].shape == sound[:, far].shape
    with warnings.catch_warnings(), pytest.raises(calotype.FormatError, match="no tile of the picture is whole"):
        warnings.simplefilter("ignore")
        talbot.decode([b"\1", None], samples.shape, 8, QUALITY, salvage=True)


def test_the_only_still_can_be_extracted() -> None:
    samples = picture(30, 40)
    still = avif.write(samples, 50)
    assert calotype.extract(packed(samples, Plan({0: whole(samples, still)}))) == still
    with pytest.raises(calotype.FormatError, match="keeps no standard file"):
        calotype.extract(packed(samples, Plan({0: whole(samples, raw=stills.raw(samples))})))


def test_pillow_opens_them() -> None:
    import io

    from PIL import Image

    import calotype.pillow

    calotype.pillow.register()
    samples = picture(40, SIDE + 60)
    with Image.open(io.BytesIO(packed(samples, mixed(samples)[0]))) as image:
        assert np.array_equal(np.asarray(image)[:, 200:500], samples[:, 200:500])
