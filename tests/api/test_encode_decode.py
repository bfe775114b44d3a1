# SPDX-License-Identifier: BSD-3-Clause
"""The public verbs, with the real codec and small random weights."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import calotype
from calotype import container
from calotype.api import decode as api
from calotype.codecs.talbot import codec as talbot
from calotype.codecs.talbot.prior import Prior
from tests.make_golden import drawing

pytestmark = pytest.mark.usefixtures("golden_weights")


def photograph(height: int = 96, width: int = 144) -> np.ndarray:
    return drawing(height, width, 3, 8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16"])
def test_every_mode_comes_back(mode: str) -> None:
    base = Image.fromarray(photograph(40, 50))
    source = Image.fromarray(drawing(40, 50, 1, 16)[..., 0]) if mode == "I;16" else base.convert(mode)
    decoded = calotype.decode(calotype.encode(source, quality=90))
    grey = {"1": "L", "L": "L", "LA": "LA", "I;16": "I;16"}
    assert decoded.mode == grey.get(mode, "RGBA" if mode in {"RGBA", "PA"} else "RGB")
    assert decoded.size == source.size


def test_depth_is_kept() -> None:
    picture = drawing(64, 64, 3, 16)
    data = calotype.encode(picture, quality=100)
    assert calotype.probe(data).depth == 16
    assert calotype.decode(data, as_array=True).dtype == np.uint16
    assert calotype.decode(data).mode == "RGB"


def test_plain_overhead_is_at_most_48_bytes() -> None:
    data = calotype.encode(photograph())
    (payload,) = container.unpack(data).tiles
    assert payload is not None
    assert len(data) - (len(payload) - 2) <= 48


def test_regions_are_what_the_whole_shows_and_read_only_their_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = drawing(1100, 2300, 3, 8)
    data = calotype.encode(picture, quality=70)
    whole = calotype.decode(data, as_array=True).astype(int)
    for region in [(0, 0, 2300, 1100), (1000, 1000, 1050, 1050), (2299, 1099, 2300, 1100), (5, 900, 700, 1100)]:
        left, top, right, bottom = region
        part = calotype.decode(data, region=region, as_array=True)
        assert np.abs(part - whole[top:bottom, left:right]).max() <= 1
    read = []
    decode = Prior.decode
    monkeypatch.setattr(Prior, "decode", lambda self, d, *a: read.append(len(d)) or decode(self, d, *a))
    calotype.decode(data, region=(0, 0, 100, 100))
    assert len(read) == 1
    monkeypatch.setattr(talbot, "BAND", 1024)  # a wide picture in several bands: the seams do not show
    assert np.abs(calotype.decode(data, as_array=True) - whole).max() <= 1
    assert calotype.encode(picture, quality=70) == data


@pytest.mark.parametrize("region", [(0, 0, 0, 5), (-1, 0, 5, 5), (0, 0, 145, 5), (5, 5, 4, 9)])
def test_regions_outside_are_refused(region: tuple[int, int, int, int]) -> None:
    with pytest.raises(calotype.PictureError, match="144 x 96"):
        calotype.decode(calotype.encode(photograph()), region=region)


def test_target_size() -> None:
    picture = photograph(200, 300)
    low, high = len(calotype.encode(picture, quality=5)), len(calotype.encode(picture, quality=95))
    target = (low + high) // 2
    size = len(calotype.encode(picture, target_size=target))
    assert 0.9 * target < size <= target
    with pytest.raises(calotype.PictureError, match="cannot be reached"):
        calotype.encode(picture, target_size=50)


def test_target_fidelity() -> None:
    from calotype.metrics import psnr, ssim

    picture = photograph(160, 160)

    def values(**target: float) -> tuple[float, float]:
        decoded = calotype.decode(calotype.encode(picture, **target), as_array=True)
        return psnr(picture, decoded), ssim(picture, decoded)

    low, high = values(quality=10), values(quality=90)
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    assert middle[0] <= values(target_psnr=middle[0])[0] < middle[0] + 0.5
    assert middle[1] <= values(target_ssim=middle[1])[1]
    with pytest.raises(calotype.PictureError, match="PSNR 99 cannot be reached"):
        calotype.encode(picture, target_psnr=99, tiles="network")
    with pytest.raises(calotype.PictureError, match="several"):
        calotype.encode(picture, target_psnr=30, quality=50)


def test_target_ssimulacra2() -> None:
    from calotype.metrics import ssimulacra2

    picture = photograph(230, 240)

    def value(**target: float) -> float:
        return ssimulacra2(picture, np.asarray(calotype.decode(calotype.encode(picture, **target), as_array=True)))

    wanted = (value(quality=10) + value(quality=90)) / 2
    if 0 <= wanted <= 100:
        assert wanted <= value(target_ssimulacra2=wanted) < wanted + 2
    with pytest.raises(calotype.PictureError, match="number from 0 to 100"):
        calotype.encode(picture, target_ssimulacra2=101)
    with pytest.raises(calotype.PictureError, match=r"SSIMULACRA 2 99[.]9 cannot be reached"):
        calotype.encode(picture, target_ssimulacra2=99.9, tiles="network")
    with pytest.raises(calotype.PictureError, match="at least 225 pixels"):
        calotype.encode(picture[:100], target_ssimulacra2=50)


def test_numbers_of_numpy_are_numbers() -> None:
    picture = photograph(40, 50)
    data = calotype.encode(picture, quality=np.uint8(60), effort=np.int8(1), threads=np.int64(1))
    assert data == calotype.encode(picture, quality=60, effort=1, threads=1)
    assert calotype.encode(picture, target_psnr=Fraction(21, 2)) == calotype.encode(picture, target_psnr=10.5)
    assert calotype.decode(data, region=tuple(np.uint8([1, 2, 30, 40])), as_array=True).shape == (38, 29, 3)


@pytest.mark.parametrize(
    "options",
    [{"region": 5}, {"region": "abcd"}, {"region": (True, True, 5, 5)}, {"max_pixels": "x"}, {"max_pixels": np.nan}],
)
def test_arguments_that_are_nonsense(options: dict[str, Any]) -> None:
    with pytest.raises(calotype.PictureError, match=next(iter(options))):
        calotype.decode(calotype.encode(photograph(40, 50)), **options)


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(calotype.PictureError, match="talbot"):
        calotype.encode(photograph(), codec="jpeg")
    with pytest.raises(calotype.PictureError, match="talbot"):
        calotype.encode(photograph(), codec=["talbot"])  # type: ignore[arg-type]


def test_strangers_get_no_more_pixels_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = calotype.encode(drawing(40, 60, 3, 8), threads=1)
    assert calotype.decode(data, max_pixels=2400).size == (60, 40)
    monkeypatch.setattr(api, "codec_of", None)  # no weights are touched
    with pytest.raises(calotype.PictureError, match="60 x 40 pixels, and max_pixels is 2399"):
        calotype.decode(data, region=(0, 0, 10, 10), max_pixels=2399)


def test_damage_is_an_error_and_can_be_salvaged() -> None:
    data = bytearray(calotype.encode(drawing(60, 1100, 3, 8), quality=80))
    data[-60] ^= 1
    with pytest.raises(calotype.FormatError, match="tile 2 of 2"):
        calotype.decode(bytes(data))
    with pytest.warns(calotype.DamageWarning):
        decoded = calotype.decode(bytes(data), salvage=True, as_array=True)
    assert decoded.shape == (60, 1100, 3)


def test_a_stream_with_a_right_crc_but_wrong_symbols_is_noticed() -> None:
    content = container.unpack(calotype.encode(photograph(), quality=80))
    (payload,) = content.tiles
    assert payload is not None
    for changed in (
        payload[:2] + payload[6:],
        payload[:-1],
        payload[:20] + bytes([payload[20] ^ 16]) + payload[21:],
        b"",
    ):
        forged = reseal(content, (changed,))
        with pytest.raises(calotype.FormatError, match="tile"):
            calotype.decode(forged)


def reseal(content: container.Container, tiles: tuple[bytes | None, ...]) -> bytes:
    """The same file with other tiles and sound checksums."""
    return container.pack(container.Container(content.header, content.metadata, content.alpha, tiles))


@pytest.mark.parametrize("codec", ["talbot", "ledig2017", "tao2017"])
def test_layers_where_a_codec_has_none(codec: str) -> None:
    """Such a file may stop behind its first tile: what these codecs never write, they never read."""
    content = container.unpack(calotype.encode(drawing(8, 2100, 3, 8), codec=codec, quality=5))
    header = replace(content.header, layers=2)
    layered = container.pack(replace(content, header=header, tiles=content.tiles[:1]))
    for options in ({}, {"iterations": 1}, {"salvage": True}):
        with pytest.raises(calotype.FormatError, match=f"names 2 layers; {codec} has none"):
            calotype.decode(layered, **options)
    with pytest.raises(calotype.FormatError, match="names 2 layers"):
        list(calotype.progressive(layered))
    if codec == "tao2017":
        with pytest.raises(calotype.FormatError, match="the file inside"):
            calotype.extract(layered)


def test_salvage_tells_of_tiles_that_do_not_decode() -> None:
    content = container.unpack(calotype.encode(drawing(60, 1100, 3, 8), quality=80))
    first, second = content.tiles
    assert first is not None and second is not None
    data = reseal(content, (first, bytes([second[0] ^ 1]) + second[1:]))
    with pytest.warns(calotype.DamageWarning, match="tile 2 of 2: .*other weights"):
        calotype.decode(data, salvage=True)
    nothing = reseal(content, (first[:-4], second[:-4]))
    with pytest.warns(calotype.DamageWarning), pytest.raises(calotype.FormatError, match="nothing can be saved"):
        calotype.decode(nothing, salvage=True)


@pytest.mark.parametrize("threads", [0, -1, 5000, "2", 1.5, True])
def test_nonsense_threads_are_refused(threads: object) -> None:
    with pytest.raises(calotype.PictureError, match="threads"):
        calotype.encode(photograph(), threads=threads)


@pytest.mark.parametrize(
    "demand",
    [{"quality": "60"}, {"quality": True}, {"target_psnr": -5}, {"target_size": float("inf")}, {"target_size": "80kB"},
     {"target_size": float("nan")}, {"target_ssim": 1.5}, {"target_size": 0}],
)  # fmt: skip
def test_nonsense_demands_are_refused(demand: dict[str, object]) -> None:
    with pytest.raises(calotype.PictureError, match="should be a number from"):
        calotype.encode(photograph(), **demand)


def test_what_is_not_bytes_is_refused() -> None:
    for wrong in ("photo.calo", None, 5):
        with pytest.raises(calotype.FormatError, match="takes the bytes"):
            calotype.decode(wrong)
        with pytest.raises(calotype.FormatError, match="takes the bytes"):
            calotype.probe(wrong)
    data = calotype.encode(photograph())
    for region in ((0, 0), (0, 0, 1.5, 2), "0,0,1,1"):
        with pytest.raises(calotype.PictureError, match="region"):
            calotype.decode(data, region=region)


def test_files(tmp_path: Path) -> None:
    calotype.write(tmp_path / "a.calo", photograph(), quality=40)
    assert calotype.read(tmp_path / "a.calo").size == (144, 96)
    assert calotype.probe((tmp_path / "a.calo").read_bytes()).quality == 40
    with pytest.raises(calotype.PictureError, match="cannot read"):
        calotype.read(tmp_path / "b.calo")
    for wrong in (io.BytesIO(), b"a.calo", None):
        with pytest.raises(
            calotype.PictureError, match=r"read takes the path of a file, not .*; decode takes its bytes"
        ):
            calotype.read(wrong)  # type: ignore[arg-type]
        with pytest.raises(calotype.PictureError, match=r"write takes the path of a file, not .*; encode gives"):
            calotype.write(wrong, photograph())  # type: ignore[arg-type]


def test_metadata_survives_and_can_be_stripped() -> None:
    source = Image.fromarray(photograph())
    exif = Image.Exif()
    exif[0x010E] = "a drawing"
    buffer = io.BytesIO()
    source.save(buffer, "JPEG", exif=exif, quality=95)
    with Image.open(buffer) as opened:
        data = calotype.encode(opened)
        bare = calotype.encode(opened, strip=True)
    assert calotype.decode(data).getexif()[0x010E] == "a drawing"
    assert calotype.probe(bare).exif == 0 < calotype.probe(data).exif


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    data = calotype.encode(drawing(40, 1100, 1, 8), progress=lambda *a: seen.append(a))
    assert seen == [(1, 2), (2, 2)]
    calotype.decode(data, progress=lambda *a: seen.append(a))
    assert seen[-1][0] == seen[-1][1]


def test_the_codec_half_never_imports_pytorch_and_imports_quickly() -> None:
    code = (
        "import sys, time; start = time.process_time(); import calotype; took = time.process_time() - start\n"
        "heavy = {'torch', 'onnxruntime', 'numpy', 'PIL', 'scipy', 'rich'} & set(sys.modules)\n"
        "import numpy; data = calotype.encode(numpy.zeros((20, 20, 3), 'uint8')); calotype.decode(data)\n"
        "print(sorted(heavy), 'torch' in sys.modules, took < 0.3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False True"
