# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark: delta rates, the peers, measuring with a cache, and the result files."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image, features
from rich.console import Console
from scipy.interpolate import PchipInterpolator

from calotype.benchmark import CODECS, DEFAULT_CODECS
from calotype.benchmark.bdrate import bd_rate, integral, slopes
from calotype.benchmark.compare import compare
from calotype.benchmark.contender import Contender, Picture
from calotype.benchmark.measure import measure
from calotype.benchmark.peers import AVIF, JPEG, JPEG2000, WEBP
from calotype.benchmark.pictures import Photograph, load_folder, load_photograph
from calotype.benchmark.records import Cache, Record, Trial
from calotype.benchmark.search import largest_within
from calotype.benchmark.speed import race, setting_at
from calotype.benchmark.tables import bd_rate_table, entropy_table, settings_table, speed_table
from calotype.cli import demo
from calotype.errors import CalotypeError, PictureError
from calotype.metrics.catalogue import BUTTERAUGLI, MS_SSIM, PSNR, SSIMULACRA2

ANCHOR = ([0.15, 0.27, 0.46, 0.87, 1.5, 3.1], [23.9, 26.7, 29.1, 32.2, 35.4, 40.6])  # bits per pixel, dB
TEST = ([0.08, 0.19, 0.5, 1.03, 1.94], [26.0, 28.8, 32.6, 36.4, 40.4])

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


@pytest.fixture(scope="module")
def photographs() -> list[Photograph]:
    whole = np.asarray(skimage.data.astronaut())
    return [Photograph("a", whole[:192, 100:356].copy()), Photograph("b", whole[200:400, 200:400].copy())]


def test_pchip_agrees_with_scipy() -> None:
    generator = np.random.default_rng(3)
    for count in (2, 3, 4, 9):
        for _ in range(20):
            x = np.cumsum(generator.uniform(0.1, 2, count))
            y = generator.normal(0, 1, count)  # turns up and down
            theirs = PchipInterpolator(x, y)
            assert slopes(x, y) == pytest.approx(theirs.derivative()(x), abs=1e-9)
            low, high = x[0] + 0.05, x[-1] - 0.03
            assert integral(x, y, low, high) == pytest.approx(float(theirs.integrate(low, high)), abs=1e-9)


def test_bd_rate_agrees_with_the_bjontegaard_package() -> None:
    theirs = pytest.importorskip("bjontegaard")
    expected = theirs.bd_rate(*ANCHOR, *TEST, method="pchip", require_matching_points=False, min_overlap=0)
    found = bd_rate(*ANCHOR, *TEST)
    assert found is not None
    assert found.percent == pytest.approx(float(expected), abs=1e-9)


def test_bd_rate_known_values() -> None:
    found = bd_rate(*ANCHOR, *TEST)
    assert found is not None
    assert found.percent == pytest.approx(-48.0780, abs=1e-3)  # by the bjontegaard package 1.3.0
    assert (found.low, found.high) == (26.0, 40.4)
    assert found.overlap == pytest.approx((40.4 - 26.0) / (40.6 - 23.9))
    rates, qualities = ANCHOR
    half = bd_rate(rates, qualities, [rate / 2 for rate in rates], qualities)
    assert half is not None
    assert half.percent == pytest.approx(-50)
    assert half.overlap == 1
    line = bd_rate([1, 10], [30, 40], [2, 40], [30, 40])  # twice to four times as many: the geometric mean is 8^0.5
    assert line is not None
    assert line.percent == pytest.approx(100 * (math.sqrt(8) - 1))


def test_bd_rate_of_awkward_points() -> None:
    assert bd_rate([1, 2], [30, 31], [1, 2], [40, 41]) is None
    shuffled = bd_rate(ANCHOR[0][::-1], ANCHOR[1][::-1], [*TEST[0], 9, 1, 2], [*TEST[1], math.inf, None, 36.4])
    plain = bd_rate(*ANCHOR, *TEST)
    assert shuffled == plain
    with pytest.raises(CalotypeError, match="two points"):
        bd_rate([1], [30], [1, 2], [30, 31])


@pytest.mark.parametrize("codec", [JPEG, WEBP, JPEG2000, pytest.param(AVIF, marks=needs_avif)], ids=lambda c: c.name)
def test_peers_write_real_files(codec: Contender, photographs: list[Photograph], tmp_path: Path) -> None:
    samples = photographs[0].samples
    sizes, errors = [], []
    for setting in (codec.settings[1], codec.settings[len(codec.settings) // 2], codec.settings[-2]):
        data = codec.encode(samples, setting)
        path = tmp_path / f"picture{codec.extension}"
        path.write_bytes(data)
        with Image.open(path) as image:
            assert image.size == (256, 192)
        decoded = codec.decode(data)
        assert decoded.shape == samples.shape and decoded.dtype == np.uint8
        sizes.append(len(data))
        errors.append(float(np.mean((samples.astype(float) - decoded) ** 2)))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert all(codec.versions().values())


def test_peer_settings_are_in_the_files(photographs: list[Photograph], tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(JPEG.encode(photographs[0].samples, 50))
    with Image.open(path) as image:
        assert image.info["progressive"] == 1
        assert image.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined]  # luma at twice the chroma's resolution
    assert JPEG2000.parameters["quality_mode"] == "dB"
    assert AVIF.parameters["speed"] == 6 and AVIF.parameters["max_threads"] == 1


def test_codecs_by_name() -> None:
    assert list(CODECS) == [codec.name for codec in CODECS.values()]
    assert set(DEFAULT_CODECS) <= set(CODECS)
    for codec in CODECS.values():
        assert list(codec.settings) == sorted(codec.settings)
        assert codec.lowest <= codec.settings[0] and codec.settings[-1] <= codec.highest


def test_measure_averages_and_files(photographs: list[Photograph], tmp_path: Path) -> None:
    settings = {"jpeg": (10, 50, 90), "webp": (5, 50)}
    curves = measure([JPEG, WEBP], photographs, settings, rounds=2)
    jpeg = curves["jpeg"]
    assert jpeg.settings == (10, 50, 90)
    assert jpeg.pictures == ("a", "b")
    record = jpeg.records[1]
    assert record.bytes == len(JPEG.encode(photographs[0].samples, 50))
    assert record.bpp == pytest.approx(8 * record.bytes / (256 * 192))
    averages = jpeg.averages()
    points = [jpeg.of_picture(name) for name in jpeg.pictures]
    assert averages["bpp"][0] == pytest.approx(sum(p["bpp"][0] or 0 for p in points) / 2)
    assert averages["psnr-rgb"] == sorted(averages["psnr-rgb"], key=lambda value: value or 0)

    path = tmp_path / "results" / "jpeg.json"
    jpeg.write(path, "crops")
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["name"] == "jpeg"
    assert set(stored["results"]) == {"setting", "bpp", "psnr-rgb", "ms-ssim-rgb", "encode_mps", "decode_mps"}
    assert stored["results"] == averages
    assert stored["provenance"]["settings"]["subsampling"] == "4:2:0"
    assert {"pillow", "jpg"} <= set(stored["provenance"]["versions"])
    assert stored["pictures"]["b"]["bytes"] == points[1]["bytes"]


def counting(codec: Contender, calls: list[str]) -> Contender:
    def encode(picture: Picture, setting: float) -> bytes:
        if picture.shape[0] > 100:  # not the drawing that tells versions apart
            calls.append(f"{codec.name} {setting:g}")
        return codec.encode(picture, setting)

    return replace(codec, encode=encode)


def test_codecs_take_turns_and_the_cache_continues(photographs: list[Photograph], tmp_path: Path) -> None:
    calls: list[str] = []
    codecs = [counting(JPEG, calls), counting(WEBP, calls)]
    settings = {"jpeg": (10, 50), "webp": (5,)}
    cache = Cache(tmp_path)
    first = measure(codecs, photographs[:1], settings, rounds=2, cache=cache)
    assert calls == ["jpeg 10", "webp 5", "jpeg 10", "webp 5", "jpeg 50", "jpeg 50"]

    calls.clear()
    assert measure(codecs, photographs[:1], settings, rounds=2, cache=cache) == first
    assert calls == []

    other_name = [replace(photographs[0], name="renamed"), photographs[1]]
    again = measure(codecs, other_name, {"jpeg": (10, 50, 70), "webp": (5,)}, rounds=2, cache=cache)
    assert calls == ["jpeg 70"] * 2 + ["jpeg 10", "webp 5"] * 2 + ["jpeg 50"] * 2 + ["jpeg 70"] * 2
    assert again["jpeg"].records[0] == replace(first["jpeg"].records[0], picture="renamed")

    for path in tmp_path.rglob("*.json"):
        path.write_text("{broken", encoding="utf-8")
    calls.clear()
    measure(codecs, photographs[:1], settings, rounds=1, cache=cache)
    assert len(calls) == 3


@pytest.mark.parametrize(
    "damage", [{"quality": None}, {"quality": {"psnr-rgb": "x", "ms-ssim-rgb": 1}}, {"bytes": None}]
)
def test_a_damaged_record_is_measured_again(
    photographs: list[Photograph], tmp_path: Path, damage: dict[str, Any]
) -> None:
    calls: list[str] = []

    def one() -> Record:
        curves = measure([counting(JPEG, calls)], photographs[:1], {"jpeg": (50,)}, cache=Cache(tmp_path))
        return curves["jpeg"].records[0]

    first = one()
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text(json.dumps(json.loads(kept.read_text(encoding="utf-8")) | damage), encoding="utf-8")
    assert one().quality == first.quality and calls == ["jpeg 50", "jpeg 50"]


def test_small_and_lossless_pictures_have_gaps_not_errors(tmp_path: Path) -> None:
    small = [Photograph("small", np.full((40, 40, 3), 128, np.uint8))]
    curve = measure([JPEG], small, {"jpeg": (50, 90)})["jpeg"]
    assert curve.averages()["ms-ssim-rgb"] == [None, None]
    assert curve.averages()["psnr-rgb"] == [None, None]  # mid-grey comes back without loss
    curve.write(tmp_path / "jpeg.json", "small")
    assert "Infinity" not in (tmp_path / "jpeg.json").read_text(encoding="utf-8")
    for metric in (PSNR, MS_SSIM):
        found = compare(curve, curve, metric)
        assert found.averaged is None and found.per_picture is None and found.pictures == 0


def test_a_codec_that_returns_another_size_is_caught(photographs: list[Photograph]) -> None:
    broken = replace(JPEG, decode=lambda data: JPEG.decode(data)[1:])
    trial = Trial(broken, photographs[0], 50)
    trial.run()
    with pytest.raises(PictureError, match="jpeg returned a"):
        trial.record()


def test_compare_speed_and_tables(photographs: list[Photograph]) -> None:
    predicting = replace(WEBP, predict=lambda picture, setting: 1000.0)
    curves = measure([JPEG, predicting], photographs, {"jpeg": (5, 10, 30, 60, 95), "webp": (5, 50, 95)})
    found = [
        compare(curves[codec], curves[anchor], metric)
        for codec, anchor in (("webp", "jpeg"), ("jpeg", "webp"))
        for metric in (PSNR, MS_SSIM)
    ]
    assert found[0].averaged is not None and found[0].per_picture is not None
    assert found[0].averaged.percent < 0 and found[0].pictures == 2
    assert found[2].averaged is not None
    ratio = (1 + found[0].averaged.percent / 100) * (1 + found[2].averaged.percent / 100)
    assert ratio == pytest.approx(1)

    target = 0.8
    setting = setting_at(curves["jpeg"], target)
    assert setting == round(setting) and 5 < setting < 60
    assert setting_at(curves["jpeg"], 1e-3) == 5 and setting_at(curves["jpeg"], 99) == 95
    speeds = race([(JPEG, setting), (WEBP, 20)], photographs, rounds=3)
    assert [speed.codec for speed in speeds] == ["jpeg", "webp"]
    assert speeds[0].bpp == pytest.approx(target, rel=0.3)
    assert all(speed.encode_mps > 0 and speed.decode_mps > 0 for speed in speeds)

    assert bd_rate_table(found, "jpeg").row_count == 1
    assert settings_table([JPEG, WEBP]).row_count == 2
    assert speed_table(speeds, "jpeg").row_count == 2
    entropy = entropy_table(curves)
    assert entropy is not None and entropy.row_count == 3
    assert entropy_table({"jpeg": curves["jpeg"]}) is None


def test_largest_within(photographs: list[Photograph]) -> None:
    samples = photographs[0].samples
    limit = 6000
    fit = largest_within(JPEG, samples, limit)
    assert fit.fits and len(fit.data) <= limit < len(JPEG.encode(samples, fit.setting + 1))
    too_small = largest_within(JPEG, samples, 100)
    assert not too_small.fits and too_small.setting == JPEG.lowest and len(too_small.data) > 100
    assert largest_within(JPEG, samples, 10**9).setting == JPEG.highest


def test_the_demo_with_another_codec_in_our_place(
    photographs: list[Photograph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "OURS", JPEG2000)
    monkeypatch.setattr(demo, "PEERS", {"JPEG": JPEG, "WebP": WEBP})
    monkeypatch.setenv("COLUMNS", "140")
    photo, out = tmp_path / "my photo.png", tmp_path / "out"
    Image.fromarray(photographs[0].samples).save(photo)
    assert demo.main([str(photo), "--out", str(out), "--quality", "32"]) == 0
    printed = capsys.readouterr().out
    assert "Calotype" in printed and "JPEG" in printed and "WebP" in printed
    assert len((out / "my photo.calo").read_bytes()) == len(JPEG2000.encode(photographs[0].samples, 32))
    with Image.open(out / "my photo.png") as decoded, Image.open(out / "side-by-side.png") as sheet:
        assert decoded.size == (256, 192)
        assert sheet.width > 3 * 320 and sheet.height > 2 * 192

    assert demo.main([str(out / "my photo.png"), "--out", str(out)]) == 1
    assert "would be overwritten" in capsys.readouterr().err
    assert demo.main([str(tmp_path / "none.png"), "--out", str(out)]) == 1
    assert "there is no picture" in capsys.readouterr().err
    assert demo.shipped_photograph().is_file()


def test_the_table_of_the_demo_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "metrics", lambda: [SSIMULACRA2, BUTTERAUGLI, MS_SSIM, PSNR])
    samples = np.zeros((200, 200, 3), np.uint8)
    outcome = demo.run_codec("Calotype", JPEG, Photograph("black", samples), 50)
    figures = {metric.key: 88.88888 for metric in demo.metrics()}
    record = replace(outcome.record, bytes=123_456, encode_s=0.222, decode_s=0.222, quality=figures)
    console = Console(width=80, record=True)
    console.print(demo.table([replace(outcome, record=record)], "title"))
    text = console.export_text()
    assert "…" not in text and "decode" in text


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (400, 5), (16, 16), (321, 17), (640, 330)])
def test_side_by_side_of_any_size(size: tuple[int, int]) -> None:
    samples = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    outcome = demo.run_codec("JPEG", JPEG, Photograph("noise", samples), 50)
    side = min(*size, demo.CROP)
    left, top = demo.hardest_place(samples, [outcome], side)
    assert 0 <= left <= size[1] - side and 0 <= top <= size[0] - side
    assert demo.side_by_side(samples, [outcome]).width > 2 * demo.CROP


def test_the_hardest_place_is_where_the_loss_is() -> None:
    samples = np.zeros((800, 900, 3), np.uint8)
    decoded = samples.copy()
    decoded[500:560, 700:760] = 200
    outcome = replace(demo.run_codec("JPEG", JPEG, Photograph("black", samples), 50), decoded=decoded)
    left, top = demo.hardest_place(samples, [outcome], 320)
    assert left <= 700 and left + 320 >= 760
    assert top <= 500 and top + 320 >= 560


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    for name in ("10.png", "2.png", "1.bmp"):
        Image.fromarray(drawn).save(tmp_path / name)
    Image.fromarray(drawn[:, :, 0]).save(tmp_path / "2.tif")
    (tmp_path / "notes.txt").write_text("not a picture", encoding="utf-8")
    found = load_folder(tmp_path)
    assert [photograph.name for photograph in found] == ["1.bmp", "2.png", "2.tif", "10.png"]
    assert found[0].digest == found[1].digest != found[2].digest
    assert all(photograph.samples.shape == (20, 30, 3) for photograph in found)


def test_no_two_pictures_have_one_name_and_any_name_will_do(tmp_path: Path) -> None:
    names = ["a.png", "a.bmp", "a.png.bmp", "1\N{SUPERSCRIPT TWO}3.png"]
    for number, name in enumerate(names):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(tmp_path / name)
    (tmp_path / "._a.png").write_bytes(b"what macOS leaves on other file systems")
    assert sorted(photograph.name for photograph in load_folder(tmp_path)) == sorted(names)


def test_sixteen_bit_pictures_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert (load_photograph(tmp_path / "deep.png").samples[:, :, 1] == ramp >> 8).all()


def test_bad_folders_and_pictures(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="not a folder"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(PictureError, match="holds no pictures"):
        load_folder(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no picture at all")
    with pytest.raises(PictureError, match="not a picture"):
        load_folder(tmp_path)
    with pytest.raises(PictureError, match="no picture at"):
        load_photograph(tmp_path / "none.png")
    drawn = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(drawn).save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError, match=r"cut\.png"):
        load_photograph(tmp_path / "cut.png")
