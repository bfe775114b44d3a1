# SPDX-License-Identifier: BSD-3-Clause
"""Super-resolution: a picture two or four times as large, with details that a network has learned to expect.

After Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", 2017. The
networks are the bundles of codec ``ledig2017``, named ``MODEL-xSCALE``: ``srresnet-x4`` errs least on average,
``srgan-x4`` looks sharper, ``mixture-x4`` (Cheng et al. 2017) errs more and is faster.

>>> large = calotype.upscale(picture, 4)                      # a Pillow image        # doctest: +SKIP
>>> large = calotype.upscale(picture, 4, model="srgan")                               # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import raster
from ..arrays import Progress
from ..codecs.ledig2017 import DEFAULT_MODEL
from ..codecs.ledig2017.enlarger import check_result, enlarger, model_bundle
from ..engine.runtime import choose_threads
from ..raster.bleeding import extend_colours
from ..raster.dimensions import of_size
from ..raster.resampling import BICUBIC, resize

if TYPE_CHECKING:
    from PIL import Image

    from ..raster import Raster

DEFAULT_SCALE = 4


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
        model: ``srresnet``, which errs least on average, ``srgan``, which invents sharper detail (its weights are for
            scale 4 only), or ``mixture``, which is fast.
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
    samples = network(extend_colours(source.samples, source.alpha), progress=progress)
    return raster.Raster(
        samples,
        None if source.alpha is None else resize(source.alpha, height, width, BICUBIC),
        of_size(source.metadata, width, height),
    )
