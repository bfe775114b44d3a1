# SPDX-License-Identifier: BSD-3-Clause
"""Colour profiles: whether one fits the samples, whether it means sRGB, and the conversion to sRGB if it does not."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import LossWarning, PictureError

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform  # littleCMS is loaded only where colours are converted

SRGB_TOLERANCE = 3  # of 255: a profile that moves no colour further than this is sRGB for all that eyes can tell


def fitting(icc: bytes | None, space: str) -> bytes | None:
    """The profile if it is one and describes samples of this colour space ("RGB ", "GRAY", "CMYK"), else None."""
    described = icc is not None and len(icc) >= 132 and icc[36:40] == b"acsp" and icc[16:20] == space.encode()
    return icc if described else None


def warn_if_unfit(icc: bytes | None, *spaces: str) -> None:
    """A LossWarning if there is a profile that describes none of these colour spaces, and is left out therefore."""
    if icc and all(fitting(icc, space) is None for space in spaces):
        sentence = "its colour profile is damaged, or describes samples of another kind: it is left out"
        warnings.warn(sentence, LossWarning, stacklevel=4)


def to_srgb(icc: bytes | None, mode: str) -> ImageCmsTransform | None:
    """The conversion of Pillow's ``mode`` with this profile (LAB needs none) to sRGB, None if the profile is broken."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc is not None else ImageCms.createProfile("LAB")
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError):
        return None


def correction(icc: bytes | None, mode: str) -> ImageCmsTransform | None:
    """Like :func:`to_srgb` for mode L or RGB, but None as well if the profile is absent or means sRGB.

    That is judged by what the profile does to a chart of colours.
    """
    transform = to_srgb(icc, mode) if icc is not None else None
    if transform is None:
        return None
    steps = np.linspace(0, 255, 256 if mode == "L" else 9).astype(np.uint8)
    chart = steps[None] if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    result = np.asarray(apply(Image.fromarray(chart), transform)).astype(np.int16)
    moved = np.abs(result - chart.reshape(1, chart.shape[1], -1)).max()
    return transform if moved > SRGB_TOLERANCE else None


def apply(image: Image.Image, transform: ImageCmsTransform) -> Image.Image:
    """A converted copy, of mode RGB, of an image; alpha is left out.

    The image is brought to the transform's mode first: from grey to RGB where an RGB profile describes a grey picture.
    """
    from PIL import ImageCms

    mode = transform.input_mode
    result = ImageCms.applyTransform(image if image.mode == mode else image.convert(mode), transform)
    assert result is not None  # only in-place transforms give None
    return result


def refuse_deep_conversion(icc: bytes | None, mode: str) -> None:
    """Raise PictureError if 16-bit samples of mode L or RGB need this profile: Pillow can convert 8 bits only."""
    if correction(icc, mode) is not None:
        raise PictureError(
            "the 16-bit picture has a colour profile other than sRGB, without which its colours would change: convert "
            "it to sRGB first, or do not strip it"
        )
