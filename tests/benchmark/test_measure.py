# SPDX-License-Identifier: BSD-3-Clause
"""Measuring several at a time, more metrics than before, and JPEG XL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calotype.benchmark import CODECS, DEFAULT_METRICS
from calotype.benchmark.jxl import JXL, distance
from calotype.benchmark.measure import measure
from calotype.benchmark.peers import AVIF, AVIF_PSNR, JPEG, WEBP
from calotype.benchmark.pictures import Photograph
from calotype.benchmark.records import Cache, Record
from calotype.errors import DependencyError
from calotype.metrics.catalogue import MS_SSIM, NAMED, PSNR, SSIM

SETTINGS = {"jpeg": (30, 80), "webp": (30,)}


def test_several_at_a_time_measure_the_same_without_times(photographs: list[Photograph], tmp_path: Path) -> None:
    alone = measure([JPEG, WEBP], photographs, SETTINGS)
    cache = Cache(tmp_path)
    done = []
    together = measure(
        [JPEG, WEBP], photographs, SETTINGS, jobs=2, cache=cache, progress=lambda *state: done.append(state[:2])
    )
    assert done[-1] == (6, 6)
    for name, curve in alone.items():
        for one, other in zip(curve.records, together[name].records, strict=True):
            assert (one.bytes, one.quality) == (other.bytes, other.quality)
            assert other.encode_s is None and other.decode_s is None
        assert together[name].averages()["encode_mps"] == [None] * len(curve.settings)
    timed = measure([JPEG, WEBP], photographs, SETTINGS, cache=cache)  # what has no times is measured again
    assert all(record.encode_s for record in timed["jpeg"].records)


def test_the_cache_adds_metrics(photographs: list[Photograph], tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = measure([JPEG], photographs[:1], {"jpeg": (30,)}, metrics=[PSNR], cache=cache)["jpeg"].records[0]
    both = measure([JPEG], photographs[:1], {"jpeg": (30,)}, metrics=[SSIM], cache=cache)["jpeg"].records[0]
    assert set(both.quality) == {PSNR.key, SSIM.key}
    again = measure([JPEG], photographs[:1], {"jpeg": (30,)}, metrics=[PSNR, SSIM], cache=cache, jobs=2)
    assert again["jpeg"].records[0] == both
    assert both.quality[PSNR.key] == first.quality[PSNR.key]


def test_earlier_records_of_other_bytes_do_not_count() -> None:
    old = Record("a", 5, 8, 8, 100, {"psnr-rgb": 30.0}, 1.0, 1.0)
    new = Record("a", 5, 8, 8, 101, {"ssim-rgb": 0.9}, None, None)
    assert new.with_earlier(old) is new
    assert new.with_earlier(None) is new


def test_metrics_of_copies_and_of_small_pictures() -> None:
    assert set(DEFAULT_METRICS) < set(NAMED)
    noise = np.random.default_rng(5).integers(0, 256, (40, 40, 3), np.uint8)
    assert PSNR.published(noise, noise) is None
    assert MS_SSIM.published(noise, noise[::-1].copy()) is None
    assert SSIM.published(noise, noise) == 1
    small = noise[:5, :5].copy()
    for name in ("ssim", "psnr-hvs", "psnr-hvs-m", "ssimulacra2"):
        assert NAMED[name].published(small, small) is None
    value = NAMED["psnr-hvs"].published(noise, noise[::-1].copy())
    assert value is not None and 0 < value < 40
    assert NAMED["psnr-hvs"].published(noise, noise) is None


def test_jpeg_xl(photographs: list[Photograph]) -> None:
    pytest.importorskip("imagecodecs")
    samples = photographs[0].samples
    small, large = JXL.encode(samples, 20), JXL.encode(samples, 90)
    assert len(small) < len(large) and large[:2] == b"\xff\x0a"
    decoded = JXL.decode(large)
    assert decoded.shape == samples.shape and decoded.dtype == np.uint8
    quality = PSNR.published(samples, decoded)
    assert quality and quality > 35
    assert set(JXL.versions()) == {"imagecodecs", "libjxl"}


def test_jpeg_xl_distances() -> None:
    assert distance(90) == pytest.approx(1) and distance(100) == pytest.approx(0.1)
    assert distance(0) == 25 and distance(29.99) == pytest.approx(distance(30), abs=0.1)
    values = [distance(quality) for quality in range(101)]
    assert values == sorted(values, reverse=True)


def test_jpeg_xl_without_its_package(photographs: list[Photograph], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(DependencyError, match=r"pip install 'calotype\[bench\]'"):
        JXL.encode(photographs[0].samples, 50)


def test_avif_tuned_for_psnr_is_another_file(photographs: list[Photograph]) -> None:
    if "avif" not in CODECS or not AVIF.versions()["libaom"]:
        pytest.skip("this Pillow has no AVIF")
    samples = photographs[0].samples
    assert AVIF_PSNR.encode(samples, 50) != AVIF.encode(samples, 50)
    assert AVIF_PSNR.settings_table()["advanced"] == "{'tune': 'psnr'}"
