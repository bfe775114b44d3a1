# SPDX-License-Identifier: BSD-3-Clause
"""Colour of more than 8 bits where Pillow's readers give 8, or nonsense.

PPM                 by the module ppm
AVIF, JPEG 2000     by imagecodecs, an optional package; without it Pillow's 8 bits are taken, and a LossWarning says so
TIFF, in planes     by imagecodecs; refused without it, for what Pillow gives is nonsense
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from ..errors import LossWarning, PictureError
from . import bands, metadata, profiles
from .picture import Raster
from .ppm import read_ppm, scaled
from .survey import survey, warn_of_losses

EXTRA = "pip install 'calotype[deep]'"
_PLANAR, _BITS = 284, 258  # TIFF's tags: PlanarConfiguration (2: a plane a channel), BitsPerSample
_READERS = {"AVIF": "avif_decode", "JPEG2000": "jpeg2k_decode", "TIFF": "tiff_decode"}


def needs_other(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file holds colour that Pillow would not give as it is."""
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
        return len(bits) > 1 and max(bits) > 8 and image.tag_v2.get(_PLANAR) == 2  # type: ignore[attr-defined]
    return image.format in ("PPM", "AVIF", "JPEG2000") and image.mode in ("RGB", "RGBA") and survey(image).bits > 8


def read_other(file: IO[bytes], image: ImageFile.ImageFile) -> Raster | None:
    """The picture in a file for which :func:`needs_other` is true; None if Pillow's 8 bits have to do.

    Raises PictureError, and whatever the readers raise.
    """
    found = survey(image)
    file.seek(0)
    data = file.read()
    array = read_ppm(data) if image.format == "PPM" else _decoded(data, str(image.format), found.bits)
    if array is None and image.format == "PPM":
        sentence = f"its {found.bits} bits a sample become 8: this PPM is text; as binary PPM (P6) or PNG it keeps them"
        warnings.warn(sentence, LossWarning, stacklevel=4)
    if array is None:
        return None
    if array.shape[:2] != image.size[::-1] or array.ndim != 3 or array.shape[2] not in (3, 4):
        raise PictureError(f"the {image.format} holds {array.shape} samples, not {image.size} pixels of colour")
    warn_of_losses(found)
    orientation, about = metadata.find(image, image.info)
    profiles.warn_if_unfit(about.icc, "RGB ")
    samples, alpha = bands.blank(image.size, orientation, 16, 3, array.shape[2] == 4)
    bands.lying(samples, orientation)[...] = array[..., :3]
    if alpha is not None:
        bands.lying(alpha, orientation)[...] = array[..., 3]
    return Raster(samples, alpha, replace(about, icc=profiles.fitting(about.icc, "RGB "), cicp=found.points))


def _decoded(data: bytes, kind: str, bits: int) -> NDArray[np.uint16] | None:
    try:
        reader = getattr(importlib.import_module("imagecodecs"), _READERS[kind])
    except (ImportError, AttributeError):
        if kind == "TIFF":
            raise PictureError(
                f"a TIFF of 16-bit colour in planes needs the package imagecodecs: {EXTRA}, or interleave its channels"
            ) from None
        warnings.warn(
            f"its {bits} bits a sample become 8, for Pillow reads no more of {kind}; with {EXTRA} all are kept",
            LossWarning,
            stacklevel=5,
        )
        return None
    array: NDArray[Any] = reader(data)
    if kind == "TIFF" and array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.dtype != np.uint16:
        return None if kind != "TIFF" else array.astype(np.uint16)
    return scaled(array, 65535 if kind == "TIFF" else (1 << bits) - 1)
