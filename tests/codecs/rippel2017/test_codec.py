# SPDX-License-Identifier: BSD-3-Clause
"""The codec of bit planes with small weights: any prefix, windows, sizes, salvage."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import calotype
from calotype import codecs, container, metrics
from calotype.codecs.quality import to_header
from calotype.codecs.rippel2017 import codec as rippel2017
from calotype.codecs.rippel2017.codec import Rippel2017
from calotype.engine.tiling import Rectangle
from calotype.errors import BundleError, DamageWarning, FormatError
from tests.make_golden import GOLDEN, drawing

CODEC = "rippel2017"

pytestmark = pytest.mark.usefixtures("golden_weights")


@pytest.fixture
def codec() -> Rippel2017:
    opened = codecs.get(CODEC).open(1)
    assert isinstance(opened, Rippel2017)
    return opened


@pytest.fixture(scope="module")
def file() -> bytes:
    """Two tiles, thirteen layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALOTYPE_WEIGHTS", str(GOLDEN / "weights"))
        return calotype.encode(drawing(40, 530, 3, 8), codec=CODEC, quality=100, threads=1)


def decode(data: bytes, **options: Any) -> Any:
    return calotype.decode(data, threads=1, as_array=True, **options)


def test_the_golden_file_decodes_to_what_it_did() -> None:
    decoded = decode((GOLDEN / "rippel2017.calo").read_bytes())
    assert np.abs(decoded.astype(int) - np.load(GOLDEN / "rippel2017.npy")).max() <= 1
    assert metrics.psnr(drawing(60, 530, 3, 8), decoded) > 16


def test_every_plane_makes_it_better(file: bytes) -> None:
    original = drawing(40, 530, 3, 8)
    assert container.unpack(file).header.layers == 13 and len(container.unpack(file).tiles) == 26
    quality = [metrics.psnr(original, decode(file, iterations=n)) for n in (1, 3, 5, 7, 9)]
    assert quality == sorted(quality) and quality[-1] > quality[0] + 1


def test_prefixes_are_pictures(file: bytes) -> None:
    for share in (0.3, 0.6, 0.99):
        with pytest.warns(DamageWarning, match="truncated"):
            assert decode(file[: int(share * len(file))]).shape == (40, 530, 3)
        smaller = calotype.truncate(file, int(share * len(file)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert decode(smaller).shape == (40, 530, 3) and len(smaller) <= share * len(file)


def test_pictures_arrive_layer_by_layer(file: bytes) -> None:
    steps = list(calotype.progressive((file[i : i + 50] for i in range(0, len(file), 50)), threads=1, as_array=True))
    assert [step.iteration for step in steps] == list(range(1, 14))
    for step in (steps[0], steps[6], steps[-1]):
        assert (np.asarray(step.image) == decode(file, iterations=step.iteration)).all()


def test_all_at_once_or_in_windows(codec: Rippel2017, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, stored = drawing(300, 410, 3, 8), to_header(70)
    payloads = codec.encode(samples, stored)
    whole, ours = codec.decode(payloads, samples.shape, 8, stored), codec.latents(samples)
    monkeypatch.setattr(rippel2017, "WINDOW", 128)
    assert np.abs(codec.decode(payloads, samples.shape, 8, stored).astype(int) - whole).max() <= 1
    region = Rectangle(37, 120, 251, 260)
    part = codec.decode(payloads, samples.shape, 8, stored, region)
    assert np.abs(part.astype(int) - whole[region.slices]).max() <= 1
    assert np.abs(codec.latents(samples).astype(np.float32) - ours).max() < 0.5


def test_sizes_and_qualities(codec: Rippel2017) -> None:
    picture = drawing(64, 90, 3, 8)
    sizes = [len(calotype.encode(picture, codec=CODEC, quality=q, threads=1)) for q in (1, 20, 50, 80, 100)]
    assert sizes == sorted(sizes)
    data = calotype.encode(picture, codec=CODEC, target_size=sizes[2], threads=1)
    assert 0.95 * sizes[2] <= len(data) <= sizes[2]


def test_what_decodes_of_a_tile_is_kept(codec: Rippel2017, file: bytes) -> None:
    tiles = list(container.unpack(file).tiles)
    tiles[6] = bytes(9)
    shape = (40, 530, 3)
    with pytest.raises(FormatError, match="layer 4, tile 1 of 2"):
        codec.decode(tiles, shape, 8, to_header(100))
    with pytest.warns(DamageWarning, match="layer 4, tile 1 of 2"):
        saved = codec.decode(tiles, shape, 8, to_header(100), salvage=True)
    assert (saved[:, 530 - 8 :] == decode(file)[:, 530 - 8 :]).all()
    assert (saved[:, :200] == decode(file, iterations=3)[:, :200]).all()


def test_weights_that_do_not_say_their_halo(codec: Rippel2017) -> None:
    for configuration in ({}, {"halo": 99}, {"halo": "x"}):
        bundle = replace(codec.bundle, description={**codec.bundle.description, "configuration": configuration})
        with pytest.raises(BundleError, match="do not say how they run"):
            _ = Rippel2017(bundle, 1).halo
