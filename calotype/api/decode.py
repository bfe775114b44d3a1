# SPDX-License-Identifier: BSD-3-Clause
"""The picture in the bytes of a ``.calo`` file, from memory and from a file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codecs, container, raster
from ..arguments import check_path, whole, wholes
from ..arrays import Progress
from ..codecs.base import ENGINES, Accelerated
from ..container import Container, Header
from ..engine.runtime import choose_threads
from ..engine.tiling import Rectangle
from ..errors import DamageWarning, FormatError, PictureError
from ..raster.dimensions import of_size

if TYPE_CHECKING:
    from ..raster import Raster

Region = tuple[int, int, int, int]


def decode(
    data: bytes,
    *,
    region: Region | None = None,
    iterations: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
    as_array: bool = False,
    engine: str | None = None,
) -> Any:
    """The picture in the bytes of a ``.calo`` file, as a Pillow image (or an array).

    Args:
        data: the whole file. A progressive one (``toderici2017`` or ``rippel2017``) may be cut: what it holds comes
            with a DamageWarning, unless it holds all ``iterations`` that are asked for.
        region: (left, top, right, bottom) in pixels: decode only this part, from the tiles that it needs.
        iterations: of a progressive file, decode so many at most.
        threads: of the computation; all cores, eight at most, by default.
        salvage: give back what a damaged file still holds instead of an error; what is lost comes as DamageWarning.
        max_pixels: refuse larger pictures, whatever the region: a small file from a stranger may claim a large one,
            which takes time and memory.
        progress: called with parts done and parts in total.
        as_array: an array ``(H, W)`` or ``(H, W, 2..4)`` of uint8 or uint16 instead of an image; the only way to get
            16-bit colour, for which Pillow has no mode.
        engine: "openvino" decodes files of ``talbot`` faster, in bfloat16, on processors that have it; pixels then
            differ by a level here and there from what other machines decode. Files of other codecs decode as usual.

    Raises:
        FormatError: the data is not a whole, sound file.
        BundleError: the weights that the file names are not installed.
        PictureError: the region lies outside the picture, the file has no iterations, or the picture
            has more than max_pixels, or there is no such engine.
        DependencyError: the engine is not installed, or is not for this processor.
    """
    decoded = decode_raster(
        data, region=region, iterations=iterations, threads=threads, salvage=salvage, max_pixels=max_pixels,
        progress=progress, engine=engine,
    )  # fmt: skip
    return raster.to_array(decoded) if as_array else raster.to_image(decoded)


def decode_raster(
    data: bytes,
    *,
    region: Region | None = None,
    iterations: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
    engine: str | None = None,
) -> Raster:
    """Like :func:`decode`, but with full depth and metadata: what the command line writes files from."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FormatError(f"decode takes the bytes of a file, not {type(data).__name__}; read takes its path")
    content = container.unpack(bytes(data), salvage=salvage)
    asked = None if iterations is None else _boxes(iterations, content.header)
    # A file that was cut behind all that is asked for misses nothing.
    enough = content.truncated and asked is not None and asked <= len(content.tiles)
    for sentence in () if enough else content.warnings:
        warnings.warn(sentence, DamageWarning, stacklevel=3)
    return decode_container(
        content, region=region, boxes=asked, threads=threads, salvage=salvage, max_pixels=max_pixels, progress=progress,
        engine=engine,
    )  # fmt: skip


def decode_container(
    content: Container,
    *,
    region: Region | None = None,
    boxes: int | None = None,
    threads: int | None = None,
    salvage: bool = False,
    max_pixels: int | None = None,
    progress: Progress | None = None,
    samples: Any = None,
    engine: str | None = None,
) -> Raster:
    """Like :func:`decode_raster`, from a file that has been unpacked, and from so many ``boxes`` of tiles at most.

    ``samples`` are given if they have been decoded already.
    """
    header = content.header
    tiles = content.tiles[:boxes]
    place = None if region is None else _place(region, header)
    check_pixels(header, max_pixels)
    if engine is not None and engine not in ENGINES:
        raise PictureError(f"there is no engine {engine!r}; there are: {', '.join(ENGINES)}")
    if samples is None:
        opened = codec_of(header, threads)
        if engine is not None and isinstance(opened, Accelerated):
            opened = opened.with_engine(engine)
        shape = (header.height, header.width, header.channels)
        samples = opened.decode(tiles, shape, header.depth, header.quality, place, progress, salvage)
    alpha = None
    if content.alpha is not None:
        try:
            alpha = raster.decode_alpha(content.alpha, header.width, header.height, header.depth)
        except FormatError as error:
            if not salvage:
                raise
            warnings.warn(str(error), DamageWarning, stacklevel=2)
        if alpha is not None and place:
            alpha = np.ascontiguousarray(alpha[place.slices])
    about = content.metadata
    if place and (place.width, place.height) != (header.width, header.height):
        about = of_size(about, place.width, place.height)
    return raster.Raster(samples, alpha, about)


def check_pixels(header: Header, max_pixels: int | None) -> None:
    """PictureError if a picture has more pixels than allowed; None allows all that a file can have."""
    most = whole(max_pixels)
    if max_pixels is not None and most is None:
        raise PictureError(f"max_pixels should be a whole number, not {max_pixels!r}")
    if most is not None and header.width * header.height > most:
        raise PictureError(
            f"the picture has {header.width} x {header.height} pixels, and max_pixels is {most}: allow more, or "
            "leave it"
        )


def codec_of(header: Header, threads: int | None) -> codecs.Codec:
    """The codec of a file; FormatError if there is none, or its header is wrong, BundleError without its weights."""
    entry = codecs.find(header.codec)
    if entry is None:
        raise FormatError(
            f"the file was made by codec '{header.codec}', which this version does not know: upgrade Calotype"
        )
    opened = entry.open(choose_threads(threads), header.bundle)
    if header.layers and not opened.layers:
        raise FormatError(f"the header names {header.layers} layers; {header.codec} has none")
    opened.check(header)
    return opened


def _boxes(iterations: int, header: Header) -> int:
    """Number of tiles, over all layers, in so many iterations; PictureError if the file is not progressive."""
    wanted = whole(iterations)
    if wanted is None or wanted < 1:
        raise PictureError(f"iterations {iterations!r} should be a whole number from 1 on")
    if not header.layers:
        raise PictureError(f"the file was made by codec '{header.codec}', which has no iterations: decode it whole")
    return wanted * header.tile_count


def _place(region: Region, header: Header) -> Rectangle:
    """A region as a rectangle; PictureError if it does not lie within the picture."""
    edges = wholes(region, 4)
    if edges:
        left, top, right, bottom = edges
        if 0 <= left < right <= header.width and 0 <= top < bottom <= header.height:
            return Rectangle(left, top, right, bottom)
    raise PictureError(
        f"region {region!r} is not left, top, right, bottom within the picture of "
        f"{header.width} x {header.height} pixels"
    )


def read(path: str | Path, **options: Any) -> Any:
    """:func:`decode` for a file; takes the same options.

    Raises:
        PictureError: the file cannot be read, or as of :func:`decode`.
        FormatError, BundleError, DependencyError: as of :func:`decode`.
    """
    check_path(path, "read", "decode takes its bytes, decode(file.read())")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a name that no file can have
        raise PictureError(f"cannot read {str(path)!r}: {error}") from error
    return decode(data, **options)
