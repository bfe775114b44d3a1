# SPDX-License-Identifier: BSD-3-Clause
"""A picture as the codecs see it, and every way in and out: Pillow images, NumPy arrays, picture files.

    from_picture(image or array)  ->  Raster  ->  to_image, to_array
    load(file)                    ->  Raster  ->  save(file)

What comes in is normalised once: samples upright (the EXIF orientation is applied and set to 1), grey with one channel
or RGB with three, 8 or 16 bits, alpha apart. A colour profile stays only if it describes the samples that are kept.
Pictures are converted in bands of rows, so that 100 megapixels need little more memory than their samples.

    files       load, save, to_file
    deep        16-bit colour in, for which Pillow has no mode
    png16       16-bit colour out
    picture     Raster, from and to Pillow and NumPy
    modes       what each of Pillow's modes becomes
    profiles    colour profiles
    metadata    EXIF, XMP, orientation
    alpha       the alpha channel as bytes, without loss
    bands       bands of rows, and turned pictures
    guard       Pillow's limit and Pillow's exceptions
"""

from __future__ import annotations

from .alpha import decode_alpha, encode_alpha
from .files import load, save, to_file
from .metadata import EXIF_PREFIX
from .picture import Raster, check_size, from_image, from_picture, to_array, to_image

__all__ = [
    "EXIF_PREFIX",
    "Raster",
    "check_size",
    "decode_alpha",
    "encode_alpha",
    "from_image",
    "from_picture",
    "load",
    "save",
    "to_array",
    "to_file",
    "to_image",
]
