# SPDX-License-Identifier: BSD-3-Clause
"""The networks that repair what a standard codec has done: ``rec1``, and ``rec2``, which enlarges as well.

Where the weights have a third one, ``enlarge``, ``rec2`` repairs the small picture and leaves enlarging to that.
"""

from __future__ import annotations

from ...arrays import Floats, Progress, Samples
from ...engine.bundles import Bundle
from ...engine.runtime import graph
from ...engine.tiling import Rectangle
from ...engine.windows import PictureNetwork
from ...errors import BundleError
from .strength import Strength

ENLARGE = "enlarge"
WINDOW = 1024  # pixels of what comes out: what a network works on at once


def restored(
    bundle: Bundle, scale: int, threads: int, samples: Samples, tables: Floats | None,
    region: Rectangle | None = None, progress: Progress | None = None,
) -> Samples:  # fmt: skip
    """A decoded standard picture, or a region of it, repaired (``rec1``) or repaired and enlarged by 2 (``rec2``).

    Args:
        bundle: the weights; BundleError if they do not say how they run.
        scale: 1 or 2.
        threads: of the computation.
        samples: ``(H, W, 1 or 3)`` in the rows and columns in which they were compressed, 8 or 16 bits.
        tables: what :func:`calotype.codecs.tao2017.strength.quantisation` found; None to estimate the strength.
        region: of ``samples``.
        progress: called with windows done and windows in total.
    """
    if scale == 1 or ENLARGE not in bundle.description["configuration"]:
        network = _network(bundle, f"rec{scale}", scale, threads)
        return network(samples, *_strength(network, bundle, samples, tables), region=region, progress=progress)
    network, enlarger = _network(bundle, "rec2", 1, threads), _network(bundle, ENLARGE, 2, threads)
    picture = Rectangle(0, 0, samples.shape[1], samples.shape[0])
    region = region or picture
    seen = region.grown(enlarger.halo, picture).intersection(picture)
    repaired = network(samples, *_strength(network, bundle, samples, tables), region=seen)  # takes a tenth of the time
    return enlarger(repaired, region=region.relative_to(seen), progress=progress)


def _network(bundle: Bundle, name: str, scale: int, threads: int) -> PictureNetwork:
    stride, halo = reach(bundle, name)
    window = max(stride, WINDOW // scale // stride * stride)
    return PictureNetwork(bundle.path / f"{name}.onnx", scale, stride, halo, window, threads)


def _strength(network: PictureNetwork, bundle: Bundle, samples: Samples, tables: Floats | None) -> list[Floats]:
    """What a network takes beside the picture: the paper's own takes nothing."""
    if len(graph(network.path, network.threads).inputs) == 1:
        return []
    return [Strength(bundle, network.threads)(samples, tables)]


def reach(bundle: Bundle, name: str) -> tuple[int, int]:
    """Stride of a graph's input, and how far it sees, rounded up to a multiple of it."""
    try:
        about = bundle.description["configuration"][name]
        stride, halo = int(about["stride"]), int(about["halo"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"the weights in {bundle.path} do not say how {name} runs: they are for another version"
        ) from error
    if not (1 <= stride <= WINDOW and 0 <= halo <= WINDOW):
        raise BundleError(
            f"the weights in {bundle.path} cannot be right: {name} has stride {stride} and halo {halo}; "
            "install them again"
        )
    return stride, -(-halo // stride) * stride
