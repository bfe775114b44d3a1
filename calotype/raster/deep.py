# SPDX-License-Identifier: BSD-3-Clause
"""Reading colour, or grey with alpha, at 16 bits a channel, for which Pillow has no mode, through its own decoders.

Pillow's unpackers keep one byte of each big- or little-endian sample. Decoding the same file twice, once with the other
byte order, yields the high and the low bytes, with Pillow's filters, checks and speed. PNG and TIFF, RGB and RGBA. A
16-bit grey PNG with alpha has four bytes a pixel, so that it is read once, as if it were 8-bit RGBA.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from . import bands, colour, metadata, profiles
from .bands import Band
from .modes import colour_key, opacity, raw_mode
from .picture import Raster
from .survey import survey, warn_of_losses

_GREY_ALPHA = "LA;16B"
_NATIVE_LOW = "B" if sys.byteorder == "little" else "L"
_LOW_BYTES = {  # Pillow's raw mode, which keeps the high bytes -> the one that keeps the low bytes
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": f"RGB;16{_NATIVE_LOW}",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": f"RGBA;16{_NATIVE_LOW}",
    "RGBX;16B": "RGBX;16L",
    "RGBX;16L": "RGBX;16B",
    "RGBX;16N": f"RGBX;16{_NATIVE_LOW}",
    "RGBa;16B": "RGBA;16L",
    "RGBa;16L": "RGBA;16B",
    "RGBa;16N": f"RGBA;16{_NATIVE_LOW}",
    _GREY_ALPHA: "RGBA",  # keeps all: the high and low byte of grey, then those of alpha
}


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether :func:`read_deep` can read this opened, not yet loaded file, and Pillow itself would drop 8 bits."""
    return image.format in ("PNG", "TIFF") and raw_mode(image) in _LOW_BYTES


def read_deep(file: IO[bytes]) -> Raster:
    """The picture in a file, seekable, for which :func:`is_deep` is true. Raises whatever Pillow raises."""
    with Image.open(file) as image:
        grey = raw_mode(image) == _GREY_ALPHA
        found = survey(image)
        warn_of_losses(found)
        premultiplied = "RGBa" in str(raw_mode(image))
        if grey:
            _keep_low_bytes(image)
        if premultiplied:
            _unpack(image, str(raw_mode(image)).replace("RGBa", "RGBA"))
        image.load()
        info = image.info
        orientation, about = metadata.find(image, info)
        samples, alpha = bands.blank(image.size, orientation, 16, 1 if grey else 3, image.mode == "RGBA")
        bands.fill(image, orientation, _read_pairs if grey else _read_high, samples, alpha)
        key = colour_key(image.info, 3) if image.mode == "RGB" else None
    if not grey:
        with Image.open(file) as image:
            _keep_low_bytes(image)
            image.load()
            low = None if alpha is None else _low_bytes(alpha)
            bands.fill(image, orientation, _read_bytes, _low_bytes(samples), low)
    if premultiplied and alpha is not None:
        _divide(samples, alpha)
    if key is not None:
        alpha = opacity(samples, key)
    space = "GRAY" if grey else "RGB "
    profiles.warn_if_unfit(about.icc, space)
    icc = profiles.fitting(about.icc, space)
    if about.icc is None and found.points is None and "srgb" not in info:
        icc = colour.declared(info.get("gamma"), info.get("chromaticity"), 1 if grey else 3)
    return Raster(samples, alpha, replace(about, icc=icc, cicp=found.points))


def _keep_low_bytes(image: ImageFile.ImageFile) -> None:
    """Make an opened, not yet loaded file decode to the low bytes."""
    _unpack(image, _LOW_BYTES[str(raw_mode(image))])


def _unpack(image: ImageFile.ImageFile, mode: str) -> None:
    """Make an opened, not yet loaded file decode by another raw mode of Pillow's."""
    image.tile = [
        tile._replace(args=(mode, *tile.args[1:]) if isinstance(tile.args, tuple) else mode) for tile in image.tile
    ]


def _divide(samples: NDArray[np.uint16], alpha: NDArray[np.uint16]) -> None:
    """Undo premultiplication in place, row by row to save memory; nothing is known of what is fully transparent."""
    for row, opacity_of in zip(samples, alpha.astype(np.uint32)[..., None], strict=True):
        whole = np.maximum(opacity_of, 1)
        row[:] = np.minimum((row * np.uint32(65535) + whole // 2) // whole, 65535)


def _low_bytes(array: NDArray[Any]) -> NDArray[Any]:
    """A view of the low bytes of a contiguous array of uint16."""
    low = 0 if sys.byteorder == "little" else 1
    return array.view(np.uint8)[..., low::2]


def _read_pairs(band: Image.Image) -> Band:
    """Grey and alpha from a band whose four bytes a pixel are the high and low byte of either."""
    pairs = np.ascontiguousarray(np.asarray(band)).view(">u2")
    return pairs[..., 0], pairs[..., 1]


def _read_bytes(band: Image.Image) -> Band:
    array = np.asarray(band)
    return array[..., :3], array[..., 3] if array.shape[2] == 4 else None


def _read_high(band: Image.Image) -> Band:
    samples, alpha = _read_bytes(band)
    return samples.astype(np.uint16) << 8, None if alpha is None else alpha.astype(np.uint16) << 8
