# SPDX-License-Identifier: BSD-3-Clause
"""A picture as the codecs see it, and every way in and out: Pillow images, NumPy arrays, picture files.

    from_picture(image or array)  ->  Raster  ->  to_image, to_array
    load(file)                    ->  Raster  ->  save(file)

What comes in is normalised once: samples upright (the EXIF orientation is applied and set to 1), grey with one channel
or RGB with three, 8 or 16 bits, alpha apart. A colour profile stays only if it describes the samples that are kept.
Pictures are converted in bands of rows, so that 100 megapixels need little more memory than their samples.

    files       load, save, to_file
    deep        16-bit colour in, for which Pillow has no mode
    deep_codecs more than 8 bits where Pillow's readers give no more
    ppm         PPM of 16 bits in
    png16       16-bit colour out
    picture     Raster, from and to Pillow and NumPy
    modes       what each of Pillow's modes becomes
    profiles    colour profiles
    colour      code points, and profiles made of them
    metadata    EXIF, XMP, IPTC, text, resolution, orientation
    dimensions  the size of a picture in EXIF and XMP, and its thumbnails
    survey      what a file holds that is not kept
    alpha       the alpha channel as bytes, without loss
    bleeding    colours under transparency
    bands       bands of rows, and turned pictures
    guard       Pillow's limit and Pillow's exceptions
    formats     of picture files that can be written
    writing     what Pillow's writers are told
    resampling  ordinary filters

Names come in when they are first used: the command line needs the formats alone, and starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alpha import decode_alpha, encode_alpha
    from .files import load, save, to_file, write_whole
    from .metadata import EXIF_PREFIX
    from .picture import Raster, check_size, colour_info, from_image, from_picture, to_array, to_image

__all__ = [
    "EXIF_PREFIX",
    "Raster",
    "check_size",
    "colour_info",
    "decode_alpha",
    "encode_alpha",
    "from_image",
    "from_picture",
    "load",
    "save",
    "to_array",
    "to_file",
    "to_image",
    "write_whole",
]
_HOME = {  # by name: the module
    "EXIF_PREFIX": "metadata",
    "Raster": "picture",
    "check_size": "picture",
    "colour_info": "picture",
    "decode_alpha": "alpha",
    "encode_alpha": "alpha",
    "from_image": "picture",
    "from_picture": "picture",
    "load": "files",
    "save": "files",
    "to_array": "picture",
    "to_file": "files",
    "to_image": "picture",
    "write_whole": "files",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module 'calotype.raster' has no attribute '{name}'")
