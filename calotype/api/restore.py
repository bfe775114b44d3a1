# SPDX-License-Identifier: BSD-3-Clause
"""Restoring: take out of a picture what JPEG, WebP, AVIF or JPEG 2000 put in - blocks, rings, smeared colours.

A network repairs the picture at its size (``rec1`` of the bundle ``tao2017``, after Tao et al. 2017). How hard the
picture was compressed it learns from a JPEG's own quantisation tables, and estimates where there are none.

>>> better = calotype.restore("photo.jpg")                    # a Pillow image        # doctest: +SKIP
>>> better = calotype.restore(Image.open("photo.webp"))                               # doctest: +SKIP
"""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from .. import raster
from ..arrays import Floats, Progress, Samples
from ..codecs.tao2017.flat import limited
from ..codecs.tao2017.restore import restored
from ..codecs.tao2017.strength import quantisation
from ..engine import bundles
from ..engine.runtime import choose_threads
from ..errors import PictureError
from ..raster import Raster, metadata
from ..raster.bands import lying
from ..raster.bleeding import extend_colours
from ..raster.files import seekable
from ..raster.guard import pillow_limit, reading

CODEC = "tao2017"

Source: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | npt.NDArray[Any] | Raster"


def restore(
    picture: Source, *, threads: int | None = None, progress: Progress | None = None, as_array: bool = False
) -> Any:
    """A picture without the artefacts of its compression, as a Pillow image (or an array), of the same size.

    Args:
        picture: the path, the bytes or a binary file object of a picture file (read from its beginning if that can be);
            or a Pillow image (not mode F), an array ``(H, W)`` or ``(H, W, 1..4)`` of uint8 or uint16, or a Raster. Of
            files, and of Pillow images as ``Image.open`` returned them, a JPEG's quantisation tables are used. A
            picture that was scaled or turned since it was compressed cannot be restored as well.
        threads: of the computation; all cores, eight at most, by default.
        progress: called with windows done and windows in total.
        as_array: an array ``(H, W)`` or ``(H, W, 2..4)`` of uint8 or uint16 instead of an image; the only way to get
            16-bit colour, for which Pillow has no mode.

    Raises:
        PictureError: the picture cannot be read or taken.
        BundleError: the weights are not installed.
    """
    result = restore_raster(picture, threads=threads, progress=progress)
    return raster.to_array(result) if as_array else raster.to_image(result)


def restore_raster(picture: Source, *, threads: int | None = None, progress: Progress | None = None) -> Raster:
    """Like :func:`restore`, but with full depth and metadata: what the command line writes files from.

    Alpha, colour profile, EXIF and XMP stay as they are; the picture is turned upright.
    """
    count = choose_threads(threads)
    bundle = bundles.find(CODEC)
    source, orientation, tables = _read(picture)
    # Blocks lie on a grid that begins at the first pixel of the file: restore the picture as it was compressed.
    stored: Samples = np.ascontiguousarray(lying(extend_colours(source.samples, source.alpha), orientation))
    repaired = restored(bundle, 1, count, stored, tables, progress=progress)
    result = limited(stored, repaired, drawn=tables is None)
    if orientation != 1:
        upright = np.empty_like(source.samples)
        lying(upright, orientation)[...] = result
        result = upright
    return replace(source, samples=result)


def _read(picture: Source) -> tuple[Raster, int, Floats | None]:
    """The upright picture, the EXIF orientation in which it was compressed, and a JPEG's tables."""
    match picture:
        case str() | os.PathLike():
            with reading(os.fsdecode(picture)), open(picture, "rb") as file:
                return _from_file(seekable(file), os.fsdecode(picture))
        case bytes() | bytearray() | memoryview():
            return _from_file(io.BytesIO(picture), "the picture")
        case Image.Image():
            source = raster.from_image(picture)
            return source, metadata.orientation_of(picture), quantisation(picture)
        case np.ndarray() | Raster():
            return raster.from_picture(picture), 1, None
    if not hasattr(picture, "read"):
        raise PictureError(f"a picture is a file, a Pillow image or a NumPy array, not {type(picture).__name__}")
    with reading("the picture"):
        return _from_file(seekable(picture), "the picture")


def _from_file(file: IO[bytes], name: str) -> tuple[Raster, int, Floats | None]:
    source = raster.load(file)
    file.seek(0)
    with reading(name), pillow_limit(), Image.open(file) as image:
        if not hasattr(image, "tag_v2"):  # of TIFF, the one kind that Pillow turns itself
            return source, metadata.orientation_of(image), quantisation(image)
    return source, 1, None
