# SPDX-License-Identifier: BSD-3-Clause
"""Conversion of each of Pillow's modes: grey or RGB, 8 or 16 bits, with or without alpha."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from ..errors import LossWarning, PictureError
from . import profiles
from .bands import Band

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_GREY = ("1", "L", "LA", "La")
_COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


@dataclass(frozen=True)
class Conversion:
    """Conversion of an image."""

    depth: int  # 8 or 16
    channels: int  # 1 or 3
    alpha: bool
    icc: bytes | None  # the profile that describes what ``read`` returns
    read: Callable[[Image.Image], Band]  # of a band of the image


def plan(image: Image.Image, info: Mapping[Any, Any], icc: bytes | None, *, strip: bool) -> Conversion:
    """Conversion of a loaded image with this colour profile; ``info`` stands for ``image.info``.

    With ``strip``, colours are converted to sRGB if they have another profile. Raises PictureError for a mode that
    cannot be stored, and for 16-bit samples that would have to be converted.
    """
    mode = image.mode
    if mode == "I" or mode.startswith("I;16"):
        if not strip:
            profiles.warn_if_unfit(icc, "GRAY")
        return _plan_deep(info, profiles.fitting(icc, "GRAY"), strip)
    if mode == "F":
        raise PictureError(
            "a picture of floating-point samples (mode F) has no known range: scale it to 0..255 and convert it to "
            'mode "L", or to 0..65535 as a NumPy array of uint16'
        )
    if mode in ("CMYK", "LAB"):
        warnings.warn(f"its samples become RGB, for there is no place for {mode}", LossWarning, stacklevel=4)
    if mode == "LAB":
        return _plan_converted(mode, profiles.to_srgb(None, mode))
    if mode == "CMYK":  # without a profile by Pillow's rule of thumb
        profiles.warn_if_unfit(icc, mode)
        icc = profiles.fitting(icc, mode)
        return _plan_converted(mode, None if icc is None else profiles.to_srgb(icc, mode))
    if mode not in _GREY + _COLOUR:
        raise PictureError(f'Pillow\'s mode {mode} is not supported: convert the picture to "L", "RGB" or "RGBA"')
    return _plan_8(image, info, icc, strip)


def _plan_deep(info: Mapping[Any, Any], icc: bytes | None, strip: bool) -> Conversion:
    if strip:
        profiles.refuse_deep_conversion(icc, "L")
    key = colour_key(info, 1)
    return Conversion(16, 1, key is not None, icc, lambda band: _read_deep_grey(band, key))


def _plan_converted(mode: str, transform: ImageCmsTransform | None) -> Conversion:
    target = "RGB" if transform is None else mode
    return Conversion(8, 3, False, None, lambda band: _read_8(band, target, None, transform, False))


def _plan_8(image: Image.Image, info: Mapping[Any, Any], icc: bytes | None, strip: bool) -> Conversion:
    mode = image.mode
    grey = mode in _GREY
    if not strip:
        profiles.warn_if_unfit(icc, "RGB ", *(["GRAY"] if grey else []))
    kept = profiles.fitting(icc, "GRAY" if grey else "RGB ")
    transform = None
    if grey and (foreign := profiles.fitting(icc, "RGB ")) is not None:  # grey samples, read as R = G = B
        transform = profiles.correction(foreign, "RGB")
    elif strip:
        transform = profiles.correction(kept, "L" if grey else "RGB")
    key = colour_key(info, 1 if grey else 3) if mode in ("1", "L", "RGB") else None
    alpha = mode in _WITH_ALPHA or (mode == "P" and image.has_transparency_data)
    target = ("L" if grey else "RGB") + ("A" if alpha else "")
    if mode == "P" and kept is None and _has_grey_palette(image):
        grey = True
    has_alpha = alpha or key is not None
    return Conversion(8, 1 if grey else 3, has_alpha, kept, lambda band: _read_8(band, target, key, transform, grey))


def _read_8(
    band: Image.Image, target: str, key: NDArray[Any] | None, transform: ImageCmsTransform | None, grey: bool
) -> Band:
    """Samples and alpha of a band: converted to mode ``target``, then to sRGB; ``key`` is the transparent colour."""
    band = band if band.mode == target else band.convert(target)
    samples: NDArray[Any] = np.asarray(band)
    alpha: NDArray[Any] | None = None
    if target in ("LA", "RGBA"):
        samples, alpha = samples[..., :-1], samples[..., -1]
    elif key is not None:
        alpha = opacity(samples, key)
    if transform is not None:
        samples = np.asarray(profiles.apply(band, transform))
    # Grey that a transform or a palette made RGB has three equal channels, as near as makes no difference.
    return samples[..., 1] if grey and samples.shape[2:] == (3,) else samples, alpha


def _read_deep_grey(band: Image.Image, key: NDArray[Any] | None) -> Band:
    samples = np.asarray(band)
    if samples.dtype == np.int32 and (samples.min() < 0 or samples.max() > 65535):
        raise PictureError(
            f"a picture of 32-bit samples (mode I) with values from {samples.min()} to {samples.max()} does not fit "
            "16 bits: scale it to 0..65535"
        )
    samples = samples.astype(np.uint16, copy=False)
    return samples, None if key is None else opacity(samples, key)


def _has_grey_palette(image: Image.Image) -> bool:
    palette = np.array(image.getpalette("RGB") or (), np.int32)
    colours = palette[: palette.size // 3 * 3].reshape(-1, 3)
    return colours.size > 0 and bool((colours == colours[:, :1]).all())


def raw_mode(image: ImageFile.ImageFile) -> str | None:
    """Layout of the samples in a file that is not yet loaded, in Pillow's terms; None if that varies within it."""
    found = {tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args for tile in image.tile}
    mode = found.pop() if len(found) == 1 else None
    return mode if isinstance(mode, str) else None


def colour_key(info: Mapping[Any, Any], channels: int) -> NDArray[Any] | None:
    """The one transparent colour of a picture without alpha (PNG's tRNS), as an array of ``channels`` numbers."""
    key = info.get("transparency")
    numbers = (key,) if isinstance(key, int) else key
    if not isinstance(numbers, tuple | list) or len(numbers) != channels:
        return None
    return np.array(numbers, np.int64) if all(isinstance(number, int) for number in numbers) else None


def opacity(samples: NDArray[Any], key: NDArray[Any]) -> NDArray[Any]:
    """Alpha (h, w), of the type of the samples (h, w) or (h, w, c): 0 where they are the transparent colour."""
    samples = samples if samples.ndim == 3 else samples[..., None]
    match = np.ones(samples.shape[:2], np.bool_)
    for channel, value in enumerate(key):
        match &= samples[..., channel] == value
    alpha = np.full(match.shape, np.iinfo(samples.dtype).max, samples.dtype)
    alpha[match] = 0
    return alpha
