# SPDX-License-Identifier: BSD-3-Clause
"""Picture files, in every format that Pillow has, with all 16 bits where a file holds them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from PIL import Image

from ..errors import CalotypeError, PictureError
from . import png16
from .bands import to_8
from .deep import is_deep, read_deep
from .guard import first_line, pillow_limit, reading, reason
from .metadata import writer_options
from .picture import Raster, check_size, from_image, to_image

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jp2": "JPEG2000",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
_USUAL = ".png, .jpg, .webp, .avif, .tiff, .jp2, .bmp"
_KEEP_ALPHA = ("PNG", "WEBP", "AVIF", "TIFF", "JPEG2000", "TGA", "QOI")
_KEEP_DEEP_GREY = ("PNG", "TIFF", "JPEG2000", "PPM")
_OPTIONS: dict[str, dict[str, Any]] = {  # what comes out of a codec should not lose visibly a second time
    "JPEG": {"quality": 95, "subsampling": "4:4:4", "optimize": True},
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def load(source: str | Path | IO[bytes]) -> Raster:
    """Read a picture file, from a path or a binary file object, in any format that Pillow opens.

    Of an animation the first frame is read. PNG and TIFF with 16-bit RGB keep their depth. Raises PictureError.
    """
    if isinstance(source, str | Path):
        with reading(str(source)), open(source, "rb") as file:
            return _load(file, str(source))
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) else "the picture"
    with reading(name):
        return _load(source if source.seekable() else io.BytesIO(source.read()), name)


def _load(file: IO[bytes], name: str) -> Raster:
    with pillow_limit():
        with Image.open(file) as image:
            if image.format == "EPS":  # reading it runs Ghostscript, a whole programming language
                raise PictureError(f"cannot read {name}: PostScript is a page, not a picture; render it first")
            check_size(*image.size)
            if not is_deep(image):
                return from_image(image, name=name)
        return read_deep(file)


def save(raster: Raster, target: str | Path | IO[bytes], format: str | None = None) -> None:  # noqa: A002
    """Write a picture file, in the format that the suffix of the path or ``format`` ("png", ".jpg", "TIFF") names.

    Colour profile, EXIF and XMP go along into PNG, JPEG, WebP, AVIF and TIFF. JPEG is written with quality 95 and full
    colour resolution. PNG keeps 16 bits; JPEG, WebP, AVIF, BMP and the like have 8, to which 16-bit pictures are
    rounded. Where a user would count on all 16 (TIFF, JPEG 2000) and Pillow cannot write them, it is an error, as it is
    for alpha in a format that has none: nothing is lost in silence. The caller removes what an error leaves behind.

    Raises PictureError.
    """
    name = str(target) if isinstance(target, str | Path) else "the picture"
    kind = _format(target, format)
    deep_grey = raster.channels == 1 and raster.alpha is None
    if raster.alpha is not None and kind not in _KEEP_ALPHA:
        raise PictureError(f"cannot write {name}: {kind} has no alpha channel; .png, .webp, .avif and .tiff have one")
    if raster.depth == 16 and kind in ("TIFF", "JPEG2000") and not deep_grey:
        raise PictureError(f"cannot write {name}: 16-bit colour can be written as .png only")
    try:
        if raster.depth == 16 and kind == "PNG" and not deep_grey:
            _save_png16(raster, target)
            return
        if raster.depth == 16 and kind not in _KEEP_DEEP_GREY:
            raster = replace(
                raster,
                samples=to_8(raster.samples),
                alpha=None if raster.alpha is None else to_8(raster.alpha),
            )
        image = to_image(raster)
        options = _OPTIONS.get(kind, {}) | writer_options(raster, kind, name)
        image.info.clear()  # what Pillow's writers shall store is in the options
        if kind != "JPEG2000":
            image.save(target, kind, **options)
            return
        memory = io.BytesIO()  # written to a full disk, OpenJPEG would try for ever
        image.save(memory, kind, **options)
        if isinstance(target, str | Path):
            Path(target).write_bytes(memory.getbuffer())
        else:
            target.write(memory.getbuffer())
    except CalotypeError:
        raise
    except OSError as error:
        raise PictureError(f"cannot write {name}: {reason(error)}") from error
    except Exception as error:  # Pillow's writers refuse sizes and modes with many kinds of exceptions
        raise PictureError(f"cannot write {name} as {kind}: {first_line(error)}") from error


def _format(target: str | Path | IO[bytes], format: str | None) -> str:  # noqa: A002
    """Pillow's name of the format to write."""
    if format is not None:
        suffix = "." + format.lower().removeprefix(".")
        kind = _FORMATS.get(suffix) or Image.registered_extensions().get(suffix) or format.upper()
    elif isinstance(target, str | Path):
        suffix = Path(target).suffix.lower()
        kind = _FORMATS.get(suffix) or Image.registered_extensions().get(suffix, "")
    else:
        raise PictureError(f"name the format to write into a file object, for example format='png' (or {_USUAL})")
    if kind not in _FORMATS.values():
        Image.init()
        if kind not in Image.SAVE:
            what = f"the suffix {suffix!r}" if suffix.strip(".") else "a file without a suffix"
            raise PictureError(f"no format can be written for {what}: the usual ones are {_USUAL}")
    return kind


def _save_png16(raster: Raster, target: str | Path | IO[bytes]) -> None:
    parts: dict[str, Any] = {"icc": raster.icc, "exif": raster.exif, "xmp": raster.xmp}
    if isinstance(target, str | Path):
        with open(target, "wb") as file:
            png16.write(file, raster.samples, raster.alpha, **parts)
    else:
        png16.write(target, raster.samples, raster.alpha, **parts)
