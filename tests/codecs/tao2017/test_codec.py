# SPDX-License-Identifier: BSD-3-Clause
"""The codec ``tao2017``: the standard file inside, networks around it; with a small random bundle."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

pytest.importorskip("onnx")

import calotype
from calotype import codecs, container
from calotype.benchmark.peers import AVIF, JPEG, JPEG2000, WEBP
from calotype.codecs.tao2017 import BASES as IDS
from calotype.codecs.tao2017 import Options, standard
from calotype.codecs.tao2017.codec import TILE, Tao2017
from calotype.codecs.tao2017.flat import limited
from calotype.codecs.tao2017.standard import BASES, decibels, kind
from calotype.container import Container, Header
from calotype.engine import bundles
from calotype.errors import BundleError, FormatError, PictureError
from tests.make_golden import drawing
from tests.small_tao2017 import write_bundle

BASE_IDS = [
    pytest.param(name, marks=pytest.mark.skipif(not features.check(base.library), reason=f"Pillow has no {name}"))
    for name, base in BASES.items()
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("tao2017")).parent


@pytest.fixture(autouse=True)
def use_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(weights))


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [128 + 70 * np.sin(x / (9 + c)) + 50 * np.cos(y / (13 - c)) for c in range(channels)]
    return np.stack(planes, 2).round().astype(np.uint8)


def encode(picture: np.ndarray, **options: Any) -> bytes:
    picture = picture[..., 0] if picture.shape[2] == 1 else picture
    return calotype.encode(picture, codec="tao2017", threads=1, **options)


def decode(data: bytes, **options: Any) -> np.ndarray:
    found = calotype.decode(data, as_array=True, threads=1, **options)
    return found if found.ndim == 3 else found[..., None]


def packed(payload: bytes, width: int, height: int, **changes: Any) -> bytes:
    """A sound .calo file around any payload."""
    header = Header("tao2017", bundles.find("tao2017").tag, width, height, 3, 8, False, 60 * 256, TILE)
    return container.pack(Container(replace(header, **changes), tiles=(payload,)))


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("base", BASE_IDS)
@pytest.mark.parametrize(
    "shape",
    [(70, 101, 3, 8), (33, 17, 1, 8), (1, 1, 3, 8), (1, 2, 1, 8), (90, 5, 3, 16), (48, 64, 1, 16), (40, 41, 4, 8)],
)
def test_comes_back_in_its_shape(base: str, scale: int, shape: tuple[int, int, int, int]) -> None:
    picture = drawing(*shape)
    data = encode(picture, base=base, scale=scale, quality=70)
    decoded = decode(data)
    assert decoded.shape == picture.shape and decoded.dtype == picture.dtype
    assert kind(calotype.extract(data)) is BASES[base]
    if shape[2] == 4:
        assert (decoded[..., 3] == picture[..., 3]).all()
    if shape[3] == 16:
        assert len(np.unique(decoded % 257)) > 1  # not merely 8 bits spread


@pytest.mark.parametrize("base", BASE_IDS)
def test_the_file_inside_is_the_peers_file(base: str) -> None:
    picture = smooth(64, 96)
    peer = {"jpeg": JPEG, "webp": WEBP, "jpeg2000": JPEG2000, "avif": AVIF}[base]
    for quality in (10, 45, 90):
        expected = peer.encode(picture, decibels(quality) if base == "jpeg2000" else quality)
        assert calotype.extract(encode(picture, base=base, scale=1, quality=quality)) == expected


def test_half_the_size_is_inside() -> None:
    with Image.open(io.BytesIO(calotype.extract(encode(smooth(101, 64))))) as image:
        assert image.format == "JPEG" and image.size == (32, 51)
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("shape", [(2300, 1100), (1101, 2049)])
def test_windows_leave_no_seam(scale: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = smooth(*shape)
    codec = codecs.get("tao2017").open(1).with_options(Options(scale=scale))
    data = encode(picture, scale=scale)
    decoded, latents = decode(data), codec.latents(picture)
    monkeypatch.setattr("calotype.codecs.tao2017.codec.WINDOW", 4096)
    for pair in ((decode(data), decoded), (codec.latents(picture), latents)):
        difference = abs(pair[0].astype(int) - pair[1])  # a tie may be rounded either way
        assert difference.max() <= 1 and difference.mean() < 0.1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("scale", [1, 2])
def test_regions_are_parts_of_the_whole(scale: int, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    memory = io.BytesIO()
    Image.fromarray(drawing(61, 90, 3, 8)).save(memory, "JPEG", quality=70, exif=exif)
    upright = (61, 90) if orientation < 5 else (90, 61)
    size = (scale * upright[1] - scale + 1, scale * upright[0] - scale + 1)
    data = calotype.wrap(memory.getvalue(), scale, size=size)
    whole = decode(data)
    assert whole.shape == (size[1], size[0], 3)
    for left, top, right, bottom in [(0, 0, 7, 5), (13, 11, 40, 60), (size[0] - 3, size[1] - 2, size[0], size[1])]:
        part = decode(data, region=(left, top, right, bottom))
        assert abs(part.astype(int) - whole[top:bottom, left:right]).max() <= 1
    if scale == 1:
        turned = np.asarray(Image.open(memory).convert("RGB"))
        straight = np.rot90(turned, {1: 0, 3: 2, 6: 3, 8: 1}.get(orientation, 0))
        if orientation in (1, 3, 6, 8):
            assert abs(whole.astype(int) - straight).mean() < 60


@pytest.mark.parametrize("base", BASE_IDS)
@pytest.mark.parametrize("scale", [1, 2])
def test_targets(base: str, scale: int) -> None:
    picture = smooth(160, 200)
    sizes = [len(encode(picture, base=base, scale=scale, quality=quality)) for quality in (1, 20, 40, 60, 80, 100)]
    assert sizes == sorted(sizes) and sizes[-1] > 1.2 * sizes[0]
    target = (sizes[2] + sizes[3]) // 2
    found = len(encode(picture, base=base, scale=scale, target_size=target))
    assert sizes[2] * 0.98 <= found <= target


def test_options() -> None:
    picture = smooth(20, 20)
    for options in ({"base": "gif"}, {"base": 3}, {"scale": 4}, {"scale": True}, {"scale": "2"}, {"model": "srgan"}):
        with pytest.raises(PictureError):
            encode(picture, **options)
    with pytest.raises(PictureError, match="quality"):
        encode(picture, quality=0)


def test_large_pictures_are_refused() -> None:
    with pytest.raises(PictureError, match="32768"):
        encode(np.zeros((1, TILE + 1, 3), np.uint8))
    with pytest.raises(PictureError, match="WebP holds at most 16383"):
        encode(np.zeros((1, 16384, 3), np.uint8), base="webp", scale=1)


def test_noise_is_written_without_the_optimiser() -> None:
    noise = np.random.default_rng(1).integers(0, 2, (300, 300, 3)).astype(np.uint8) * np.uint8(255)
    assert decode(encode(noise, scale=1, quality=93)).shape == noise.shape


def test_weights_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(smooth(20, 20))
    for name, value in {"rec2": {"stride": 4}, "rec1": {"stride": 0, "halo": 0}}.items():
        write_bundle(tmp_path / name, **{name: value})
        monkeypatch.setenv("CALOTYPE_WEIGHTS", str(tmp_path / name))
        with pytest.raises(BundleError):
            decode(data if name == "rec2" else encode(smooth(20, 20), scale=1))


# --- wrapping ---------------------------------------------------------------------------------------------------------


def saved(picture: np.ndarray, plugin: str, **options: Any) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, plugin, **options)
    return memory.getvalue()


@pytest.mark.parametrize("base", BASE_IDS)
def test_wrapping_keeps_every_byte(base: str) -> None:
    picture = smooth(33, 50)
    for channels, array in ((3, picture), (1, picture[..., 0])):
        file = saved(array, BASES[base].plugin)
        for scale in (1, 2):
            data = calotype.wrap(file, scale)
            assert calotype.extract(data) == file
            about = calotype.probe(data)
            assert (about.width, about.height, about.quality) == (50 * scale, 33 * scale, 0)
            assert decode(data).shape[:2] == (33 * scale, 50 * scale)
            assert about.channels == channels or base in ("webp", "avif")  # libraries that give grey back as RGB


def test_wrapping_decodes_as_restoring_does() -> None:
    file = saved(smooth(60, 80), "JPEG", quality=20)
    before = np.asarray(Image.open(io.BytesIO(file)))
    after = limited(before, decode(calotype.wrap(file)).copy())  # restoring leaves flat places alone
    assert (after == calotype.restore(file, as_array=True)).all()


def test_wrapping_keeps_metadata_and_alpha() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "camera", 6
    file = saved(smooth(33, 50), "JPEG", exif=exif, xmp=b"<x:xmpmeta/>", icc_profile=None)
    image = calotype.decode(calotype.wrap(file))
    assert image.size == (33, 50) and image.info["xmp"] == b"<x:xmpmeta/>"
    assert image.getexif()[0x010F] == "camera" and image.getexif()[0x0112] == 1
    assert calotype.probe(calotype.wrap(file, strip=True)).exif == 0
    if features.check("webp"):
        see_through = drawing(20, 30, 4, 8)
        file = saved(see_through, "WEBP", lossless=True, exact=True)
        assert (decode(calotype.wrap(file))[..., 3] == see_through[..., 3]).all()
        with pytest.raises(PictureError, match="alpha"):
            calotype.wrap(file, 2)


def test_what_cannot_be_wrapped() -> None:
    good = saved(smooth(8, 8), "JPEG")
    cmyk = io.BytesIO()
    Image.fromarray(smooth(8, 8)).convert("CMYK").save(cmyk, "JPEG")
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (b"", {}, "only a JPEG"),
        (saved(smooth(8, 8), "PNG"), {}, "only a JPEG"),
        (cmyk.getvalue(), {}, "CMYK"),
        (good[:200], {}, "damaged|truncated"),
        (good, {"scale": 3}, "scale"),
        (good, {"size": (9, 8)}, "size 9 x 8"),
        (good, {"scale": 1.0}, "scale"),
        (good, {"scale": 2, "size": (14, 16)}, "15 or 16"),
        (good, {"scale": 2, "size": "16x16"}, "size '16x16' does not fit"),
        (good, {"scale": 2, "size": 16}, "size 16 does not fit"),
        ("photo.jpg", {}, "bytes"),
    ]
    for data, options, words in cases:
        with pytest.raises(PictureError, match=words):
            calotype.wrap(data, **options)
    frames = [Image.fromarray(smooth(8, 8)), Image.fromarray(255 - smooth(8, 8))]
    memory = io.BytesIO()
    frames[0].save(memory, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(PictureError, match="animation"):
        calotype.wrap(memory.getvalue())


def test_what_cannot_be_extracted() -> None:
    other = packed(b"nothing", 8, 8)
    for data in (b"", other, "photo.calo", container.pack(Container(container.read_header(other), tiles=(b"BM",)))):
        with pytest.raises(FormatError):
            calotype.extract(data)  # type: ignore[arg-type]
    header = replace(container.read_header(other), codec="talbot")
    with pytest.raises(FormatError, match="talbot"):
        calotype.extract(container.pack(Container(header, tiles=(b"",))))


# --- hostile files ----------------------------------------------------------------------------------------------------


def test_the_header_is_held_against_the_file_inside() -> None:
    file = saved(smooth(30, 40), "JPEG")
    assert decode(packed(file, 40, 30)).shape == (30, 40, 3)
    assert decode(packed(file, 79, 60)).shape == (60, 79, 3)
    for width, height in ((41, 30), (40, 31), (20, 15), (81, 60), (79, 30)):
        with pytest.raises(FormatError, match="neither"):
            decode(packed(file, width, height))
    for changes in ({"tile": 1024}, {"quality": 17}, {"quality": 26000}, {"channels": 1}):
        with pytest.raises(FormatError):
            decode(packed(file, 40, 30, **changes))
    with pytest.raises(FormatError, match="wrong colours"):
        decode(packed(saved(smooth(30, 40)[..., 0], "JPEG"), 40, 30))
    for format_ in ("PNG", "GIF", "TIFF", "BMP"):
        with pytest.raises(FormatError, match="not a JPEG"):
            decode(packed(saved(smooth(30, 40), format_), 40, 30))


def test_a_bomb_is_not_decoded() -> None:
    file = bytearray(saved(smooth(16, 16), "JPEG", quality=50))
    place = file.index(b"\xff\xc0") + 5
    file[place : place + 4] = struct.pack(">HH", 65500, 65500)
    tracemalloc.start()
    begin = time.process_time()
    with pytest.raises(FormatError):
        decode(packed(bytes(file), 16, 16))
    assert time.process_time() - begin < 2 and tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_lost_tile() -> None:
    data = bytearray(encode(smooth(40, 40)))
    data[-30] ^= 1
    with pytest.raises(FormatError):
        decode(bytes(data))
    with pytest.raises(FormatError, match="nothing can be saved"), pytest.warns(calotype.DamageWarning):
        decode(bytes(data), salvage=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("base", BASE_IDS)
def test_corrupt_payloads(base: str) -> None:
    rng = random.Random(7)
    picture = smooth(24, 40)
    good = calotype.extract(encode(picture, base=base, scale=1, quality=50))
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 5)):
            place = rng.randrange(len(bad))
            match rng.randrange(4):
                case 0:
                    bad[place] ^= 1 << rng.randrange(8)
                case 1:
                    bad[place : place + rng.randint(1, 8)] = rng.randbytes(rng.randint(0, 8))
                case 2:
                    del bad[place + 1 :]
                case 3:
                    bad[place : place + 1] = bytes([rng.choice([0, 255, 127, 1])])
        for salvage in (False, True):
            try:
                decoded = decode(packed(bytes(bad), 40, 24), salvage=salvage)
            except FormatError as error:
                assert str(error) and "\n" not in str(error)
                continue
            assert decoded.shape == picture.shape
        try:
            calotype.wrap(bytes(bad))
        except PictureError as error:
            assert str(error)


def test_whatever_pillow_raises_is_a_format_error(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(smooth(20, 20))
    bomb, memory = Image.DecompressionBombError("x"), MemoryError()
    for error in (SyntaxError("x"), struct.error("x"), memory, bomb, KeyError(3)):

        def broken(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        monkeypatch.setattr(standard.Image, "open", broken)
        with pytest.raises(FormatError, match="not enough memory" if error is memory else "damaged"):
            decode(data)


def test_registry() -> None:
    assert tuple(BASES) == IDS
    opened = codecs.get("tao2017").open(1)
    assert isinstance(opened, Tao2017) and opened.scale == 2 and opened.base == "jpeg"
    assert opened.with_options(Options(base="avif")).base == "avif" and opened.base == "jpeg"
