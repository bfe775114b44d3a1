# SPDX-License-Identifier: BSD-3-Clause
"""The progressive codec with small weights: any size, any prefix, any part; stops, options, targets, damage."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calotype
from calotype import codecs, container, metrics
from calotype.codecs.quality import to_header
from calotype.codecs.toderici2017 import Options
from calotype.codecs.toderici2017 import codec as toderici2017
from calotype.codecs.toderici2017.codec import Toderici2017
from calotype.codecs.toderici2017.recurrence import Window
from calotype.engine.tiling import Rectangle
from calotype.errors import BundleError, DamageWarning, FormatError, PictureError
from tests.make_golden import GOLDEN, drawing

CODEC = "toderici2017"


pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.fixture
def codec() -> Toderici2017:
    opened = codecs.get(CODEC).open(1)
    assert isinstance(opened, Toderici2017)
    return opened


@pytest.fixture(scope="module")
def file() -> bytes:
    """Two tiles, four layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
        return calotype.encode(drawing(40, 530, 3, 8), codec=CODEC, quality=100, threads=1)


def decode(data: bytes, **options: Any) -> Any:
    return calotype.decode(data, threads=1, as_array=True, **options)


def quietly(data: bytes, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        return decode(data, **options)


def test_the_golden_file_decodes_to_what_it_did() -> None:
    decoded = decode((GOLDEN / "toderici2017.calo").read_bytes())
    expected = np.load(GOLDEN / "toderici2017.npy")
    assert np.abs(decoded.astype(int) - expected).max() <= 1
    assert metrics.psnr(drawing(60, 530, 3, 8), decoded) > 16


def test_every_iteration_makes_it_better(file: bytes) -> None:
    original = drawing(40, 530, 3, 8)
    assert container.unpack(file).header.layers == 4 and len(container.unpack(file).tiles) == 8
    quality = [metrics.psnr(original, decode(file, iterations=n)) for n in (1, 2, 3, 4, 9)]
    assert quality[:4] == sorted(quality[:4]) and quality[3] == quality[4] > quality[0] + 1


def test_every_prefix_is_a_picture_or_says_what_is_missing(file: bytes) -> None:
    first = len(calotype.truncate(file, len(file) * 3 // 8)) - len(container.END)  # some layers of it
    assert first > 100
    held, shown = 0, None
    for size in range(len(file)):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                content = container.unpack(file[:size])
                if len(content.tiles) == held:
                    continue  # the same picture as with a byte less
                held, picture = len(content.tiles), decode(file[:size])
            assert [w.category for w in caught] == [DamageWarning]
            assert "truncated" in str(caught[0].message)
            if held % 2 == 0:
                assert (picture == decode(file, iterations=held // 2)).all()
            assert shown is None or (picture != shown).any()
            shown = picture
        except FormatError as error:
            assert not held
            assert "truncated" in str(error) or not size
    assert held == 8


def test_prefixes_of_the_header_and_of_alpha_are_errors() -> None:
    data = calotype.encode(drawing(30, 20, 4, 8), codec=CODEC, quality=50, threads=1)
    alpha = data.index(b"IHDR")
    for size in range(1, data.index(b"T", data.index(b"IEND")) + 1):
        with pytest.raises(FormatError, match="truncated"):
            decode(data[:size])
    assert alpha < size


def test_all_layers_at_once_or_in_windows(codec: Toderici2017, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = drawing(300, 410, 3, 8)
    payloads = codec.encode(samples, to_header(70))
    whole = codec.decode(payloads, samples.shape, 8, 0)
    monkeypatch.setattr(toderici2017, "WINDOW", 128)
    assert np.abs(codec.decode(payloads, samples.shape, 8, 0).astype(int) - whole).max() <= 1
    region = Rectangle(37, 120, 251, 260)
    part = codec.decode(payloads, samples.shape, 8, 0, region)
    assert np.abs(part.astype(int) - whole[region.slices]).max() <= 1
    ours = codec.latents(samples)
    monkeypatch.setattr(toderici2017, "WINDOW", 1024)
    theirs = codec.latents(samples)
    assert (ours.bits == theirs.bits).mean() > 0.98
    assert np.allclose(ours.errors[-1].sum(), theirs.errors[-1].sum(), rtol=0.02)


def test_qualities_share_their_bits(codec: Toderici2017) -> None:
    codec, samples = codec.with_options(Options(tune="psnr")), drawing(64, 90, 3, 8)
    latents = codec.latents(samples)
    sizes, fidelity = [], []
    for quality in (1, 30, 60, 100):
        payloads = codec.encode_latents(latents, quality * 256)
        sizes.append(sum(map(len, payloads)))
        decoded = codec.decode(payloads, samples.shape, 8, 0)
        fidelity.append(metrics.psnr(samples, decoded))
        assert codec.encode(samples, quality * 256) == payloads
    assert sizes == sorted(sizes) and fidelity == sorted(fidelity) and sizes[0] < sizes[-1]


def test_flat_places_stop_early(codec: Toderici2017) -> None:
    samples = drawing(64, 640, 3, 8)
    samples[:, :320] = 128
    codec = codec.with_options(Options(tune="psnr"))
    until = toderici2017.choose(codec.latents(samples).errors, np.full(4, 26.0), 20.0)
    assert until[:, :18].mean() + 0.5 < until[:, 22:].mean()


def test_fewer_iterations(codec: Toderici2017) -> None:
    data = calotype.encode(drawing(40, 40, 3, 8), codec=CODEC, quality=100, iterations=2, threads=1)
    content = container.unpack(data)
    assert content.header.layers == 2 and len(content.tiles) == 2
    with pytest.raises(PictureError, match="iterations of codec 'toderici2017' should be at most 4, not 5"):
        codec.with_options(Options(iterations=5))
    with pytest.raises(PictureError, match="iterations"):
        decode(data, iterations=0)
    with pytest.raises(PictureError, match="no iterations"):
        decode((GOLDEN / "colour.calo").read_bytes(), iterations=1)


@pytest.mark.parametrize("share", [0.55, 0.7, 0.9])
def test_sizes_are_met_from_below(share: float) -> None:
    picture = drawing(200, 300, 3, 8)
    largest = len(calotype.encode(picture, codec=CODEC, quality=100, threads=1))
    target = round(share * largest)
    size = len(calotype.encode(picture, codec=CODEC, target_size=target, threads=1))
    assert 0.97 * target <= size <= target
    with pytest.raises(PictureError, match="cannot be reached"):
        calotype.encode(picture, codec=CODEC, target_size=90, threads=1)


def test_fidelity_is_met() -> None:
    picture = drawing(100, 120, 3, 8)
    best = decode(calotype.encode(picture, codec=CODEC, quality=100, threads=1))
    wanted = metrics.psnr(picture, best) - 0.7
    found = decode(calotype.encode(picture, codec=CODEC, target_psnr=wanted, threads=1))
    assert wanted <= metrics.psnr(picture, found) < wanted + 0.5


def test_salvage_keeps_the_layers_before_the_damage(file: bytes) -> None:
    content = container.unpack(file)
    payload = content.tiles[4]  # the first tile's third layer
    assert payload is not None
    damaged = bytearray(file)
    damaged[file.index(payload) + len(payload) // 2] ^= 16
    with pytest.raises(FormatError, match="layer 3, tile 1 of 2"):
        decode(bytes(damaged))
    with pytest.warns(DamageWarning, match="1 of 8 parts"):
        picture = decode(bytes(damaged), salvage=True)
    assert (picture[:, :300] == decode(file, iterations=2)[:, :300]).all()
    assert (picture[:, 520:] != decode(file, iterations=2)[:, 520:]).any()
    with pytest.raises(FormatError, match="nothing can be saved"):
        quietly(file[: file.index(content.tiles[0] or b"?")], salvage=True)


def test_a_header_alone_is_not_decoded(codec: Toderici2017) -> None:
    for tiles in ((), (None, None)):
        with pytest.raises(FormatError, match="nothing can be saved"):
            codec.decode(tiles, (2**24, 2**24, 3), 8, 0, salvage=True)  # more than any memory


def test_payloads_that_are_nonsense(codec: Toderici2017) -> None:
    samples = drawing(40, 40, 3, 8)
    first, second, *_ = codec.encode(samples, 25600)
    for payloads in ([b"\1" + first[1:]], [first, b"\0"], [first, first], [first, second, b"", second]):
        with pytest.raises(FormatError, match=r"layer \d, tile 1 of 1"):
            codec.decode(payloads, samples.shape, 8, 0)
        with pytest.warns(DamageWarning, match="tile 1 of 1"):
            if payloads[0] == first:
                codec.decode(payloads, samples.shape, 8, 0, salvage=True)
            else:
                with pytest.raises(FormatError, match="nothing can be saved"):
                    codec.decode(payloads, samples.shape, 8, 0, salvage=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tile": 1024}, "tiles of 1024"),
        ({"layers": 5}, "5 layers"),
        ({"layers": 0}, "0 layers"),
        ({"quality": 9}, "quality"),
    ],
)
def test_headers_that_this_codec_never_writes(codec: Toderici2017, file: bytes, changes: Any, words: str) -> None:
    header = container.unpack(file).header
    codec.check(header)
    with pytest.raises(FormatError, match=words):
        codec.check(dataclasses.replace(header, **changes))


def test_weights_that_do_not_say_how_they_run(codec: Toderici2017, tmp_path: Path) -> None:
    about = codec.bundle.description
    for configuration in ({}, {**about["configuration"], "halo": 99999}):
        bundle = dataclasses.replace(codec.bundle, description={**about, "configuration": configuration})
        with pytest.raises(BundleError, match="another version"):
            _ = Toderici2017(bundle, 1, 4).networks.halo
    networks = Toderici2017(codec.bundle, 1, 4).networks
    networks.__dict__["arrays"] = {}  # tables without the one that is needed
    with pytest.raises(BundleError, match="another version"):
        Window(networks, 2, 2)


def test_a_file_that_stops_behind_what_is_asked_for(file: bytes) -> None:
    cut = file[: -len(container.END) - 1]  # within the last of four layers
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (decode(cut, iterations=3) == decode(file, iterations=3)).all()
        assert (decode(cut, iterations=3, salvage=True) == decode(file, iterations=3)).all()
    for salvage in (False, True):
        with pytest.warns(DamageWarning, match="after 3 of at most 4 layers"):
            decode(cut, iterations=4, salvage=salvage)


def test_options_may_be_numbers_of_numpy(codec: Toderici2017, file: bytes) -> None:
    assert codec.with_options(codecs.get(CODEC).validated({"iterations": np.int64(2)})).iterations == 2
    assert (decode(file, iterations=np.uint8(128)) == decode(file)).all()  # two tiles: 256 boxes are no uint8
    box = tuple(np.int16(edge) for edge in (1, 2, 30, 40))
    assert (decode(file, region=box) == decode(file)[2:40, 1:30]).all()
