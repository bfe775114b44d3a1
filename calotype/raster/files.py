# SPDX-License-Identifier: BSD-3-Clause
"""Picture files, in every format that Pillow has, with all 16 bits where a file holds them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from ..arrays import Samples
from ..container import SIGNATURE, Metadata
from ..errors import CalotypeError, CalotypeWarning, PictureError
from . import png16
from .bands import to_8
from .deep import is_deep, read_deep
from .deep_codecs import needs_other, read_other
from .formats import FORMATS
from .guard import first_line, pillow_limit, reading, reason
from .picture import Raster, check_size, from_image, from_picture, to_image
from .writing import that_fits, writer_options

_USUAL = ".png, .jpg, .webp, .avif, .tiff, .jp2, .bmp"
_KEEP_ALPHA = ("PNG", "WEBP", "AVIF", "TIFF", "JPEG2000", "TGA", "QOI")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # what such files begin with
_KEEP_DEEP_GREY = ("PNG", "TIFF", "JPEG2000", "PPM")
_OPTIONS: dict[str, dict[str, Any]] = {  # what comes out of a codec should not lose visibly a second time
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},  # "optimize" fails where noise outgrows Pillow's buffer
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def load(source: str | os.PathLike[str] | IO[bytes]) -> Raster:
    """Read a picture file, from a path or a binary file object, in any format that Pillow opens.

    A file object is read from its beginning, as Pillow does, if that can be. Of an animation the first frame is read.
    PNG and TIFF with 16-bit RGB keep their depth. Raises PictureError.
    """
    if isinstance(source, str | os.PathLike):
        with reading(os.fsdecode(source)), open(source, "rb") as file:
            return _load(file, os.fsdecode(source))
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) else "the picture"
    with reading(name):
        return _load(seekable(source), name)


def seekable(source: IO[bytes]) -> IO[bytes]:
    """A binary file object at its beginning, or in memory what is left of one that cannot go back.

    Raises PictureError for anything else.
    """
    hint = ": io.BytesIO(data) makes bytes one" if isinstance(source, bytes | bytearray | memoryview) else ""
    if not hasattr(source, "read"):
        raise PictureError(f"a picture file is a path or a binary file object, not {type(source).__name__}{hint}")
    if isinstance(source, io.TextIOBase):
        raise PictureError("a picture file is opened as bytes, open(path, 'rb'), and this one is opened as text")
    if hasattr(source, "seekable") and source.seekable():
        source.seek(0)
        return source
    data = source.read()
    if not isinstance(data, bytes | bytearray | memoryview):
        raise PictureError(f"a picture file is opened as bytes, open(path, 'rb'); this one gives {type(data).__name__}")
    return io.BytesIO(data)


def _load(file: IO[bytes], name: str) -> Raster:
    with pillow_limit():
        with _open(file, name) as image:
            if image.format == "EPS":  # reading it runs Ghostscript, a whole programming language
                raise PictureError(f"cannot read {name}: PostScript is a page, not a picture; render it first")
            check_size(*image.size)
            if needs_other(image):
                other = read_other(file, image)
                if other is not None:
                    return other
                file.seek(0)
                image = _open(file, name)
            if not is_deep(image):
                return from_image(image, name=name)
        return read_deep(file)


def _open(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    start = file.read(len(SIGNATURE))
    if start == SIGNATURE:  # which Pillow would read, with 8 bits and without text, if it was taught to
        raise PictureError(f"cannot read {name}: it is a .calo file already; decode it first")
    file.seek(0)
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        if start.startswith(_TIFF):
            raise PictureError(
                f"cannot read {name}: it is a TIFF, damaged or of a kind that is not supported, such as floating-point "
                "colour, 32 bits a sample or CMYK with alpha; save it as grey or RGB with 8 or 16 bits a sample"
            ) from None
        raise


def save(raster: Raster, target: str | os.PathLike[str] | IO[bytes], format: str | None = None) -> None:  # noqa: A002
    """Write a picture file, in the format that the suffix of the path or ``format`` ("png", ".jpg", "TIFF") names.

    What is stored and what is refused is told at :func:`to_file`. Nothing is written before the picture is encoded
    whole; what a full disk leaves behind, the caller removes.

    Raises PictureError.
    """
    if not isinstance(target, str | os.PathLike) and not hasattr(target, "write"):
        raise PictureError(f"save writes to a path or a binary file object, not to {type(target).__name__}")
    kind = _format(target, format)
    if isinstance(target, str | os.PathLike):
        data = to_file(raster, kind, name=os.fsdecode(target))
        with _writing(os.fsdecode(target), kind), open(target, "wb") as file:
            write_whole(file, data)
    else:
        data = to_file(raster, kind)
        with _writing("the picture", kind):
            write_whole(target, data)


def to_file(raster: Raster, format: str, *, name: str = "the picture") -> bytes:  # noqa: A002
    """The bytes of a picture file, in the format that ``format`` ("png", ".jpg", "TIFF") names.

    Metadata go along as far as the format holds them; a LossWarning tells what does not. JPEG is written with quality
    95 and full colour resolution. PNG keeps 16 bits; JPEG, WebP, AVIF, BMP and the like have 8, to which 16-bit
    pictures are rounded. Where a user would count on all 16 (TIFF, JPEG 2000) and Pillow cannot write them, it is an
    error, as are transparency in a format that has none, and colours in a .pgm: nothing is lost in silence.

    Raises PictureError, which calls the file ``name``.
    """
    kind = _format(None, format)
    if kind not in _KEEP_ALPHA and _hides_nothing(raster.alpha):  # as of most screenshots
        raster = replace(raster, alpha=None)
    deep_grey = raster.channels == 1 and raster.alpha is None
    if kind == "PGM":
        if raster.channels != 1:
            raise PictureError(f"cannot write {name}: PGM is grey, and the picture has colours; write .ppm or .png")
        kind = "PPM"
    if raster.alpha is not None and kind not in _KEEP_ALPHA:
        raise PictureError(f"cannot write {name}: {kind} has no alpha channel; .png, .webp, .avif and .tiff have one")
    if raster.depth == 16 and kind in ("TIFF", "JPEG2000") and not deep_grey:
        raise PictureError(f"cannot write {name}: 16-bit colour can be written as .png only")
    # Never into a file: Pillow's encoders in C write to its descriptor, past Python, and on a full disk they stop
    # short without a word, or try for ever.
    memory = io.BytesIO()
    with _writing(name, kind):
        about = that_fits(raster, kind, name)
        if raster.depth == 16 and kind == "PNG" and not deep_grey:
            png16.write(memory, raster.samples, raster.alpha, metadata=about)
            return memory.getvalue()
        if raster.depth == 16 and kind not in _KEEP_DEEP_GREY:
            raster = replace(
                raster,
                samples=to_8(raster.samples),
                alpha=None if raster.alpha is None else to_8(raster.alpha),
            )
        if kind in ("WEBP", "AVIF") and raster.channels == 1 and about.icc is not None:
            # They are written as RGB, where a profile of grey has no place.
            raster = from_picture(replace(raster, metadata=Metadata(about.icc)), strip=True)
            about = replace(about, icc=None)
        image = to_image(raster)
        options = _OPTIONS.get(kind, {}) | writer_options(about, kind, name)
        image.info.clear()  # what Pillow's writers shall store is in the options
        image.save(memory, kind, **options)
    return memory.getvalue()


def _hides_nothing(alpha: Samples | None) -> bool:
    return alpha is not None and int(alpha.min()) == np.iinfo(alpha.dtype).max


@contextmanager
def _writing(name: str, kind: str) -> Iterator[None]:
    """Turn whatever goes wrong into a PictureError of one sentence."""
    try:
        yield
    except (CalotypeError, CalotypeWarning):
        raise
    except OSError as error:
        raise PictureError(f"cannot write {name}: {reason(error)}") from error
    except Exception as error:  # Pillow's writers refuse sizes and modes with many kinds of exceptions
        raise PictureError(f"cannot write {name} as {kind}: {first_line(error)}") from error


def write_whole(file: IO[bytes], data: bytes) -> None:
    """Write all of ``data``, also where each call takes a part only, as those of unbuffered files may."""
    done = 0
    while done < len(data):
        taken = file.write(memoryview(data)[done:] if done else data)
        if taken is None and not isinstance(file, io.RawIOBase):
            break  # somebody's own object, which does not count
        if not taken:
            raise OSError("the file takes no more bytes")
        done += taken
    if hasattr(file, "flush"):
        file.flush()  # or a full disk would show when the file is closed, if at all


def _format(target: str | os.PathLike[str] | IO[bytes] | None, format: str | None) -> str:  # noqa: A002
    """Pillow's name of the format to write."""
    if format is not None:
        suffix = "." + format.lower().removeprefix(".")
        kind = FORMATS.get(suffix) or Image.registered_extensions().get(suffix) or format.upper()
    elif isinstance(target, str | os.PathLike):
        suffix = Path(os.fsdecode(target)).suffix.lower()
        kind = FORMATS.get(suffix) or Image.registered_extensions().get(suffix, "")
    else:
        raise PictureError(f"name the format to write into a file object, for example format='png' (or {_USUAL})")
    if kind not in FORMATS.values():
        Image.init()
        if kind not in Image.SAVE:
            what = f"the suffix {suffix!r}" if suffix.strip(".") else "a file without a suffix"
            raise PictureError(f"no format can be written for {what}: the usual ones are {_USUAL}")
    return kind
