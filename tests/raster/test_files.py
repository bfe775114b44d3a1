# SPDX-License-Identifier: BSD-3-Clause
"""Picture files: formats, depth, failures and damage."""

from __future__ import annotations

import errno
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import calotype.pillow
from calotype.container import SIGNATURE, Container, Header, Metadata, pack
from calotype.errors import PictureError
from calotype.raster import Raster, from_picture, load, save, to_file
from calotype.raster.formats import FORMATS

from .drawing import XMP, exif_bytes, image_of, pattern, png


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    for suffix in (".gif", ".webp", ".png", ".tiff"):
        frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
        picture = load(tmp_path / f"a{suffix}")
        assert picture.samples[0, 0, 0] > 240
        assert picture.samples[0, 0, 2] < 15


def test_save_from_load_keeps_alpha(tmp_path: Path) -> None:
    for mode in ("LA", "RGBA"):
        picture = from_picture(image_of(mode))
        for suffix in (".png", ".tiff", ".webp", ".avif"):
            save(picture, tmp_path / f"a{suffix}")
            back = load(tmp_path / f"a{suffix}")
            assert back.alpha is not None
            if suffix != ".avif":
                assert np.array_equal(back.alpha, picture.alpha)  # type: ignore[arg-type]
        for suffix in (".jpg", ".bmp", ".ppm"):
            with pytest.raises(PictureError, match=r"\.png, \.webp, \.avif and \.tiff"):
                save(picture, tmp_path / f"a{suffix}")
            assert not (tmp_path / f"a{suffix}").exists()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_alpha_channel_that_hides_nothing_is_no_obstacle(dtype: Any) -> None:
    samples = pattern(dtype=dtype)
    alpha = np.full(samples.shape[:2], np.iinfo(dtype).max, dtype)
    for kind in ("jpg", "bmp", "ppm"):
        assert to_file(Raster(samples, alpha), kind) == to_file(Raster(samples), kind)
    back = load(io.BytesIO(to_file(Raster(samples, alpha), "png")))
    assert np.array_equal(back.alpha, alpha)  # type: ignore[arg-type]
    alpha[3, 4] -= 1
    with pytest.raises(PictureError, match="JPEG has no alpha channel"):
        to_file(Raster(samples, alpha), "jpg")


def test_depth_of_written_files(tmp_path: Path) -> None:
    grey = Raster(pattern(channels=1, dtype=np.uint16))
    colour = Raster(pattern(dtype=np.uint16))
    for suffix in (".png", ".tiff", ".pgm", ".jp2"):
        save(grey, tmp_path / f"g{suffix}")
        assert np.array_equal(load(tmp_path / f"g{suffix}").samples, grey.samples), suffix
    for picture in (grey, colour):
        for suffix in (".jpg", ".webp", ".bmp", ".avif"):
            save(picture, tmp_path / f"c{suffix}")
            assert load(tmp_path / f"c{suffix}").depth == 8
    for suffix in (".tiff", ".jp2"):
        with pytest.raises(PictureError, match=r"\.png only"):
            save(colour, tmp_path / f"c{suffix}")


def test_jpeg_has_full_colour_resolution(tmp_path: Path) -> None:
    save(Raster(pattern()), tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]


def test_noise_fits_into_a_jpeg() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert load(io.BytesIO(to_file(Raster(noise), "jpg"))).width == 256


def test_formats_by_name(tmp_path: Path) -> None:
    picture = Raster(pattern())
    for name in ("png", ".PNG", "PNG"):
        file = io.BytesIO()
        save(picture, file, name)
        assert np.array_equal(load(io.BytesIO(file.getvalue())).samples, picture.samples)
    save(picture, tmp_path / "temporary.part", ".jpeg")
    with Image.open(tmp_path / "temporary.part") as image:
        assert image.format == "JPEG"
    for target, kind in ((tmp_path / "a.xyz", None), (tmp_path / "a", None), (io.BytesIO(), "xyz")):
        with pytest.raises(PictureError, match=r"\.png, \.jpg"):
            save(picture, target, kind)
    with pytest.raises(PictureError, match="name the format"):
        save(picture, io.BytesIO())


def test_failures_of_writing_are_sentences(tmp_path: Path) -> None:
    picture = Raster(pattern())
    for suffix in (".png", ".jpg"):
        with pytest.raises(PictureError, match="no such file or directory"):
            save(picture, tmp_path / "missing" / f"a{suffix}")
    with pytest.raises(PictureError, match="cannot write"):
        save(Raster(np.zeros((1, 20000, 3), np.uint8)), tmp_path / "a.webp")
    with pytest.raises(PictureError, match="EXIF"):
        save(Raster(pattern(), None, Metadata(exif=exif_bytes() + bytes(70000))), tmp_path / "a.jpg")
    with pytest.raises(PictureError, match="XMP"):
        save(Raster(pattern(), None, Metadata(xmp=XMP + b" " * 70000)), tmp_path / "a.jpg")


def test_failures_of_reading_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        load(tmp_path / "missing.png")
    with pytest.raises(PictureError, match="directory"):
        load(tmp_path)
    with pytest.raises(PictureError, match=r"it is a \.calo file already; decode it first"):
        load(io.BytesIO(SIGNATURE + bytes(40)))
    for content in (b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"):
        (tmp_path / "junk.png").write_bytes(content)
        with pytest.raises(PictureError, match=r"junk\.png"):
            load(tmp_path / "junk.png")
    tifffile.imwrite(tmp_path / "light.tif", pattern().astype(np.float32), photometric="rgb")
    with pytest.raises(PictureError, match=r"light\.tif: it is a TIFF, .* not supported, .*; save it as"):
        load(tmp_path / "light.tif")
    with pytest.raises(PictureError, match="PostScript"):
        load(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"))
    with pytest.raises(PictureError, match="pixels"):
        load(io.BytesIO(png(60000, 60000, b"")))
    with pytest.raises(PictureError, match="65535"):
        load(io.BytesIO(png(70000, 1, b"")))


class Named:
    """A path of somebody's own kind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


class OnlyRead:
    """A file object that does not say whether it can go back."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


def test_every_kind_of_file(tmp_path: Path) -> None:
    picture = from_picture(pattern())
    save(picture, Named(tmp_path / "a.png"))
    data = (tmp_path / "a.png").read_bytes()
    written = io.BytesIO()
    save(picture, written, "png")  # and is at its end
    for source in (Named(tmp_path / "a.png"), OnlyRead(data), written):
        assert np.array_equal(load(source).samples, picture.samples)  # type: ignore[arg-type]


def test_what_is_no_file_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"not bytes: io\.BytesIO"):
        load(b"")  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="not NoneType"):
        load(None)  # type: ignore[arg-type]
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    with open(tmp_path / "a.txt", encoding="utf-8") as file, pytest.raises(PictureError, match="opened as text"):
        load(file)  # type: ignore[arg-type]
    for target in (None, b"a.png"):
        with pytest.raises(PictureError, match="a path or a binary file object, not to"):
            save(from_picture(pattern()), target, "png")  # type: ignore[arg-type]


def test_a_calo_file_is_refused_even_if_pillow_knows_it() -> None:
    calotype.pillow.register()
    with pytest.raises(PictureError, match=r"it is a \.calo file already; decode it first"):
        load(io.BytesIO(pack(Container(Header("talbot", bytes(4), 64, 64, 3, 16, False, 0, 64), tiles=(b"",)))))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".gif", ".bmp"])
def test_damaged_files_raise_nothing_else(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(pattern(32, 32)).save(tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    rng = np.random.default_rng(5)
    for trial in range(60):
        damaged = bytearray(data)
        if trial % 2:
            del damaged[int(rng.integers(1, len(data))) :]
        else:
            for _ in range(4):
                damaged[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                load(io.BytesIO(bytes(damaged)))
            except PictureError as error:
                assert str(error).startswith(("cannot read the picture", "a picture"))


def test_truncated_pictures_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    with pytest.raises(PictureError, match=r"truncated.*: a part of it is missing, fetch or copy it anew"):
        load(io.BytesIO(data[: len(data) // 2]))
    with Image.open(io.BytesIO(data[: len(data) // 2])) as image, pytest.raises(PictureError, match="truncated"):
        from_picture(image)


def test_pillows_limit_is_raised_for_the_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    file = io.BytesIO()
    image = Image.fromarray(pattern())
    image.save(file, "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(io.BytesIO(file.getvalue())).width == 13
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("kind", ["JPEG2000", "PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP"])
def test_a_full_disk_is_an_error_and_not_an_endless_loop(kind: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    picture = from_picture(np.arange(3 * 64 * 64, dtype=np.uint16).astype(np.uint8).reshape(64, 64, 3))
    with pytest.raises(PictureError, match="cannot write"), open(full, "wb", buffering=0) as file:
        save(picture, file, kind)


class Disk(io.RawIOBase):
    """A file of so many bytes on a disk that takes a part of what it is given, and then no more.

    It has a descriptor, as real files do: whoever writes to that, past ``write``, misses the file.
    """

    def __init__(self, space: int, descriptor: int) -> None:
        self.space = space
        self.descriptor = descriptor
        self.data = b""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, data: Any) -> int:
        if self.space == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data[: min(1000, self.space)])
        self.space -= len(part)
        self.data += part
        return len(part)


KINDS = [*dict.fromkeys(FORMATS.values()), "PNG with 16 bits"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_is_written_or_it_is_an_error(kind: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    picture = Raster(noise if kind in FORMATS.values() else noise.astype(np.uint16))
    if kind == "PGM":
        with pytest.raises(PictureError, match="PGM is grey"):
            to_file(picture, kind)
        picture = Raster(noise[..., :1].copy())
    form = kind.split()[0]
    whole = to_file(picture, form)
    assert len(whole) > 3000
    with open(tmp_path / "elsewhere", "wb") as elsewhere:
        disk = Disk(len(whole), elsewhere.fileno())
        save(picture, disk, form)  # type: ignore[arg-type]
        assert disk.data == whole
        for space in (0, 999, 1000, 2500, len(whole) - 1):
            with pytest.raises(PictureError, match="cannot write the picture: no space left"):
                save(picture, Disk(space, elsewhere.fileno()), form)  # type: ignore[arg-type]
    assert not (tmp_path / "elsewhere").read_bytes()
    save(picture, tmp_path / "file", form)
    assert (tmp_path / "file").read_bytes() == whole


def test_a_file_that_takes_nothing_is_an_error() -> None:
    class Stuck(Disk):
        def write(self, data: Any) -> int:
            return 0

    with pytest.raises(PictureError, match="takes no more bytes"):
        save(Raster(pattern()), Stuck(0, 0), "png")  # type: ignore[arg-type]


def test_errors_name_the_file() -> None:
    with pytest.raises(PictureError, match=r"cannot write a\.webp"):
        to_file(Raster(np.zeros((1, 20000, 3), np.uint8)), "webp", name="a.webp")
