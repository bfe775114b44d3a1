# SPDX-License-Identifier: BSD-3-Clause
"""Calotype: neural image compression that people really use.

>>> import calotype
>>> data = calotype.encode(picture, quality=60)   # bytes of a .calo file          # doctest: +SKIP
>>> image = calotype.decode(data)                 # a Pillow image                 # doctest: +SKIP
>>> calotype.write("photo.calo", picture)         # the same, for files            # doctest: +SKIP
>>> image = calotype.read("photo.calo")                                            # doctest: +SKIP
>>> calotype.probe(data).bpp                      # without decoding a pixel       # doctest: +SKIP
>>> smaller = calotype.truncate(data, 20_000)     # of codec toderici2017          # doctest: +SKIP
>>> for step in calotype.progressive(stream):     # pictures while bytes arrive    # doctest: +SKIP
...     step.image.show()
>>> better = calotype.restore("photo.jpg")       # without its artefacts           # doctest: +SKIP
>>> large = calotype.upscale(picture, 4)          # super-resolution               # doctest: +SKIP

Pictures are Pillow images or NumPy arrays. ``calotype.pillow.register()`` teaches Pillow the format.
"""

from typing import TYPE_CHECKING, Any

from .errors import (
    BundleError,
    CalotypeError,
    CalotypeWarning,
    DamageWarning,
    DependencyError,
    FormatError,
    LossWarning,
    PictureError,
)
from .version import __version__

if TYPE_CHECKING:
    from . import container as container
    from . import metrics as metrics
    from . import raster as raster
    from .api.decode import decode, read
    from .api.encode import encode, write
    from .api.probe import Info, probe
    from .api.progressive import Progressive, progressive
    from .api.restore import restore
    from .api.truncate import truncate
    from .api.upscale import upscale
    from .api.wrap import extract, wrap

__all__ = [
    "BundleError", "CalotypeError", "CalotypeWarning", "DamageWarning", "DependencyError", "FormatError", "Info",
    "LossWarning", "PictureError", "Progressive", "__version__", "decode", "encode", "extract", "probe",
    "progressive", "read", "restore", "truncate", "upscale", "wrap", "write",
]  # fmt: skip
_LAZY = {  # by name: the module of calotype.api
    "Info": "probe",
    "Progressive": "progressive",
    "decode": "decode",
    "encode": "encode",
    "extract": "wrap",
    "probe": "probe",
    "progressive": "progressive",
    "read": "decode",
    "restore": "restore",
    "truncate": "truncate",
    "upscale": "upscale",
    "wrap": "wrap",
    "write": "encode",
}
_MODULES = ("container", "metrics", "raster")  # that people name as well: calotype.raster.load


def __getattr__(name: str) -> Any:
    # NumPy, Pillow and ONNX Runtime come in with the first picture: the import itself stays quick.
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _LAZY:
        return getattr(import_module(f".api.{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module 'calotype' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
