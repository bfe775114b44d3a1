# SPDX-License-Identifier: BSD-3-Clause
"""Every sample comes back, of any kind of picture; regions, threads, damage and salvage tile by tile."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import calotype
from calotype import container, raster
from calotype.codecs.lossless import STILLS
from calotype.codecs.lossless import codec as module
from calotype.container import Metadata
from tests.make_golden import drawing

SHAPES = [(1, 1, 1), (1, 1, 3), (33, 17, 1), (40, 51, 3), (40, 51, 4), (20, 30, 2)]


def picture(shape: tuple[int, int, int], depth: int) -> np.ndarray:
    found = drawing(*shape, depth)
    return found[..., 0] if shape[2] == 1 else found


def has(still: str | None) -> None:
    if still == "jxl":
        pytest.importorskip("imagecodecs")


@pytest.mark.parametrize("still", [None, *STILLS])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_sample_comes_back(shape: tuple[int, int, int], depth: int, still: str | None) -> None:
    has(still)
    if (still, depth) == ("webp", 16):
        pytest.skip("WebP has 8 bits")
    samples = picture(shape, depth)
    data = calotype.encode(samples, lossless=True, still=still, verify=True)
    found = calotype.decode(data, as_array=True)
    assert found.dtype == samples.dtype and np.array_equal(found, samples)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 2**32 - 1), st.integers(0, 16),
)  # fmt: skip
def test_noise_comes_back(height: int, width: int, channels: int, kind: type, seed: int, bits: int) -> None:
    samples = np.random.default_rng(seed).integers(0, np.iinfo(kind).max, (height, width, channels), kind, True)
    samples &= np.array((1 << bits) - 1).astype(kind)  # few values as well
    found = calotype.decode(calotype.encode(samples, codec="lossless"), as_array=True)
    assert np.array_equal(found.reshape(samples.shape), samples)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TILE", 64)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("threads", [1, 3])
def test_regions_read_only_their_tiles(threads: int) -> None:
    samples = drawing(150, 200, 3, 8)
    data = calotype.encode(samples, lossless=True, threads=threads)
    content = container.unpack(data)
    assert len(content.tiles) == 12
    for left, top, right, bottom in [(0, 0, 200, 150), (3, 70, 60, 100), (63, 63, 66, 66), (199, 149, 200, 150)]:
        needed = {
            row * 4 + column
            for row in range(top // 64, -(-bottom // 64))
            for column in range(left // 64, -(-right // 64))
        }
        others = tuple(t if i in needed else b"" for i, t in enumerate(content.tiles))
        found = calotype.decode(
            container.pack(replace(content, tiles=others)), region=(left, top, right, bottom), as_array=True
        )
        assert np.array_equal(found, samples[top:bottom, left:right])


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.filterwarnings("ignore::calotype.DamageWarning")
def test_a_damaged_tile_is_lost_alone() -> None:
    samples = drawing(100, 100, 3, 8)
    content = container.unpack(calotype.encode(samples, lossless=True))
    tiles = list(content.tiles)
    tiles[1] = tiles[0]  # of another size
    data = container.pack(replace(content, tiles=tuple(tiles)))
    with pytest.raises(
        calotype.FormatError, match="tile 2 of 4: the WebP inside is 64 x 64 pixels of 8 bits, not 36 x 64"
    ):
        calotype.decode(data)
    with pytest.warns(calotype.DamageWarning, match="tile 2 of 4"):
        found = calotype.decode(data, salvage=True, as_array=True)
    assert (found[:64, 64:] == 128).all()
    assert np.array_equal(found[:, :64], samples[:, :64]) and np.array_equal(found[64:], samples[64:])
    nothing = pytest.raises(calotype.FormatError, match="nothing can be saved")
    with pytest.warns(calotype.DamageWarning, match="tile 4 of 4"), nothing:
        calotype.decode(container.pack(replace(content, tiles=(b"",) * 4)), salvage=True)


def test_metadata_and_alpha_come_back() -> None:
    source = raster.Raster(
        drawing(20, 30, 3, 8),
        np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30),
        Metadata(exif=b"MM\0*\0\0\0\x08\0\0\0\0", xmp=b"<x/>"),
    )
    found = calotype.api.decode.decode_raster(calotype.encode(source, lossless=True))
    assert np.array_equal(found.samples, source.samples) and np.array_equal(found.alpha, source.alpha)
    assert found.metadata == source.metadata


def test_what_is_refused() -> None:
    samples = drawing(8, 8, 3, 16)
    with pytest.raises(calotype.PictureError, match="WebP has 8 bits"):
        calotype.encode(samples, lossless=True, still="webp")
    with pytest.raises(calotype.PictureError, match="leave out quality"):
        calotype.encode(samples, lossless=True, quality=50)
    with pytest.raises(calotype.PictureError, match="leave out quality"):
        calotype.encode(samples, codec="lossless", target_size=5000)
    with pytest.raises(calotype.PictureError, match="'tao2017' is not lossless"):
        calotype.encode(samples, codec="tao2017", lossless=True)


def test_headers_that_it_never_writes() -> None:
    content = container.unpack(calotype.encode(drawing(8, 8, 3, 8), lossless=True))
    for change, match in [
        ({"tile": 64}, "tiles of 4096"),
        ({"quality": 256}, "neither"),
        ({"bundle": b"1234"}, "neither"),
    ]:
        with pytest.raises(calotype.FormatError, match=match):
            calotype.decode(container.pack(replace(content, header=replace(content.header, **change))))


DRAWN = {
    "flat": np.full((256, 256, 3), 77, np.uint8),
    "checkerboard": np.indices((256, 256)).sum(0).astype(np.uint8) % 2 * 255,
    "stripes": np.broadcast_to(np.arange(256, dtype=np.uint8) % 2 * 255, (256, 256)).copy(),
    "gradient": np.indices((256, 256)).sum(0).astype(np.uint8) // 2,
    "photograph-like": drawing(256, 256, 3, 8),
}


@pytest.mark.parametrize("name", DRAWN)
def test_smaller_than_png(name: str) -> None:
    """One pixel is not: it takes 79 bytes instead of 69."""
    memory = io.BytesIO()
    Image.fromarray(DRAWN[name]).save(memory, "PNG", optimize=True)
    data = calotype.encode(DRAWN[name], lossless=True)
    assert np.array_equal(calotype.decode(data, as_array=True), DRAWN[name])
    assert len(data) < len(memory.getvalue())


def test_info_says_what_is_inside() -> None:
    assert calotype.probe(calotype.encode(drawing(8, 8, 3, 8), lossless=True)).inside == "1 WebP"
    assert calotype.probe(calotype.encode(drawing(8, 8, 1, 16)[..., 0], lossless=True)).inside == "1 PNG"


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(calotype.DependencyError, match=r"needs imagecodecs: pip install 'calotype\[jxl\]'"):
        calotype.encode(drawing(8, 8, 3, 8), lossless=True, still="jxl")
