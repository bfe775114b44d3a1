# SPDX-License-Identifier: BSD-3-Clause
"""The codec ``ledig2017``, with small weights of talbot and bilinear interpolation in the place of the network."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import calotype
from calotype import codecs, container
from calotype.codecs import base
from calotype.codecs.ledig2017.codec import Ledig2017
from calotype.codecs.talbot import codec as talbot
from calotype.engine import bundles
from calotype.engine.tiling import Rectangle
from calotype.metrics import psnr
from tests.make_golden import GOLDEN, drawing
from tests.small_enlarger import write_enlarger


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for model in ("srresnet", "srgan"):
        for scale in (2, 4):
            write_enlarger(folder, model, scale)
    return folder


@pytest.fixture(autouse=True)
def small_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", os.pathsep.join([str(weights), str(GOLDEN / "weights")]))


def encode(picture: np.ndarray, **options: object) -> bytes:
    return calotype.encode(picture, codec="ledig2017", threads=1, **options)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3, 4]), st.sampled_from([8, 16]),
    st.sampled_from([2, 4]), st.floats(1, 100),
)  # fmt: skip
def test_any_picture(height: int, width: int, channels: int, depth: int, scale: int, quality: float) -> None:
    picture = drawing(height, width, channels, depth)
    data = encode(picture, quality=quality, scale=scale)
    decoded = calotype.decode(data, threads=1, as_array=True)
    assert decoded.shape == (picture.shape if channels > 1 else picture.shape[:2]) and decoded.dtype == picture.dtype
    if channels == 4:
        np.testing.assert_array_equal(decoded[..., 3], picture[..., 3])
    info = calotype.probe(data)
    assert (info.codec, info.width, info.height, info.tile) == ("ledig2017", width, height, 1024 * scale)
    assert info.quality == pytest.approx(quality, abs=1 / 512)


def test_a_smooth_picture_comes_back() -> None:
    y, x = np.mgrid[:90, :110]
    smooth = np.stack([128 + 60 * np.sin(x / 15), 128 + 60 * np.cos(y / 17), x + y], 2).astype(np.uint8)
    decoded = calotype.decode(encode(smooth, quality=100), as_array=True)
    plain = calotype.decode(calotype.encode(smooth, quality=100, tiles="network"), as_array=True)
    error, of_talbot = (np.abs(d.astype(float) - smooth).mean() for d in (decoded, plain))
    assert error < of_talbot + 3


def test_scale_and_model_choose_the_weights() -> None:
    picture = drawing(40, 40, 3, 8)
    cases = [({}, "srresnet-x2"), ({"scale": 4}, "srresnet-x4"), ({"scale": 4, "model": "srgan"}, "srgan-x4")]
    for options, name in cases:
        header = container.read_header(encode(picture, **options))
        assert header.bundle == bundles.find("ledig2017", name=name).tag
    assert len(encode(picture, scale=4)) < len(encode(picture, scale=2))


def test_other_models_may_be_installed() -> None:
    picture = drawing(4, 4, 3, 8)
    with pytest.raises(calotype.BundleError, match="no model other for scale 2"):
        encode(picture, model="other")


def test_regions_and_tiles_show_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = drawing(300, 2500, 3, 8)
    data = encode(picture, quality=60, model="srgan")
    content = container.unpack(data)
    assert len(content.tiles) == 2
    whole = calotype.decode(data, threads=1, as_array=True).astype(int)
    monkeypatch.setattr("calotype.codecs.ledig2017.enlarger.WINDOW", 256)
    base._opened.cache_clear()
    places = [(0, 0, 2500, 300), (1, 1, 2, 2), (2001, 33, 2112, 180), (2499, 299, 2500, 300), (101, 0, 500, 300)]
    for left, top, right, bottom in places:
        part = calotype.decode(data, region=(left, top, right, bottom), threads=1, as_array=True)
        assert part.shape == (bottom - top, right - left, 3)
        assert np.abs(part - whole[top:bottom, left:right]).max() <= 2
    base._opened.cache_clear()


def test_a_region_reads_only_its_tiles() -> None:
    data = encode(drawing(40, 4600, 3, 8), quality=40)
    first, second, third = container.unpack(data).tiles
    header = container.read_header(data)
    codec = codecs.get("ledig2017").open(1, header.bundle)
    corner = Rectangle(0, 0, 1700, 40)
    samples = codec.decode([first, None, None], (40, 4600, 3), 8, header.quality, corner)
    np.testing.assert_array_equal(
        samples, codec.decode([first, second, third], (40, 4600, 3), 8, header.quality, corner)
    )
    with pytest.raises(calotype.FormatError, match="tile 2 of 3: it names other weights"):
        codec.decode([first, b"\0" * 4, third], (40, 4600, 3), 8, header.quality, corner)
    with pytest.raises(calotype.FormatError, match="tile 3 of 3: it has 3 bytes"):
        codec.decode([first, second, b"abc"], (40, 4600, 3), 8, header.quality, corner)


def test_a_lost_tile_costs_itself_alone() -> None:
    picture = drawing(40, 4600, 3, 8)
    data = encode(picture, quality=60)
    whole = calotype.decode(data, threads=1, as_array=True)
    content = container.unpack(data)
    middle = content.tiles[1]
    assert middle is not None
    broken = data.replace(middle, middle[:-1] + bytes([middle[-1] ^ 1]))
    with pytest.raises(calotype.FormatError, match="tile 2 of 3"):
        calotype.decode(broken)
    with pytest.warns(calotype.DamageWarning, match="lost: 2"):
        saved = calotype.decode(broken, threads=1, salvage=True, as_array=True)
    for kept in (slice(0, 1700), slice(4450, 4600)):  # talbot's synthesis sees 144 pixels of the small picture
        np.testing.assert_array_equal(saved[:, kept], whole[:, kept])


def test_targets_are_met() -> None:
    picture = drawing(200, 200, 3, 8)
    free = encode(picture, quality=60)
    data = encode(picture, target_size=len(free))
    assert 0.8 * len(free) <= len(data) <= len(free)
    reached = psnr(picture, calotype.decode(free, as_array=True))
    least = encode(picture, target_psnr=reached - 0.5)
    assert psnr(picture, calotype.decode(least, as_array=True)) >= reached - 0.5


def test_a_few_bytes_more_than_talbot_takes_for_the_small_picture() -> None:
    picture = drawing(128, 192, 3, 8)
    codec = codecs.get("ledig2017").open(1)
    assert isinstance(codec, Ledig2017) and codec.bundle.id == "srresnet-x2"
    small = codec.scaled_down(picture)
    assert small.shape == (64, 96, 3)
    assert len(encode(picture, quality=50)) <= len(calotype.encode(small, quality=50, threads=1)) + 8


def test_hostile_payloads_end_in_a_sentence() -> None:
    """CRCs are right here: what a codec is given may be anything."""
    data = encode(drawing(64, 80, 3, 8), quality=40)
    content = container.unpack(data)
    payload = content.tiles[0]
    assert payload is not None
    tag = bundles.find("talbot").tag
    rng = random.Random(3)
    for turn in range(150):
        hostile = bytearray(payload)
        for _ in range(rng.randint(1, 4)):
            hostile[rng.randrange(4 if turn % 3 else 0, len(hostile))] ^= 1 << rng.randrange(8)
        hostile = hostile[: rng.choice([0, 1, 3, 4, 5, 9, len(hostile), len(hostile)])]
        if turn % 5 == 0:
            hostile = bytearray(tag + rng.randbytes(rng.randint(0, 300)))
        packed = container.pack(container.Container(content.header, tiles=(bytes(hostile),)))
        try:
            decoded = calotype.decode(packed, threads=1, as_array=True)
        except (calotype.FormatError, calotype.BundleError) as error:
            assert isinstance(error, calotype.FormatError) or bytes(hostile[:4]) != tag
        else:
            assert decoded.shape == (64, 80, 3)


def test_the_weights_of_talbot_are_named_where_they_are_missing(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    data = encode(drawing(20, 20, 3, 8))
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(weights))
    tag = container.unpack(data).tiles[0][:4]  # type: ignore[index]
    with pytest.raises(calotype.BundleError, match=f"the weights {tag.hex()} of codec 'talbot'"):
        calotype.decode(data)
    assert talbot.TILE == 1024


def test_golden_file() -> None:
    """Its weights lie beside it; the byte layout and the pixels are those of the first version."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
        decoded = calotype.decode((GOLDEN / "ledig2017.calo").read_bytes(), as_array=True)
        expected = np.load(GOLDEN / "ledig2017.npy")
    assert decoded.shape == expected.shape and decoded.dtype == expected.dtype
    assert np.abs(decoded.astype(int) - expected).max() <= 2
