# SPDX-License-Identifier: BSD-3-Clause
"""``calotype.upscale``, with bilinear interpolation in the place of the networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import calotype
from calotype import raster
from calotype.api.upscale import upscale_raster
from calotype.codecs.ledig2017 import enlarger
from calotype.container import Metadata
from calotype.metrics import psnr
from calotype.raster.resampling import resize
from tests.make_golden import drawing
from tests.raster.test_dimensions import exif_bytes
from tests.small_enlarger import write_enlarger


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    for model in ("srresnet", "srgan"):
        for scale in (2, 4):
            write_enlarger(folder, model, scale)
    monkeypatch.setenv("CALOTYPE_WEIGHTS", str(folder))
    return folder


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("scale", [2, 4])
def test_depth_and_channels_are_kept(scale: int, channels: int, depth: int) -> None:
    picture = drawing(13, 21, channels, depth)
    large = calotype.upscale(picture, scale, as_array=True)
    expected = (13 * scale, 21 * scale, channels)
    assert large.shape == (expected if channels > 1 else expected[:2]) and large.dtype == picture.dtype


def test_the_result_looks_like_the_picture() -> None:
    y, x = np.mgrid[:60, :80]
    smooth = np.stack([128 + 100 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), x + y], 2).astype(np.uint8)
    for scale in (2, 4):
        large = calotype.upscale(smooth, scale, as_array=True)
        assert psnr(resize(smooth, 60 * scale, 80 * scale), large) > 38


def test_models_differ_and_the_default_is_srresnet_four_times() -> None:
    picture = drawing(16, 16, 3, 8)
    default = calotype.upscale(picture, as_array=True)
    np.testing.assert_array_equal(default, calotype.upscale(picture, 4, model="srresnet", as_array=True))
    assert not np.array_equal(default, calotype.upscale(picture, 4, model="srgan", as_array=True))


def test_windows_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = drawing(75, 91, 3, 8)
    whole = calotype.upscale(picture, 2, model="srgan", as_array=True)
    monkeypatch.setattr(enlarger, "WINDOW", 32)
    done: list[tuple[int, int]] = []
    parts = calotype.upscale(
        picture, 2, model="srgan", progress=lambda *now: done.append(now), as_array=True
    )  # fmt: skip
    assert np.abs(parts.astype(int) - whole).max() <= 1
    assert done[-1] == (30, 30) and len(done) == 30


def test_alpha_is_interpolated() -> None:
    picture = drawing(20, 20, 4, 8)
    picture[..., 3] = 255
    picture[:, 10:, 3] = 0
    large = calotype.upscale(Image.fromarray(picture), 2)
    alpha = np.asarray(large)[..., 3]
    assert large.mode == "RGBA" and (alpha[:, :14] == 255).all() and (alpha[:, 26:] == 0).all()


def test_profile_exif_and_xmp_are_kept_with_the_new_size() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b'<x:xmpmeta tiff:ImageWidth="40"/>'
    source = raster.Raster(drawing(30, 40, 3, 8), None, Metadata(profile, exif_bytes(), xmp))
    large = upscale_raster(source, 4)
    assert large.icc == profile and large.xmp == b'<x:xmpmeta tiff:ImageWidth="160"/>'
    exif = Image.Exif()
    exif.load(large.exif)
    assert (exif[0x0100], exif[0x0101]) == (160, 120)


@pytest.mark.parametrize("scale", [3, 0, "2", True, None, 2.5, 2.0])
def test_other_scales_are_refused(scale: object) -> None:
    with pytest.raises(calotype.PictureError, match="scale of codec 'ledig2017' should be 2 or 4"):
        calotype.upscale(drawing(4, 4, 3, 8), scale)  # type: ignore[arg-type]


def test_other_models_are_refused() -> None:
    with pytest.raises(calotype.BundleError, match=r"there is no model esrgan for scale 2; there are: .*srresnet"):
        calotype.upscale(drawing(4, 4, 3, 8), 2, model="esrgan")
    with pytest.raises(calotype.PictureError, match="model of codec 'ledig2017' should be a name"):
        calotype.upscale(drawing(4, 4, 3, 8), 2, model="../etc")


def test_too_large_a_result_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(calotype.PictureError, match="100000 x 4 pixels"):
        calotype.upscale(np.zeros((1, 25000, 3), np.uint8), 4)
    with pytest.raises(calotype.PictureError, match="enlarge it 2 times"):
        calotype.upscale(np.zeros((5000, 5000), np.uint8), 4)


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 0}, {"halo": 3}, {"scale": 3}, {"halo": None}, {"stride": 1000}, {"scale": 0}, {"window": 0},
        {"window": 3},
    ],
)  # fmt: skip
def test_weights_of_another_shape_are_refused(change: dict[str, object], weights: Path) -> None:
    path = weights / "srresnet-x2" / "model.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    description["configuration"].update(change)
    path.write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(calotype.BundleError, match="do not say their scale, stride, halo and window"):
        calotype.upscale(drawing(4, 4, 3, 8), 2)


def test_a_scale_may_be_a_number_of_numpy() -> None:
    picture = drawing(70, 80, 3, 8)  # four times as many are no uint8
    np.testing.assert_array_equal(
        calotype.upscale(picture, np.uint8(4), as_array=True), calotype.upscale(picture, 4, as_array=True)
    )
