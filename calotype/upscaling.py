# SPDX-License-Identifier: BSD-3-Clause
"""Super-resolution: a picture two or four times as large, with details that a network has learned to expect.

After Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", 2017. The
networks are the bundles of codec ``ledig2017``, named ``MODEL-xSCALE``: ``srresnet-x4`` errs least on average,
``srgan-x4`` looks sharper.

>>> large = calotype.upscale(picture, 4)                      # a Pillow image        # doctest: +SKIP
>>> large = calotype.upscale(picture, 2, model="srgan")                               # doctest: +SKIP
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from . import bundles, raster
from .bundles import Bundle
from .checks import whole
from .container import MAX_PIXELS, MAX_SIDE
from .errors import BundleError, PictureError
from .raster.dimensions import exif_of_size, xmp_of_size
from .resampling import BICUBIC, resize
from .runtime import choose_threads
from .windows import PictureNetwork

if TYPE_CHECKING:
    from PIL import Image

    from .raster import Raster

CODEC = "ledig2017"
SCALES = (2, 4)
MODELS = ("srresnet", "srgan")  # those that ship
DEFAULT_SCALE, DEFAULT_MODEL = 4, "srresnet"
GRAPH = "generator.onnx"
WINDOW = 1536  # pixels of the result, a side: what a network makes at once

Progress = Callable[[int, int], None]


def upscale(
    picture: Image.Image | npt.NDArray[Any] | Raster,
    scale: int = DEFAULT_SCALE,
    *,
    model: str = DEFAULT_MODEL,
    threads: int | None = None,
    progress: Progress | None = None,
    as_array: bool = False,
) -> Any:
    """A picture ``scale`` times as wide and as high, as a Pillow image (or an array).

    Args:
        picture: a Pillow image (not mode F), an array ``(H, W)`` or ``(H, W, 1..4)`` of uint8 or uint16, or a Raster.
        scale: 2 or 4.
        model: ``srresnet``, which errs least on average, or ``srgan``, which invents sharper detail.
        threads: of the computation; all cores, eight at most, by default.
        progress: called with windows done and windows in total.
        as_array: an array ``(H, W)`` or ``(H, W, 2..4)`` of uint8 or uint16 instead of an image; the only way to get
            16-bit colour, for which Pillow has no mode.

    Raises:
        PictureError: the picture cannot be taken, or its result would be too large, or there is no such scale.
        BundleError: the weights of the model are not installed.
    """
    result = upscale_raster(picture, scale, model=model, threads=threads, progress=progress)
    return raster.to_array(result) if as_array else raster.to_image(result)


def upscale_raster(
    picture: Image.Image | npt.NDArray[Any] | Raster,
    scale: int = DEFAULT_SCALE,
    *,
    model: str = DEFAULT_MODEL,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Raster:
    """Like :func:`upscale`, but with full depth and metadata: what the command line writes files from.

    Alpha is interpolated (bicubic). Colour profile, EXIF and XMP stay, with the new size where they tell one.
    """
    network = enlarger(model_bundle(model, scale), choose_threads(threads))
    scale = network.scale
    source = raster.from_picture(picture)
    width, height = scale * source.width, scale * source.height
    check_result(width, height, scale)
    samples = network(source.samples, progress=progress)
    return raster.Raster(
        samples,
        None if source.alpha is None else resize(source.alpha, height, width, BICUBIC),
        source.icc,
        None if source.exif is None else exif_of_size(source.exif, width, height),
        None if source.xmp is None else xmp_of_size(source.xmp, width, height),
    )


def check_result(width: int, height: int, scale: int) -> None:
    """Raise PictureError if a result of this size, ``scale`` times that of its picture, exceeds the limits."""
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        less = f", enlarge it {SCALES[0]} times" if scale > SCALES[0] else ""
        raise PictureError(
            f"{scale} times enlarged, the picture would have {width} x {height} pixels; the limits are {MAX_SIDE} a "
            f"side and {MAX_PIXELS} in all: cut it into parts{less}, or scale it down"
        )


def check_options(scale: object, model: object) -> tuple[int, str]:
    """Scale and model, which can be the name of a bundle; PictureError if they cannot."""
    wanted = whole(scale)
    if wanted not in SCALES:
        raise PictureError(f"scale should be {' or '.join(map(str, SCALES))}, not {scale!r}")
    if not isinstance(model, str) or not re.fullmatch(r"[a-z0-9-]{1,32}", model):
        raise PictureError(f"model should be a name such as {' or '.join(MODELS)}, not {model!r}")
    return wanted, model


def model_bundle(model: object, scale: object) -> Bundle:
    """The weights of a model for a scale. Raises PictureError for nonsense, BundleError if they are not installed."""
    scale, model = check_options(scale, model)
    return bundles.find(CODEC, name=f"{model}-x{scale}")


def enlarger(bundle: Bundle, threads: int) -> PictureNetwork:
    """The network of a bundle. Raises BundleError if its configuration is not that of a super-resolution network."""
    found = bundle.description.get("configuration")
    configuration = found if isinstance(found, dict) else {}
    values = [configuration.get(key) for key in ("scale", "stride", "halo")]
    scale, stride, halo = (value if type(value) is int else -1 for value in values)
    if scale not in SCALES or stride < 1 or halo < 0 or halo % stride or (WINDOW // scale) % stride:
        raise BundleError(
            f"the weights in {bundle.path} do not say their scale, stride and halo as this version understands them: "
            "upgrade, or export them again"
        )
    return PictureNetwork(bundle.path / GRAPH, scale, stride, halo, WINDOW // scale, threads)
