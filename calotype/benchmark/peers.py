# SPDX-License-Identifier: BSD-3-Clause
"""The encoders that people use today, through Pillow: each with its settings in one readable table.

========= ===================================================== =============================================
codec     encoder                                               settings beside the one that varies
========= ===================================================== =============================================
jpeg      libjpeg-turbo                                         optimised Huffman tables, progressive, 4:2:0
webp      libwebp, lossy                                        method 6 (slowest), 4:2:0
jpeg2000  OpenJPEG, wavelet 9/7, colour transform, one layer    quality as a target PSNR in dB
avif      libaom as libavif sets it up (tune iq)                speed 6, 4:4:4, one thread, one tile
avif-psnr libaom, tuned for PSNR (tune psnr)                    speed 6, 4:4:4, one thread, one tile
avif-420  libaom as libavif sets it up (tune iq)                speed 6, 4:2:0, one thread, one tile
jxl       libjxl, see jxl.py                                    effort 7, distance from quality as in cjxl
========= ===================================================== =============================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
import PIL
from PIL import AvifImagePlugin, Image, features

from ..errors import DependencyError
from .contender import Contender, Picture


def decode(data: bytes) -> Picture:
    """Read a file of any format that Pillow knows, with one thread."""
    threads = AvifImagePlugin.DEFAULT_MAX_THREADS
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # Pillow offers no other way to say so
    try:
        with Image.open(BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    finally:
        AvifImagePlugin.DEFAULT_MAX_THREADS = threads


def pillow_codec(
    name: str,
    description: str,
    *,
    plugin: str,
    extension: str,
    library: str,
    knob: str,
    settings: tuple[float, ...],
    parameters: Mapping[str, object],
    keyword: Callable[[float], dict[str, object]],
    lowest: float = 1,
    highest: float = 100,
    step: float = 1,
) -> Contender:
    """A codec that is one of Pillow's plug-ins; ``keyword`` turns the varying setting into arguments for ``save``."""

    def encode(picture: Picture, setting: float) -> bytes:
        if not features.check(library):
            raise DependencyError(
                f"this Pillow was built without {name}: install one from a wheel (pip install pillow)"
            )
        file = BytesIO()
        Image.fromarray(picture).save(file, plugin, **parameters, **keyword(setting))
        return file.getvalue()

    def versions() -> dict[str, str]:
        found = {"pillow": PIL.__version__, library: str(features.version(library))}
        if library == "jpg":
            found["libjpeg-turbo"] = str(features.version("libjpeg_turbo"))
        if library == "avif":
            found["libaom"] = str(AvifImagePlugin.get_codec_version("aom"))
        return found

    return Contender(
        name, description, extension, knob, settings, parameters, encode, decode, versions, lowest, highest, step
    )


def whole_quality(setting: float) -> dict[str, object]:
    """Pillow's ``quality`` of JPEG and AVIF, an integer."""
    return {"quality": round(setting)}


DEFAULT_TUNE = "iq"  # what libavif since 1.4 sets for still pictures with libaom since 3.13


def avif(name: str, subsampling: str, settings: tuple[float, ...], tune: str = "") -> Contender:
    """AVIF at libaom's speed 6 with one thread, without tiles.

    Without ``tune`` it is what people get: since version 1.4 libavif has libaom tune still pictures for the eye, which
    costs some PSNR. ``tune="psnr"`` is the stronger opponent where PSNR is the measure.
    """
    parameters = {"codec": "aom", "speed": 6, "subsampling": subsampling, "max_threads": 1, "autotiling": False}
    return pillow_codec(
        name,
        f"AVIF (libaom speed 6, {subsampling}, tune {tune or DEFAULT_TUNE})",
        plugin="AVIF",
        extension=".avif",
        library="avif",
        knob="quality",
        settings=settings,
        parameters={**parameters, "advanced": {"tune": tune}} if tune else parameters,
        keyword=whole_quality,
        lowest=0,
    )


JPEG = pillow_codec(
    "jpeg",
    "JPEG (libjpeg-turbo, optimised, progressive, 4:2:0)",
    plugin="JPEG",
    extension=".jpg",
    library="jpg",
    knob="quality",
    settings=(5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
    parameters={"optimize": True, "progressive": True, "subsampling": "4:2:0"},
    keyword=whole_quality,
)

WEBP = pillow_codec(
    "webp",
    "WebP (libwebp, lossy, method 6)",
    plugin="WEBP",
    extension=".webp",
    library="webp",
    knob="quality",
    settings=(1, 5, 10, 20, 30, 50, 70, 80, 90, 95, 100),
    parameters={"lossless": False, "method": 6},
    keyword=lambda setting: {"quality": setting},
    lowest=0,
)

JPEG2000 = pillow_codec(
    "jpeg2000",
    "JPEG 2000 (OpenJPEG, 9/7 wavelet)",
    plugin="JPEG2000",
    extension=".jp2",
    library="jpg_2000",
    knob="target PSNR",
    settings=(26, 28, 30, 32, 34, 36, 38, 40, 42, 44),
    parameters={"quality_mode": "dB", "irreversible": True, "mct": 1},
    keyword=lambda setting: {"quality_layers": [setting]},
    lowest=10,
    highest=60,
    step=0.25,
)

QUALITIES = (5, 15, 25, 35, 45, 55, 65, 75, 85, 92)
AVIF = avif("avif", "4:4:4", QUALITIES)
AVIF_PSNR = avif("avif-psnr", "4:4:4", (1, 4, 8, 12, 20, 30, 40, 50, 65, 85), tune="psnr")
AVIF_420 = avif("avif-420", "4:2:0", QUALITIES)
