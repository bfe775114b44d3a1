# SPDX-License-Identifier: BSD-3-Clause
"""A standard picture file into a ``.calo`` file, and out of it again, byte for byte.

    wrap    JPEG, JPEG 2000, WebP or AVIF -> .calo of codec tao2017; decoding restores the picture
            JPEG -> .calo of codec lossless, which is smaller; decoding gives the picture as it is
    extract .calo -> the file inside, as it was wrapped or encoded

What the wrapped file holds beside its pixels stays in it. Alpha, colour profile, EXIF and XMP are copied into the boxes
of the ``.calo`` file as well, where every reader looks for them; EXIF there says that the picture is upright, as it is
when decoded.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

from .. import container, raster
from ..arguments import whole, wholes
from ..codecs.base import NoWeights
from ..codecs.lossless import original
from ..codecs.lossless.codec import QUALITY, WHOLE
from ..codecs.talbot import STILLS, tiles
from ..codecs.tao2017.codec import TILE, UNKNOWN
from ..codecs.tao2017.standard import BASES, StandardFile, kind
from ..container import Container, Metadata, header_for
from ..engine import bundles
from ..errors import FormatError, PictureError
from ..raster import Raster, profiles
from ..raster.bands import to_8
from ..raster.stills.lossless import kind as lossless_kind
from .encode import encode
from .verify import check_decodes

CODEC, LOSSLESS = "tao2017", "lossless"


def extract(data: bytes) -> bytes:
    """The standard file inside a ``.calo`` file, byte for byte; no weights are needed.

    Codec ``tao2017`` keeps one. Codec ``lossless`` does if it was given a JPEG, or if the picture has one tile, which
    is a WebP, PNG or JPEG XL; and ``talbot`` if the only tile is a WebP or AVIF.

    Raises:
        FormatError: the data is damaged, or holds no such file.
        DependencyError: a package that the JPEG inside needs is not installed.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FormatError(f"extract takes the bytes of a file, not {type(data).__name__}")
    content = container.unpack(bytes(data))
    header = content.header
    only = (content.tiles[0] or b"") if len(content.tiles) == 1 else b""
    if header.codec == LOSSLESS and original.is_original(only):
        return original.jpeg_of(only, header.width, header.height)
    if header.codec == LOSSLESS and lossless_kind(only):
        return only
    if header.codec == STILLS and only:
        parts = tiles.parse(only, header.height, header.width)
        if parts.still is not None and parts.network is None and kind(parts.still):
            return parts.still
    if header.codec != CODEC:
        raise FormatError(
            f"the file was made by codec '{header.codec}' and keeps no standard file of the whole picture: decode it"
        )
    if header.layers or kind(only) is None:
        raise FormatError("the file inside is not a JPEG, JPEG 2000, WebP or AVIF")
    return only


def wrap(
    data: bytes, scale: int = 1, *, size: tuple[int, int] | None = None, strip: bool = False, lossless: bool = False
) -> bytes:
    """A standard file as the bytes of a ``.calo`` file, from which ``extract`` gives it back.

    Args:
        data: a JPEG, JPEG 2000, WebP or AVIF, grey or RGB.
        scale: 1, a picture to be restored; or 2, the half of a picture, to be restored and enlarged.
        size: width and height of the upright picture, for scale 2, where a side may be one less than twice that of the
            file.
        strip: leave the boxes without colour profile, EXIF and XMP; the file inside keeps its own.
        lossless: of a JPEG, with codec ``lossless``: decoding gives the picture as it is, and where the package
            imagecodecs is installed, the file becomes smaller. That ``extract`` gives back the same bytes is checked.

    Raises:
        PictureError: the file is not of these kinds, or cannot be read, or its size does not fit.
        BundleError: the weights that will decode it are not installed.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise PictureError(f"wrap takes the bytes of a file, not {type(data).__name__}")
    given, scale = scale, whole(scale) or 0
    if scale not in ((1,) if lossless else (1, 2)):
        raise PictureError(f"scale {given!r} is not 1{'' if lossless else ' or 2'}")
    data = bytes(data)
    if lossless and kind(data) is not BASES["jpeg"]:
        raise PictureError("only a JPEG can be kept byte for byte: encode any other picture with lossless=True")
    if kind(data) is None:
        raise PictureError("only a JPEG, JPEG 2000, WebP or AVIF can be wrapped; encode anything else")
    try:
        file = StandardFile(data)
    except FormatError as error:
        raise PictureError(str(error).replace("the file inside", "it").replace(" inside", "")) from error
    if file.frames > 1:
        raise PictureError(
            f"it is an animation of {file.frames} pictures, and a .calo file holds one: save one of them first"
        )
    channels, depth = file.channels, file.depth  # of this file, not of what Raster makes of it
    if (channels, depth) == (1, 8) and profiles.correction(profiles.fitting(file.icc, "RGB "), "RGB") is not None:
        raise PictureError("it is grey with a colour profile of RGB, for which a grey picture has no place: encode it")
    picture = raster.load(io.BytesIO(data))  # also proves that it decodes
    width, height = _full_size((picture.width, picture.height), scale, size)
    if max(width, height) > TILE:
        codec = LOSSLESS if lossless else CODEC
        raise PictureError(f"codec '{codec}' stores at most {TILE} pixels a side, not {width} x {height}")
    if picture.alpha is not None and scale != 1:
        raise PictureError("it has an alpha channel, which cannot be enlarged: wrap it with scale 1, or encode it")
    if lossless:
        header = header_for(picture, NoWeights(LOSSLESS), QUALITY, WHOLE)
        about = Metadata() if strip else picture.metadata
        made = container.pack(Container(header, about, None, (original.kept(data),)))
        if extract(made) != data:
            raise FormatError(
                "verification failed: the file that was made does not give back the JPEG; please report it"
            )
        return made
    header = header_for(picture, bundles.find(CODEC), UNKNOWN, TILE)
    header = replace(header, width=width, height=height, channels=channels, depth=depth)
    alpha = None if picture.alpha is None else raster.encode_alpha(to_8(picture.alpha) if depth == 8 else picture.alpha)
    return container.pack(Container(header, Metadata() if strip else picture.metadata, alpha, (data,)))


def kept_jpeg(
    jpeg: bytes, picture: Raster, *, strip: bool = False, verify: bool = False, threads: int | None = None
) -> bytes:
    """A JPEG kept as :func:`wrap` does with ``lossless``; of one that cannot be kept, the samples, with a warning.

    Args:
        jpeg: the file.
        picture: the picture in it.
        strip: an error, for the file keeps its metadata.
        verify: decode what was made, and compare.
        threads: of the computation.
    """
    if strip:
        raise PictureError(
            "a JPEG that is kept byte for byte keeps its metadata too: leave out either --strip or --lossless"
        )
    try:
        data = wrap(jpeg, lossless=True)
    except PictureError as error:
        warnings.warn(f"the JPEG is not kept, its samples are, as grey or RGB: {error}", UserWarning, stacklevel=2)
        return encode(picture, lossless=True, verify=verify, threads=threads)
    if verify:
        check_decodes(data, picture, threads=threads)
    return data


def _full_size(stored: tuple[int, int], scale: int, size: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height of the picture of which a file of this upright size is the whole or the half."""
    if size is None:
        return scale * stored[0], scale * stored[1]
    sides = wholes(size, 2)
    if sides:
        width, height = sides
        if (-(-width // scale), -(-height // scale)) == stored:
            return width, height
    shown = " x ".join(map(str, size)) if isinstance(size, tuple | list) else repr(size)
    fits = " x ".join(str(side) if scale == 1 else f"{2 * side - 1} or {2 * side}" for side in stored)
    raise PictureError(f"size {shown} does not fit: with scale {scale} the picture has {fits} pixels")
