# SPDX-License-Identifier: BSD-3-Clause
"""The Raster, and its ways from and to Pillow images and NumPy arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from ..arrays import Samples
from ..container import MAX_PIXELS, MAX_SIDE, CodePoints, Metadata
from ..container.metadata import NOTHING, Described
from ..errors import LossWarning, PictureError
from . import bands, colour, modes, profiles
from .guard import pillow_limit, reading
from .metadata import EXIF_PREFIX, INCH, PHOTOSHOP_IPTC, find
from .survey import Survey, survey, warn_of_losses

_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # a tag of TIFF, and one of its values
_SCALED = {"L;2": 85, "L;4": 17}  # Pillow scales samples of 2 and 4 bits to 0..255, and their transparent colour not


@dataclass(frozen=True, eq=False)
class Raster(Described):
    """A picture: upright samples, alpha and what describes them.

    samples: (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16, the full range used.
    alpha: (H, W) of the same type, not premultiplied; None if the picture is opaque.
    metadata: what describes it. Without a colour profile the samples are sRGB; EXIF and XMP say orientation 1.

    Raises PictureError if its parts are not of these shapes and types.
    """

    samples: Samples
    alpha: Samples | None = None
    metadata: Metadata = NOTHING

    def __post_init__(self) -> None:
        for part in (self.samples, *([] if self.alpha is None else [self.alpha])):
            if not isinstance(part, np.ndarray):
                raise PictureError(f"samples and alpha must be NumPy arrays, not {type(part).__name__}")
        if not isinstance(self.metadata, Metadata):
            raise PictureError(f"metadata must be a calotype.container.Metadata, not {type(self.metadata).__name__}")
        shape = self.samples.shape
        if len(shape) != 3 or shape[2] not in (1, 3) or self.samples.dtype not in (np.uint8, np.uint16):
            raise PictureError(
                f"samples must be (height, width, 1 or 3) of uint8 or uint16, not {shape} of {self.samples.dtype}"
            )
        check_size(shape[1], shape[0])
        if self.alpha is not None and (self.alpha.shape != shape[:2] or self.alpha.dtype != self.samples.dtype):
            raise PictureError(
                f"alpha must be {shape[:2]} of {self.samples.dtype} like the samples, "
                f"not {self.alpha.shape} of {self.alpha.dtype}"
            )

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return int(self.samples.shape[1])

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB); alpha does not count."""
        return int(self.samples.shape[2])

    @property
    def depth(self) -> int:
        """Bits a sample: 8 or 16."""
        return 8 * self.samples.dtype.itemsize


def check_size(width: int, height: int) -> None:
    """Raise PictureError unless a picture of this size can be stored."""
    if width < 1 or height < 1:
        raise PictureError(f"a picture needs at least one pixel, this one has {width} x {height}")
    if width > MAX_SIDE or height > MAX_SIDE:
        raise PictureError(f"a picture of {width} x {height} is too long: a side has at most {MAX_SIDE} pixels")
    if width * height > MAX_PIXELS:
        raise PictureError(f"a picture of {width} x {height} is too large: the limit is {MAX_PIXELS} pixels")


def from_picture(picture: Image.Image | NDArray[Any] | Raster, *, strip: bool = False) -> Raster:
    """Take a Pillow image of any mode, a NumPy array or a Raster.

    Arrays are (H, W), (H, W, 1), (H, W, 2) grey with alpha, (H, W, 3) RGB or (H, W, 4) RGBA, of bool, uint8 or uint16;
    a Raster of an array may share its memory. Of a masked array the mask is left out, with a LossWarning. Of an
    animation the current frame is taken.

    ``strip`` leaves out the colour profile, EXIF and XMP. Colours do not change by that: 8-bit samples with a profile
    other than sRGB are converted to sRGB first; 16-bit samples with such a profile are refused.

    Raises PictureError.
    """
    if isinstance(picture, Image.Image):
        return from_image(picture, strip=strip)
    if isinstance(picture, Raster):
        return _stripped(picture) if strip else picture
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    hint = ": open the file with calotype.raster.load() or PIL.Image.open()" if isinstance(picture, str | Path) else ""
    raise PictureError(f"a picture is a Pillow image or a NumPy array, not {type(picture).__name__}{hint}")


def from_image(
    image: Image.Image, *, strip: bool = False, overrides: Mapping[str, object] | None = None, name: str = "the picture"
) -> Raster:
    """Like :func:`from_picture` for a Pillow image.

    ``overrides`` replaces entries of ``image.info`` (``icc_profile``, ``exif``, ``xmp``; None removes one); ``name`` is
    what errors call the picture.
    """
    check_size(*image.size)
    with reading(name), pillow_limit(image.width * image.height):
        stored = modes.raw_mode(image) if isinstance(image, ImageFile.ImageFile) else None
        found = survey(image)
        warn_of_losses(found)
        image.load()  # some metadata follows the pixels, and the TIFF reader turns the picture only now
        info: dict[Any, Any] = {**image.info, **(overrides or {})}
        if stored in _SCALED and isinstance(key := info.get("transparency"), int):
            info["transparency"] = key * _SCALED[stored]
        orientation, about = find(image, info)
        points = _points(info, found)
        made = None  # a profile of what else the file says of its colours
        if points is not None and about.icc == colour.profile(points, 3 if image.mode.startswith("RGB") else 1):
            about = replace(about, icc=None)  # to_image made it of the code points
        plan = modes.plan(image, info, about.icc, strip=strip and points is None)
        if about.icc is None and "srgb" not in info:
            made = colour.declared(info.get("gamma"), info.get("chromaticity"), plan.channels)
        samples, alpha = bands.blank(image.size, orientation, plan.depth, plan.channels, plan.alpha)
        bands.fill(image, orientation, plan.read, samples, alpha)
        if plan.depth == 16 and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            np.subtract(65535, samples, out=samples)  # Pillow turns such samples of 8 bits only
    about = replace(about, icc=plan.icc, cicp=points)
    if made is not None and points is None:
        about = replace(about, icc=made)
    if not strip:
        return Raster(samples, alpha, about)
    return _stripped(Raster(samples, alpha, Metadata(icc=made, cicp=points)))  # the file's own profile is applied


def _points(info: Mapping[Any, Any], found: Survey) -> CodePoints | None:
    """The code points of an image: as the file says, or as :func:`to_image` put them into ``info``."""
    given = info.get("cicp")
    if found.points is None and isinstance(given, tuple) and len(given) == 2 and all(type(n) is int for n in given):
        return colour.meaningful(*given)
    return found.points


def _from_array(array: NDArray[Any]) -> Raster:
    advice = "expected (height, width) or (height, width, channels) with 1 to 4 channels of uint8 or uint16"
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4) or 0 in array.shape:
        raise PictureError(f"an array of shape {array.shape} is not a picture: {advice}")
    check_size(array.shape[1], array.shape[0])
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        raise PictureError(
            f"an array of {array.dtype} has no known range: scale it to 0..255 or 0..65535, round it, "
            "and convert it with .astype(numpy.uint8) or .astype(numpy.uint16)"
        )
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise PictureError(
            f"an array of {array.dtype} is not a picture: {advice}; if its values fit, convert it with .astype()"
        )
    if np.ma.is_masked(array):
        warnings.warn(
            "the mask of the array is left out: make it an alpha channel to keep it", LossWarning, stacklevel=3
        )
    array = np.asarray(array.astype(array.dtype.newbyteorder("="), copy=False))
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] in (2, 4):
        return Raster(np.ascontiguousarray(array[..., :-1]), np.ascontiguousarray(array[..., -1]))
    return Raster(np.ascontiguousarray(array))


def _stripped(raster: Raster) -> Raster:
    mode = "L" if raster.channels == 1 else "RGB"
    if raster.metadata.cicp is not None:  # they rank before a profile, take four bytes, and tell nothing of anybody
        return replace(raster, metadata=Metadata(cicp=raster.metadata.cicp))
    if raster.depth == 16:
        profiles.refuse_deep_conversion(raster.icc, mode)
    elif profiles.correction(raster.icc, mode) is not None:
        return from_image(to_image(raster), strip=True)
    return replace(raster, metadata=NOTHING)


def to_image(raster: Raster) -> Image.Image:
    """The picture as a Pillow image: L, LA, RGB or RGBA, or I;16 for 16-bit grey without alpha.

    Pillow has no other mode with 16 bits: 16-bit RGB, and 16-bit pictures with alpha, are rounded to 8 bits
    (:func:`to_array` and :func:`calotype.raster.save` to PNG keep all 16). ``info`` holds ``icc_profile`` (of
    code points one that means the same, if there is one), ``cicp``, ``exif``, ``xmp``, ``dpi``, and IPTC as it stands
    in a JPEG.
    """
    deep_grey = raster.depth == 16 and raster.channels == 1 and raster.alpha is None
    samples = raster.samples if deep_grey else bands.to_8(raster.samples)
    image = pillow_image(samples[..., 0] if raster.channels == 1 else samples)
    if raster.alpha is not None:
        image.putalpha(pillow_image(bands.to_8(raster.alpha)))
    image.info.update(colour_info(raster.metadata, raster.channels))
    if raster.exif is not None:
        image.info["exif"] = EXIF_PREFIX + raster.exif
    if raster.xmp is not None:
        image.info["xmp"] = raster.xmp
    return image


def colour_info(about: Metadata, channels: int) -> dict[str, Any]:
    """Entries of Pillow's ``info`` for colours, resolution and IPTC."""
    icc, points, density = about.icc, about.cicp, about.density
    if points is not None:
        icc = icc or colour.profile(points, channels)  # all that others look at
    found = {
        "icc_profile": icc,
        "cicp": points and tuple(points),
        "dpi": density and (density.x * INCH, density.y * INCH),
        "photoshop": about.iptc and {PHOTOSHOP_IPTC: about.iptc},
    }
    return {key: value for key, value in found.items() if value is not None}


def to_array(raster: Raster) -> NDArray[Any]:
    """The picture as an array of uint8 or uint16: (H, W) grey, (H, W, 3) RGB, (H, W, 2 or 4) with alpha.

    Without alpha it shares memory with the raster.
    """
    if raster.alpha is not None:
        return np.concatenate([raster.samples, raster.alpha[..., None]], axis=2)
    return raster.samples[..., 0] if raster.channels == 1 else raster.samples


def pillow_image(array: NDArray[Any]) -> Image.Image:
    """A Pillow image of mode L, RGB or I;16 from an array (H, W) or (H, W, 3)."""
    return Image.fromarray(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
