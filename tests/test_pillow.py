# SPDX-License-Identifier: BSD-3-Clause
"""The Pillow plug-in, as other people's programs use it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, PngImagePlugin, UnidentifiedImageError

import calotype
import calotype.pillow
from calotype import container, raster
from calotype.errors import CalotypeError, FormatError

EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0"  # orientation 1, nothing else
XMP = b"<x:xmpmeta/>"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TILE = container.LARGEST_TILE


def fake_encode(picture: Any, *, quality: float = 60, strip: bool = False, **_: Any) -> bytes:
    """A codec without loss in the real container, for where no weights are installed."""
    source = raster.from_picture(picture, strip=strip)
    if not 1 <= quality <= 100:
        raise calotype.PictureError("quality must be from 1 to 100")
    alpha = None if source.alpha is None else raster.encode_alpha(source.alpha)
    header = container.Header(
        "fake", b"0000", source.width, source.height, source.channels, source.depth, alpha is not None, 0, TILE
    )
    tiles = (zlib.compress(source.samples.tobytes()),)
    return container.pack(container.Container(header, source.metadata, alpha, tiles))


def fake_decode(data: bytes, *, salvage: bool = False, **_: Any) -> Image.Image:
    content = container.unpack(data, salvage=salvage)
    header, tile = content.header, content.tiles[0]
    shape = (header.height, header.width, header.channels)
    dtype = np.uint8 if header.depth == 8 else np.uint16
    samples = np.zeros(shape, dtype)
    if tile is not None:
        samples = np.frombuffer(zlib.decompress(tile), dtype).reshape(shape)
    alpha = None
    if content.alpha is not None:
        alpha = raster.decode_alpha(content.alpha, header.width, header.height, header.depth)
    return raster.to_image(raster.Raster(samples, alpha, content.metadata))


@pytest.fixture(autouse=True, params=["fake", "real"])
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "real":
        try:
            calotype.encode(np.zeros((8, 8, 3), np.uint8))
        except (ImportError, CalotypeError) as error:
            pytest.skip(f"no codec: {error}")
    else:
        monkeypatch.setattr("calotype.api.encode.encode", fake_encode)
        monkeypatch.setattr("calotype.api.decode.decode", fake_decode)
    Image.init()  # or what Pillow registers only during a test would be lost after it
    before = (Image.ID.copy(), Image.OPEN.copy(), Image.SAVE.copy(), Image.EXTENSION.copy(), Image.MIME.copy())
    calotype.pillow.register()
    yield
    for registry, old in zip((Image.ID, Image.OPEN, Image.SAVE, Image.EXTENSION, Image.MIME), before, strict=True):
        registry.clear()
        registry.extend(old) if isinstance(registry, list) else registry.update(old)  # type: ignore[arg-type]


def picture(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:48, 0:80]
    colour = np.stack([x * 3, y * 5, 255 - x - y], -1).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray((x * 800).astype(np.uint16))
    image = Image.fromarray(colour).convert(mode.removesuffix("A"))
    if mode.endswith("A"):
        image.putalpha(Image.fromarray((x * 3).astype(np.uint8)))
    return image


def psnr(a: Image.Image, b: Image.Image) -> float:
    top = 65535.0 if a.mode == "I;16" else 255.0
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(top**2 / error))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_there_and_back(mode: str, tmp_path: Path) -> None:
    image = picture(mode)
    image.info |= {"icc_profile": SRGB, "exif": EXIF, "xmp": XMP}
    image.save(tmp_path / "a.calo", quality=90)
    with Image.open(tmp_path / "a.calo") as back:
        assert isinstance(back, calotype.pillow.CalotypeImageFile)
        assert (back.format, back.mode, back.size) == ("CALO", mode, (80, 48))
        assert back.get_format_mimetype() == "image/x-calotype"
        assert back.info["exif"] == EXIF
        assert back.info["xmp"] == XMP
        assert back.info.get("icc_profile") == (SRGB if mode.startswith("RGB") else None)
        assert back.tile  # nothing is decoded yet
        assert psnr(image, back) > 25
        assert not back.tile
        if mode.endswith("A"):
            assert np.array_equal(np.asarray(back.getchannel("A")), np.asarray(image.getchannel("A")))
        back.copy().rotate(90)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "HSV"])
def test_other_modes_are_converted(mode: str) -> None:
    file = io.BytesIO()
    picture("L" if mode == "1" else "RGB").convert(mode).save(file, "CALO")
    with Image.open(file) as back:
        assert back.mode == ("L" if mode == "1" else "RGB")
        back.load()


def test_16_bit_colour_comes_as_8_bit() -> None:
    deep = np.asarray(picture()).astype(np.uint16) * 257
    with Image.open(io.BytesIO(calotype.encode(deep))) as back:
        assert back.mode == "RGB"
        assert psnr(picture(), back) > 25
    grey = np.dstack([deep[..., 0], deep[..., 1]])
    with Image.open(io.BytesIO(calotype.encode(grey))) as back:
        assert back.mode == "LA"
        back.load()
        assert back.mode == "LA"


def test_options_of_save() -> None:
    image = picture()
    image.info |= {"icc_profile": SRGB, "exif": EXIF, "xmp": XMP}

    def saved(**options: Any) -> dict[Any, Any]:
        file = io.BytesIO()
        image.save(file, "CALO", **options)
        with Image.open(file) as back:
            return dict(back.info)

    assert saved(strip=True) == {}
    assert saved(exif=None, icc_profile=None) == {"xmp": XMP}
    assert saved(xmp="<other/>")["xmp"] == b"<other/>"
    tags = Image.Exif()
    tags[271] = "Fox Talbot"
    assert b"Fox Talbot" in saved(exif=tags)["exif"]
    assert image.info["exif"] == EXIF


@pytest.mark.parametrize("key", ["icc_profile", "exif", "xmp"])
def test_metadata_of_other_types_are_refused(key: str) -> None:
    with pytest.raises(calotype.pillow.CaloFileError, match=f"{key} must be bytes, not int"):
        picture().save(io.BytesIO(), "CALO", **{key: 5})
    with pytest.raises(calotype.pillow.CaloFileError, match="icc_profile must be bytes, not str"):
        picture().save(io.BytesIO(), "CALO", icc_profile="x")


def test_saving_to_files_that_take_a_part_or_do_not_count() -> None:
    class Raw(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data[:100])
            return len(data[:100])

    class Uncounted:
        data = b""

        def write(self, data: bytes) -> None:
            self.data += data

    whole = io.BytesIO()
    picture().save(whole, "CALO")
    for file in (Raw(), Uncounted()):
        picture().save(file, "CALO")  # type: ignore[arg-type]
        assert file.data == whole.getvalue()


def test_turned_by_the_given_exif() -> None:
    tags = Image.Exif()
    tags[274] = 6
    file = io.BytesIO()
    picture().save(file, "CALO", exif=tags)
    with Image.open(file) as back:
        assert back.size == (48, 80)
        assert back.getexif()[274] == 1


def test_registering_twice_changes_nothing() -> None:
    before = Image.ID.count("CALO"), len(Image.OPEN), Image.EXTENSION[".calo"]
    calotype.pillow.register()
    assert (Image.ID.count("CALO"), len(Image.OPEN), Image.EXTENSION[".calo"]) == before == (1, before[1], "CALO")


def test_foreign_files_are_left_to_others() -> None:
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"not a picture at all"))
    with pytest.raises(SyntaxError):
        calotype.pillow.CalotypeImageFile(io.BytesIO(b"not a picture at all"))
    file = io.BytesIO()
    picture().save(file, "PNG")
    with Image.open(file) as image:
        assert image.format == "PNG"


def encoded(mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    picture(mode).save(file, "CALO")
    return file.getvalue()


@pytest.mark.parametrize("kind", [OSError, CalotypeError])
def test_damage_is_an_error_of_both_families(kind: type[Exception]) -> None:
    data = encoded()
    middle = len(data) - 30
    for damaged in (data[:middle], data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]):
        with Image.open(io.BytesIO(damaged)) as image:
            assert image.size == (80, 48)
            with pytest.raises(kind) as caught:
                image.load()
            assert isinstance(caught.value.__cause__, FormatError)
            assert str(caught.value) == str(caught.value.__cause__)
        with Image.open(io.BytesIO(damaged)) as image, pytest.raises(kind):
            image.verify()
    for position in (7, 12):  # version, header
        with pytest.raises(kind):
            Image.open(io.BytesIO(data[:position] + bytes([data[position] ^ 64]) + data[position + 1 :]))
    for length in (8, 12, 20):
        with pytest.raises(kind):
            Image.open(io.BytesIO(data[:length]))


def test_opening_reads_no_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture("RGBA")
    image.info |= {"exif": EXIF, "xmp": XMP}
    file = io.BytesIO()
    image.save(file, "CALO")
    monkeypatch.delattr(container, "unpack")
    with Image.open(file) as back:
        assert (back.mode, back.info) == ("RGBA", {"exif": EXIF, "xmp": XMP})


def test_verify_passes_a_sound_file() -> None:
    with Image.open(io.BytesIO(encoded())) as image:
        image.verify()


def test_truncated_images_load_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    wide = calotype.encode(np.full((48, 1100, 3), 90, np.uint8))  # two tiles for the real codec: one is lost
    with Image.open(io.BytesIO(wide[:-10])) as image:
        image.load()
        assert image.size == (1100, 48)
        assert np.asarray(image).shape == (48, 1100, 3)


def test_lost_alpha_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = bytearray(encoded("RGBA"))
    data[data.index(b"IDAT") + 5] ^= 1
    with Image.open(io.BytesIO(bytes(data))) as image:
        assert np.asarray(image).shape == (48, 80, 3)
        assert image.mode == "RGB"


@pytest.mark.parametrize("quality", [0, 101, "keep"])
def test_refusals_of_saving(quality: Any, tmp_path: Path) -> None:
    with pytest.raises(calotype.pillow.CaloFileError, match="quality"):
        picture().save(tmp_path / "a.calo", quality=quality)
    assert not (tmp_path / "a.calo").exists()
    with pytest.raises(OSError, match="scale it"):
        Image.new("F", (4, 4)).save(tmp_path / "a.calo")


def test_the_incremental_parser_gets_the_picture() -> None:
    file = io.BytesIO()
    picture().save(file, "CALO")
    data = file.getvalue()
    parser = ImageFile.Parser()
    for start in range(0, len(data), 100):
        parser.feed(data[start : start + 100])
    assert parser.image is not None and parser.image.size == parser.close().size == picture().size
    broken = ImageFile.Parser()
    broken.feed(data[:-9])
    with pytest.raises(OSError, match=r"truncated|damaged"):
        broken.close()


def test_save_all_is_one_picture_or_an_error() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    with pytest.raises(calotype.pillow.CaloFileError, match="holds one picture, and save_all asks for 2"):
        frames[0].save(io.BytesIO(), "CALO", save_all=True, append_images=frames[1:])
    memory = io.BytesIO()
    frames[0].save(memory, "CALO", save_all=True)
    assert Image.open(memory).size == (20, 10)


def test_what_a_file_tells_comes_along() -> None:
    png, first, second, third = (io.BytesIO() for _ in range(4))
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "N. N.")
    picture().save(png, "PNG", pnginfo=text, dpi=(300, 300))
    image = Image.open(png)
    image.info["photoshop"] = {0x0404: b"\x1c\x02"}
    image.save(first, "CALO")
    Image.open(first).save(second, "CALO", quality=80)
    about = container.unpack(second.getvalue()).metadata
    assert (about.iptc, about.text, about.density) == (b"\x1c\x02", (("Author", "N. N."),), (11811, 11811))
    Image.open(first).save(third, "CALO", dpi=(96, 96))
    assert container.unpack(third.getvalue()).metadata.density == (3780, 3780)
    with pytest.raises(calotype.pillow.CaloFileError, match="dpi must be two numbers"):
        picture().save(third, "CALO", dpi=300)
    assert raster.from_picture(raster.to_image(raster.Raster(np.zeros((2, 2, 3), np.uint8), None, about))).metadata.iptc
