# SPDX-License-Identifier: BSD-3-Clause
"""Standard picture files kept inside a ``.calo`` file: written, told apart by their first bytes, and read in bounds.

========= ================== ================================================= ======================================
base      encoder            settings                                          quality 1..100
========= ================== ================================================= ======================================
jpeg      libjpeg-turbo      optimised Huffman tables, progressive, 4:2:0      the encoder's own, rounded
jpeg2000  OpenJPEG           wavelet 9/7, colour transform, one layer          target PSNR of 22 + quality / 4 dB
webp      libwebp, lossy     method 6, 4:2:0                                   the encoder's own
avif      libaom             speed 6, 4:4:4 (grey 4:0:0), one thread, one tile the encoder's own, rounded
========= ================== ================================================= ======================================

These are the settings of the same names in :mod:`calotype.benchmark.peers`, so that the bytes are equal as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFile, features

from ...arrays import Floats, Samples
from ...errors import CalotypeError, DependencyError, FormatError, PictureError
from ...raster import metadata
from ...raster.bands import to_8
from ...raster.guard import first_line, pillow_limit
from .strength import quantisation

_GREY = ("L", "LA")
_COLOUR = ("RGB", "RGBA")
_DEEP = ("I;16", "I;16L", "I;16B")


@dataclass(frozen=True)
class Base:
    """A standard format, and how its encoder is called."""

    id: str
    title: str
    plugin: str  # Pillow's name
    library: str  # Pillow's name of what does the work, for features.check
    suffixes: tuple[str, ...]  # of its files, the usual one first
    longest: int  # pixels of a side
    options: Callable[[float, bool], dict[str, Any]]  # for Pillow's save, by quality 1..100 and whether it is grey


def decibels(quality: float) -> float:
    """The PSNR that OpenJPEG is asked for."""
    return 22 + quality / 4


def _jpeg(quality: float, grey: bool) -> dict[str, Any]:
    return {"optimize": True, "progressive": True, "subsampling": "4:2:0", "quality": round(quality)}


def _jpeg2000(quality: float, grey: bool) -> dict[str, Any]:
    colour = {} if grey else {"mct": 1}
    return {"quality_mode": "dB", "irreversible": True, "quality_layers": [decibels(quality)], **colour}


def _webp(quality: float, grey: bool) -> dict[str, Any]:
    return {"lossless": False, "method": 6, "quality": quality}


def _avif(quality: float, grey: bool) -> dict[str, Any]:
    sampling = "4:0:0" if grey else "4:4:4"
    return {
        "codec": "aom", "speed": 6, "subsampling": sampling, "max_threads": 1, "autotiling": False,
        "quality": round(quality),
    }  # fmt: skip


BASES: dict[str, Base] = {
    base.id: base
    for base in (
        Base("jpeg", "JPEG", "JPEG", "jpg", (".jpg", ".jpeg", ".jpe", ".jfif"), 65500, _jpeg),
        Base(
            "jpeg2000", "JPEG 2000", "JPEG2000", "jpg_2000",
            (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), 65535, _jpeg2000,
        ),
        Base("webp", "WebP", "WEBP", "webp", (".webp",), 16383, _webp),
        Base("avif", "AVIF", "AVIF", "avif", (".avif", ".avifs"), 65535, _avif),
    )
}  # fmt: skip
SUFFIXES = tuple(suffix for base in BASES.values() for suffix in base.suffixes)


def kind(data: bytes) -> Base | None:
    """Format of a file, by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return BASES["jpeg"]
    if data.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return BASES["jpeg2000"]
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return BASES["webp"]
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis", b"mif1", b"msf1"):
        return BASES["avif"]
    return None


def write(base: Base, samples: Samples, quality: float) -> bytes:
    """A file of that format. Raises PictureError, or DependencyError if this Pillow lacks the encoder.

    Args:
        base: the format.
        samples: ``(H, W, 1 or 3)``, 8 bits.
        quality: 1..100.
    """
    if not features.check(base.library):
        raise DependencyError(f"this Pillow was built without {base.title}: install one from a wheel, or choose a base")
    height, width, channels = samples.shape
    if max(height, width) > base.longest:
        raise PictureError(
            f"{base.title} holds at most {base.longest} pixels a side, not {width} x {height}: choose another base"
        )
    image = Image.fromarray(np.ascontiguousarray(samples[..., 0] if channels == 1 else samples))
    options = base.options(quality, channels == 1)
    try:
        try:
            return _saved(image, base.plugin, options)
        except OSError:
            if base.id != "jpeg":
                raise
            # Noise can outgrow the buffer in which Pillow optimises.
            return _saved(image, base.plugin, options | {"optimize": False, "progressive": False})
    except Exception as error:  # Pillow's writers raise many kinds of exceptions
        raise PictureError(f"the picture cannot be written as {base.title}: {first_line(error)}") from error


def _saved(image: Image.Image, plugin: str, options: dict[str, Any]) -> bytes:
    memory = io.BytesIO()
    image.save(memory, plugin, **options)
    return memory.getvalue()


class StandardFile:
    """A standard file, of which the header is read; FormatError if it is none of the four, or damaged.

    Attributes:
        base: its format.
        width, height: in pixels, in the order of rows and columns in which they are stored.
        orientation: EXIF's, 1 to 8.
        mode: Pillow's.
        icc: the colour profile, whatever calls itself one.
        frames: 1, or the number of pictures of an animation.
        tables: what :func:`calotype.codecs.tao2017.strength.quantisation` found.
    """

    def __init__(self, data: bytes) -> None:
        base = kind(data)
        if base is None:
            raise FormatError("the file inside is not a JPEG, JPEG 2000, WebP or AVIF")
        self.base, self.data = base, data
        with self._open() as image:
            self.width, self.height = image.size
            self.mode = image.mode
            self.orientation = metadata.orientation_of(image)
            self.icc: bytes | None = image.info.get("icc_profile")
            self.tables: Floats | None = quantisation(image)
            self.frames = int(getattr(image, "n_frames", 1)) if base.id in ("webp", "avif") else 1

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB); PictureError for CMYK, palettes and the like."""
        if self.mode in _GREY + _DEEP:
            return 1
        if self.mode in _COLOUR:
            return 3
        raise PictureError(f"a {self.base.title} of Pillow's mode {self.mode} is neither grey nor RGB")

    @property
    def depth(self) -> int:
        """8 or 16 bits, as far as Pillow gives them."""
        return 16 if self.mode in _DEEP else 8

    def samples(self, channels: int, depth: int) -> Samples:
        """The picture ``(H, W, channels)`` as it is stored, without alpha, in 8 or 16 bits.

        Raises FormatError if it is damaged, or in colour where it should be grey. Libraries that store grey as three
        equal planes are forgiven.
        """
        with self._open() as image:
            grey = image.mode in _GREY + _DEEP
            if image.mode not in _GREY + _DEEP + _COLOUR or (grey and channels == 3):
                raise FormatError(f"the {self.base.title} inside has the wrong colours: Pillow's mode {image.mode}")
            if not grey and channels == 1 and self.base.id not in ("webp", "avif"):
                raise FormatError(f"the {self.base.title} inside is in colour, the picture grey")
            image.load()
            if image.mode in _DEEP:
                found = np.asarray(image).astype(np.uint16)
            else:
                found = np.asarray(image.convert("L" if channels == 1 else "RGB"))
        array: Samples = found[..., None] if found.ndim == 2 else found
        if array.shape != (self.height, self.width, channels):
            raise FormatError(f"the {self.base.title} inside is {array.shape}, not what its header says")
        if depth == 16:
            return array if array.dtype == np.uint16 else array.astype(np.uint16) * np.uint16(257)
        eight: Samples = to_8(array)
        return eight

    @contextmanager
    def _open(self) -> Iterator[ImageFile.ImageFile]:
        """The image, its pixels not yet read; whatever goes wrong meanwhile is a FormatError."""
        if not features.check(self.base.library):
            raise DependencyError(
                f"this Pillow was built without {self.base.title}: install one from a wheel (pip install pillow)"
            )
        try:
            with pillow_limit(), Image.open(io.BytesIO(self.data), formats=[self.base.plugin]) as image:
                yield image
        except CalotypeError:
            raise
        except MemoryError as error:
            raise FormatError(f"the {self.base.title} inside cannot be read: not enough memory") from error
        except Exception as error:  # damaged files make Pillow's readers raise nearly anything
            raise FormatError(f"the {self.base.title} inside is damaged: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """Pillow's message, without the address of its buffer."""
    return "it cannot be identified" if "cannot identify" in str(error) else first_line(error)
