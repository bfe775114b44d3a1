# SPDX-License-Identifier: BSD-3-Clause
"""Efforts: smaller or better files that the same decoder reads."""

from __future__ import annotations

import importlib.util
import sys
from itertools import pairwise

import numpy as np
import pytest

import calotype
from calotype import container
from calotype.arrays import to_planes
from calotype.codecs import get
from calotype.codecs.quality import position
from calotype.codecs.talbot import Options
from calotype.codecs.talbot import effort as efforts
from calotype.codecs.talbot.codec import Talbot
from calotype.codecs.talbot.effort import Search
from calotype.codecs.talbot.rdoq import dead_zone, nearest, table
from calotype.engine import bundles
from tests.make_golden import drawing

pytestmark = pytest.mark.usefixtures("golden_weights")


def cost(data: bytes, picture: np.ndarray, stored: int) -> float:
    """Bits and distortion, as the search measures them, of a file of one tile."""
    codec = Talbot(bundles.find("talbot"), 1, effort=4)
    decoded = calotype.decode(data, as_array=True)
    payload = container.unpack(data).tiles[0]
    return 8 * len(payload) + Search(codec, 4, stored).distortion.bits(to_planes(decoded), to_planes(picture))


@pytest.mark.parametrize("effort", range(1, 10))
def test_files_of_every_effort_decode_to_what_was_coded(effort: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if effort >= efforts.FIRST_REFINEMENT:
        pytest.importorskip("torch")
        pytest.importorskip("onnx")
    monkeypatch.setattr(efforts, "ITERATIONS", {7: 2, 8: 3, 9: 4})
    picture = drawing(70, 100, 3, 8)
    data = calotype.encode(picture, quality=40, effort=effort, threads=1)
    assert data == calotype.encode(picture, quality=40, effort=effort, threads=1)
    assert calotype.decode(data, as_array=True).shape == picture.shape  # the tile's own check covers every symbol
    if effort == Options.effort:
        assert data == calotype.encode(picture, quality=40, threads=1)


def test_more_effort_is_never_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efforts, "ITERATIONS", {7: 3})
    highest = 7 if importlib.util.find_spec("torch") and importlib.util.find_spec("onnx") else 6
    picture = drawing(64, 96, 3, 8)
    for quality in (10, 40, 80):
        files = [calotype.encode(picture, quality=quality, effort=e, threads=1) for e in (1, *range(4, highest + 1))]
        costs = [cost(data, picture, quality * 256) for data in files]
        for lower, higher in pairwise(costs):
            assert higher <= lower * 1.001  # pixels are rounded to 8 bits after the search


def test_an_effort_is_of_a_copy() -> None:
    codec = get("talbot").open(1)
    assert codec.with_options(Options(effort=1)).effort == 1 and codec.effort == Options.effort


def test_a_tuning_is_a_bundle_by_its_name() -> None:
    codec = get("talbot").open(1)
    assert codec.with_options(Options(tune="psnr", effort=5)).bundle.id == "talbot" and codec.bundle.id == "small"


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_high_efforts_say_what_they_need(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(efforts, "find_spec", lambda name: None if name == missing else found("sys"))
    with pytest.raises(calotype.CalotypeError, match=rf"effort 7 needs {missing}: pip install 'calotype\[train\]'"):
        calotype.encode(drawing(8, 8, 3, 8), effort=7)


def test_low_efforts_do_not_load_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    calotype.encode(drawing(40, 40, 3, 8), effort=6)


def test_targets_take_an_effort() -> None:
    picture = drawing(64, 64, 3, 8)
    assert len(calotype.encode(picture, target_size=1500, effort=5)) <= 1500


def test_a_dead_zone_moves_by_one_towards_zero_only() -> None:
    tables = Talbot(bundles.find("talbot"), 1).prior.tables
    rng = np.random.default_rng(1)
    residuals = rng.normal(0, 2, 5000).astype(np.float32)
    levels = rng.integers(0, len(tables.limits), 5000).astype(np.uint8)
    plain, biased = nearest("y1", residuals, levels), dead_zone(tables, 16)("y1", residuals, levels)
    drawn = np.abs(plain) - np.abs(biased)
    assert set(np.unique(drawn)) == {0, 1} and (plain * biased >= 0).all()
    assert (dead_zone(tables, 16)("z1", residuals, levels) == plain).all()
    assert (table(tables, 1e9)[1:, 1:] - (np.arange(1, 65) - 0.5) < 1e-3).all()


def test_the_search_sees_what_the_decoder_gives() -> None:
    codec = Talbot(bundles.find("talbot"), 1, effort=4)
    samples = drawing(48, 64, 3, 8)
    search = Search(codec, 4, 50 * 256)
    y = codec.latents(samples).tiles[0] * codec.gain("encoder", 50 * 256)
    coded = codec.prior.code(y, position(50 * 256))
    assert (codec.prior.decode(coded.data, *y.shape[1:], position(50 * 256)) == coded.y_hat).all()
    assert search.cost(coded, to_planes(samples)) > 8 * len(coded.data)
