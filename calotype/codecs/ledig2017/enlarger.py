# SPDX-License-Identifier: BSD-3-Clause
"""The networks of super-resolution: bundles of codec ``ledig2017``, named ``MODEL-xSCALE``."""

from __future__ import annotations

from ...container import MAX_PIXELS, MAX_SIDE
from ...engine import bundles
from ...engine.bundles import Bundle
from ...engine.windows import PictureNetwork
from ...errors import BundleError, PictureError
from . import ENTRY, SCALES

GRAPH = "generator.onnx"
WINDOW = 1536  # pixels of the result, a side: what a network makes at once


def check_result(width: int, height: int, scale: int) -> None:
    """Raise PictureError if a result of this size, ``scale`` times that of its picture, exceeds the limits."""
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        less = f", enlarge it {SCALES[0]} times" if scale > SCALES[0] else ""
        raise PictureError(
            f"{scale} times enlarged, the picture would have {width} x {height} pixels; the limits are {MAX_SIDE} a "
            f"side and {MAX_PIXELS} in all: cut it into parts{less}, or scale it down"
        )


def model_bundle(model: object, scale: object) -> Bundle:
    """The weights of a model for a scale. Raises PictureError for nonsense, BundleError if they are not installed."""
    options = ENTRY.validated({"model": model, "scale": scale})
    name = f"{options.model}-x{options.scale}"
    there = {bundle.id for bundle in bundles.installed() if bundle.codec == ENTRY.id}
    if there and name not in there:
        end = f"-x{options.scale}"
        models = sorted(other.removesuffix(end) for other in there if other.endswith(end))
        raise BundleError(f"there is no model {model} for scale {scale}; there are: {', '.join(models) or 'none'}")
    return bundles.find(ENTRY.id, name=name)


def enlarger(bundle: Bundle, threads: int) -> PictureNetwork:
    """The network of a bundle. Raises BundleError if its configuration is not that of a super-resolution network."""
    found = bundle.description.get("configuration")
    configuration = found if isinstance(found, dict) else {}
    values = [configuration.get(key) for key in ("scale", "stride", "halo", "window")]
    scale, stride, halo, window = (value if type(value) is int else -1 for value in values)
    if "window" not in configuration and scale in SCALES:
        window = WINDOW // scale  # in samples of the small picture
    if scale not in SCALES or stride < 1 or halo < 0 or halo % stride or not 0 < window <= WINDOW or window % stride:
        raise BundleError(
            f"the weights in {bundle.path} do not say their scale, stride, halo and window as this version understands "
            "them: upgrade, or export them again"
        )
    return PictureNetwork(bundle.path / GRAPH, scale, stride, halo, window, threads, arena="window" in configuration)
